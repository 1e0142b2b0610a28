// SPDX-License-Identifier: ISC
// http/h2/batch.hpp: the frames of one write, of many streams: small ones side by side in a buffer,
// large bodies by reference.
//
// States:      Batch.   Used by: http/h2.   May include: base, net/flow.hpp.

#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "base/bytes.hpp"
#include "net/flow.hpp"

namespace http::h2 {

class Batch {
 public:
  // Two full TLS records; without memory for it, a frame's worth.
  static constexpr std::size_t buffer_bytes = std::size_t{32} * 1024;
  static constexpr std::size_t small_buffer_bytes = std::size_t{4} * 1024;
  // In all, bodies by reference included: what comes later may be more urgent.
  static constexpr std::size_t bytes_max = std::size_t{64} * 1024;

  // Without a buffer there is no room. False: there is no memory.
  [[nodiscard]] bool reserve() noexcept {
    if (memory_ != nullptr) return true;
    pieces_.reset(new (std::nothrow) net::Piece[pieces_max]);
    if (pieces_ == nullptr) return false;
    for (const std::size_t size : {buffer_bytes, small_buffer_bytes}) {
      memory_.reset(new (std::nothrow) std::byte[size]);
      room_ = size;
      if (memory_ != nullptr) return true;
    }
    release();
    return false;
  }
  // An idle connection has no use for it.
  void release() noexcept {
    pieces_.reset();
    memory_.reset();
    room_ = used_ = 0;
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return room_; }

  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }
  // Whether `copied` bytes more and a piece fit.
  [[nodiscard]] bool has_room(std::size_t copied) const noexcept {
    return bytes_ < bytes_max && count_ + 2 <= pieces_max && room_ - used_ >= copied;
  }
  // There is room for it.
  void copy(base::Bytes bytes) noexcept {
    std::memcpy(memory_.get() + used_, bytes.data(), bytes.size());
    const base::Bytes copied(memory_.get() + used_, bytes.size());
    used_ += bytes.size();
    bytes_ += bytes.size();
    if (count_ > 0 && ends_in_buffer_) {
      base::Bytes& last = pieces_[count_ - 1].bytes;
      last = {last.data(), last.size() + copied.size()};
    } else {
      pieces_[count_++] = {copied, false};
      ends_in_buffer_ = true;
    }
  }
  // `bytes` stand until the write is over, `lasting` as in net::Piece.
  void refer(base::Bytes bytes, bool lasting) noexcept {
    pieces_[count_++] = {bytes, lasting};
    bytes_ += bytes.size();
    ends_in_buffer_ = false;
  }

  [[nodiscard]] std::span<const net::Piece> pieces() const noexcept {
    return {pieces_.get(), count_};
  }
  void clear() noexcept { count_ = used_ = bytes_ = 0; }

 private:
  static constexpr std::size_t pieces_max = 20;

  std::unique_ptr<net::Piece[]> pieces_;
  std::unique_ptr<std::byte[]> memory_;
  std::size_t room_ = 0;
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
  bool ends_in_buffer_ = false;
};

}  // namespace http::h2
