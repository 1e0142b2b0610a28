// SPDX-License-Identifier: ISC
// http/writer.hpp: text put together in a buffer of the caller's.
//
// May include: std.

#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace http {

// Appends until the buffer is full; what does not fit whole is left out, and `overflowed` says so.
class Writer {
 public:
  explicit Writer(std::span<char> out) noexcept
      : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

  void text(std::string_view part) noexcept {
    if (part.size() > room()) {
      overflowed_ = true;
      return;
    }
    if (part.empty()) return;  // memcpy takes no null, not even for no bytes
    std::memcpy(at_, part.data(), part.size());
    at_ += part.size();
  }
  void decimal(std::uint64_t value) noexcept {
    auto done = std::to_chars(at_, end_, value);
    if (done.ec != std::errc{}) {
      overflowed_ = true;
      return;
    }
    at_ = done.ptr;
  }

  // Takes back all but the first `size` bytes.
  void rewind(std::size_t size) noexcept {
    at_ = begin_ + size;
    overflowed_ = false;
  }

  [[nodiscard]] std::size_t room() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  [[nodiscard]] std::string_view written() const noexcept { return {begin_, size()}; }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  char* begin_;
  char* at_;
  char* end_;
  bool overflowed_ = false;
};

}  // namespace http
