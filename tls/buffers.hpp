// SPDX-License-Identifier: ISC
// tls/buffers.hpp: the room that all flows of a stack share, and how pieces become records.
//
// States:  Buffers, Gather.   Used by: tls/over.hpp.   May include: base, net/pieces.hpp.
// Bounds:  a flow has a sending buffer only while it writes; buffers_kept_max of a size stay for
//          the next one. Large ones are few: beyond that a writer takes a small one.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "net/pieces.hpp"
#include "tls/session.hpp"

namespace tls {

class Buffers {
 public:
  static constexpr std::size_t record_room = Session::sealed_bytes(record_content_max);
  static constexpr std::size_t large_bytes = 4 * record_room;
  std::size_t large_max = 64;  // at once
  static constexpr std::size_t buffers_kept_max = 8;

  // Where content is decrypted to. One for all: by the laws of a flow it stands only until its
  // reader next waits.
  [[nodiscard]] base::MutableBytes scratch() noexcept { return scratch_; }

  Buffers() {
    kept_small_.reserve(buffers_kept_max);
    kept_large_.reserve(buffers_kept_max);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // A writer's room; it goes back when this ends, also if the writer's coroutine is destroyed.
  class Sending {
   public:
    Sending(Sending&&) noexcept = default;
    Sending& operator=(Sending&&) = delete;
    ~Sending() {
      if (bytes_) owner_.give(std::move(bytes_), size_);
    }
    [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

   private:
    friend class Buffers;
    Sending(Buffers& owner, std::unique_ptr<std::byte[]> bytes, std::size_t size) noexcept
        : owner_(owner), bytes_(std::move(bytes)), size_(size) {}
    Buffers& owner_;
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_;
  };

  // Room for at least one record; more for a writer who has more than one.
  [[nodiscard]] Sending take(std::size_t content_bytes) {
    const bool large = content_bytes > record_content_max && large_count_ < large_max;
    const std::size_t size = large ? large_bytes : record_room;
    Kept& kept = large ? kept_large_ : kept_small_;
    std::unique_ptr<std::byte[]> bytes;
    if (kept.empty()) {
      bytes = std::make_unique_for_overwrite<std::byte[]>(size);
    } else {
      bytes = std::move(kept.back());
      kept.pop_back();
    }
    large_count_ += large ? 1 : 0;
    return {*this, std::move(bytes), size};
  }

 private:
  using Kept = std::vector<std::unique_ptr<std::byte[]>>;

  void give(std::unique_ptr<std::byte[]> bytes, std::size_t size) noexcept {
    const bool large = size == large_bytes;
    Kept& kept = large ? kept_large_ : kept_small_;
    large_count_ -= large ? 1 : 0;
    if (kept.size() < buffers_kept_max) kept.push_back(std::move(bytes));
  }

  std::vector<std::byte> scratch_ = std::vector<std::byte>(Session::scratch_bytes);
  Kept kept_small_;
  Kept kept_large_;
  std::size_t large_count_ = 0;
};

// Cuts pieces into records: full ones while there is enough, small pieces together in one.
class Gather {
 public:
  explicit Gather(std::span<const net::Piece> pieces) : pieces_(pieces) {
    for (const net::Piece& piece : pieces) left_ += piece.bytes.size();
  }
  [[nodiscard]] std::size_t left() const noexcept { return left_; }

  // The next record's content, in place; the span stands until the next call.
  [[nodiscard]] std::span<const base::Bytes> next_record() {
    std::size_t room = record_content_max;
    std::size_t count = 0;
    while (room != 0 && left_ != 0 && count < record_.size()) {
      const base::Bytes piece = pieces_.first();
      const base::Bytes part = piece.first(std::min(room, piece.size()));
      record_[count++] = part;
      room -= part.size();
      left_ -= part.size();
      pieces_.advance(part.size());
    }
    return std::span(record_).first(count);
  }

 private:
  net::PiecesLeft pieces_;
  std::size_t left_ = 0;
  std::array<base::Bytes, Records::pieces_max> record_;
};

}  // namespace tls
