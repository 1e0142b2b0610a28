// SPDX-License-Identifier: ISC
// net/lwip/globals.hpp: lwIP's global variables, a set for each stack.
//
// Method:  lwIP is written for one host: its connections, tables and counters are variables of C.
//          cmake/lwip.ld lays them together (16 KB). One stack's set is in place; when another
//          stack is entered the two change places. What lwIP has allocated stays where it is.
// So:      stacks share nothing, as two machines would not: no port, address, route, neighbour,
//          fragment or maximum of one is known to another, even where their networks have the same
//          addresses, and lwIP's code is the one for a single interface.
// Rule:    whoever calls lwIP has entered its stack since anybody else may have run. Clockwork does
//          it for most; Engine checks it for every frame that lwIP sends.
// Cost:    a comparison where there is one stack. With several each change copies 32 KB, about a
//          microsecond, for all frames or calls that come one after another.

#pragma once

#include <cstddef>
#include <memory>

namespace net::lwip {

class Engine;

class Globals {
 public:
  // As lwIP's begin, and in place. Throws std::bad_alloc.
  explicit Globals(Engine& owner);
  // They must be in place, and all that they hold be freed.
  ~Globals();
  Globals(const Globals&) = delete;
  Globals& operator=(const Globals&) = delete;

  void enter() noexcept {
    if (in_place_ != this) change_places();
  }
  // Whose are in place; there must be some.
  [[nodiscard]] static Engine& owner() noexcept;

 private:
  void change_places() noexcept;

  static inline Globals* in_place_ = nullptr;
  static inline std::size_t count_ = 0;
  Engine& owner_;
  std::unique_ptr<std::byte[]> away_;  // where they are meanwhile; null as long as there is one set
};

}  // namespace net::lwip
