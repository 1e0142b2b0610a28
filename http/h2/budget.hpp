// SPDX-License-Identifier: ISC
// http/h2/budget.hpp: the memory that HTTP/2 may take on one thread.
//
// States:      Budget, Allowance.   Used by: http/h2, http/common, a configuration.
// Why:         a session of nghttp2 is 25 KB, where an idle HTTP/1.1 connection is 200 bytes, and a
//              peer can make it grow. All of it, and all streams, are counted here; at the maximum
//              streams are refused, and new connections speak HTTP/1.1.
// May include: std.

#pragma once

#include <algorithm>
#include <cstddef>

namespace http::h2 {

class Budget {
 public:
  // One connection without streams: nghttp2's session, our own state, and room for its settings.
  static constexpr std::size_t session_bytes = std::size_t{30} * 1024;
  // Kept free of streams, for nghttp2: without memory for a frame it can only end the connection,
  // while a stream can be refused.
  static constexpr std::size_t reserve_bytes = std::size_t{24} * 1024;

  explicit Budget(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False: there is not so much left.
  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    if (bytes > bytes_max_ - bytes_) return false;
    bytes_ += bytes;
    return true;
  }
  void give(std::size_t bytes) noexcept { bytes_ -= bytes; }
  [[nodiscard]] std::size_t bytes_left() const noexcept { return bytes_max_ - bytes_; }

  // Whether one more connection may come, with `others` on their way.
  [[nodiscard]] bool has_room(std::size_t others = 0) const noexcept {
    return (bytes_max_ - bytes_) / session_bytes > others;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
};

// What one connection takes of it, with a maximum of its own: whatever a peer makes a session keep,
// it ends that connection before it is everybody's.
class Allowance {
 public:
  Allowance(Budget& budget, std::size_t bytes_max) noexcept
      : budget_(budget), bytes_max_(bytes_max) {}
  ~Allowance() { budget_.give(bytes_); }
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;

  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    if (bytes > bytes_max_ - bytes_ || !budget_.take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void give(std::size_t bytes) noexcept {
    bytes_ -= bytes;
    budget_.give(bytes);
  }
  [[nodiscard]] std::size_t bytes_left() const noexcept {
    return std::min(bytes_max_ - bytes_, budget_.bytes_left());
  }
  // For a stream: of what is beyond the reserve.
  [[nodiscard]] bool take_for_stream(std::size_t bytes) noexcept {
    return bytes_left() >= Budget::reserve_bytes + bytes && take(bytes);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  Budget& budget_;
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
};

}  // namespace http::h2
