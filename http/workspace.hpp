// SPDX-License-Identifier: ISC
// http/workspace.hpp: the buffers of one request in progress, and a pool of them.
//
// Owns:  all memory that grows with what peers send: an idle connection has none of it, a busy one
//        exactly one workspace, whatever it sends and however slowly.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"
#include "http/options.hpp"
#include "http/parser.hpp"
#include "http/writer.hpp"
#include "net/flow.hpp"

namespace http {

struct Workspace {
  explicit Workspace(const Options& options);

  // `received` at first: ordinary heads, and the requests that follow.
  static constexpr std::size_t first_buffer_bytes = 8192;
  // Beyond a head, for a piece of a body.
  static constexpr std::size_t body_room_bytes = 4096;
  // Room for the head of any answer, and for answers that wait for others to be written with.
  static constexpr std::size_t head_room_bytes = location_bytes_max + 1024;
  static constexpr std::size_t out_bytes = std::size_t{12} * 1024;
  static_assert(head_room_bytes <= out_bytes);

  // Forgets the request; keeps the memory, but not a large buffer.
  void reset() noexcept;
  // Moves what is not used up to the front of `received`; views into it are void.
  void compact() noexcept;
  [[nodiscard]] std::string_view unread() const noexcept {
    return {received.data() + begin, end - begin};
  }

  std::unique_ptr<char[]> memory;
  std::unique_ptr<char[]> large;  // for `received`, instead of the front of `memory`
  std::span<char> received;       // bytes [begin, end) are not used up
  std::span<char> key;
  std::size_t begin = 0;
  std::size_t end = 0;
  Writer out;                          // what is not yet sent
  std::array<net::Piece, 2> pieces{};  // of the write that waits
  std::size_t answer_begin = 0;        // in `out`
  std::size_t body_begin = 0;          // in `received`, while a body is read
  HeadParser parser;
  BodyParser body;
  Exchange exchange;
  std::unique_ptr<site::Visit> visit;  // of a site with rules, until the head is written
};

class WorkspacePool {
 public:
  explicit WorkspacePool(const Options& options) : options_(options) {}
  // Null: no memory.
  [[nodiscard]] std::unique_ptr<Workspace> take() noexcept;
  void give(std::unique_ptr<Workspace> workspace) noexcept;
  // Makes `received` as large as any head with a piece of its body needs; otherwise as `compact`.
  // False: it was so already, there is no memory, or large_max() are so large.
  [[nodiscard]] bool grow(Workspace& workspace) noexcept;

  // An eighth of Options::requests_max, at least two: what config/memory.hpp counts.
  [[nodiscard]] std::size_t large_max() const noexcept {
    return std::max<std::size_t>(options_.requests_max / 8, 2);
  }

  // Kept for reuse, and an eighth of Options::requests_max at most; more are freed, so that a burst
  // does not hold its memory for ever.
  static constexpr std::size_t kept_max = 64;

 private:
  [[nodiscard]] std::size_t kept() const noexcept {
    return std::min(kept_max, options_.requests_max / 8);
  }
  const Options& options_;
  std::vector<std::unique_ptr<Workspace>> free_;
  std::size_t large_count_ = 0;
};

}  // namespace http
