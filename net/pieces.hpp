// SPDX-License-Identifier: ISC
// net/pieces.hpp: what is left of the pieces of a write.
//
// States:  PiecesLeft.   Used by: net/sockets, net/lwip, tls.   May include: net/flow.hpp.

#pragma once

#include <cstddef>
#include <span>

#include "net/flow.hpp"

namespace net {

class PiecesLeft {
 public:
  explicit PiecesLeft(std::span<const Piece> pieces) noexcept : pieces_(pieces) { advance(0); }

  [[nodiscard]] bool is_empty() const noexcept { return pieces_.empty(); }
  // Whole, in order; the first of them has `offset()` bytes that are gone, and some that are left.
  [[nodiscard]] std::span<const Piece> pieces() const noexcept { return pieces_; }
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  // What is left of the first piece; not of nothing.
  [[nodiscard]] Bytes first() const noexcept { return pieces_.front().bytes.subspan(offset_); }

  void advance(std::size_t bytes) noexcept {
    offset_ += bytes;
    while (!pieces_.empty() && offset_ >= pieces_.front().bytes.size()) {
      offset_ -= pieces_.front().bytes.size();
      pieces_ = pieces_.subspan(1);
    }
  }

 private:
  std::span<const Piece> pieces_;
  std::size_t offset_ = 0;
};

}  // namespace net
