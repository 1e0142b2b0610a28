// SPDX-License-Identifier: ISC
// tests/net/chance.hpp: the same chance for the same seed, on every machine.

#pragma once

#include <cstdint>

namespace net {

// SplitMix64 (Steele, Lea and Flood, 2014): std's distributions differ from library to library.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // From 0 to below `end`.
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  // True once in a hundred for 0.01.
  bool happens(double probability) {
    return static_cast<double>(next() >> 11U) < probability * 9007199254740992.0;
  }

 private:
  std::uint64_t state_;
};

}  // namespace net
