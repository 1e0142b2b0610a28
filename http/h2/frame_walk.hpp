// SPDX-License-Identifier: ISC
// http/h2/frame_walk.hpp: where frames begin in what a client sends. nghttp2 does not report frames
// that it drops, and those have to be counted and judged too.
//
// States:      FrameHead, FrameWalk.   Used by: http/h2/session.
// Source:      RFC 9113 sections 3.4 and 4.1.
// May include: std, base/bytes.hpp.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace http::h2 {

struct FrameHead {
  std::uint8_t type;
  std::uint8_t flags;
  std::int32_t stream;
};

class FrameWalk {
 public:
  struct Step {
    base::Bytes bytes;              // up to the end of a frame, or as far as they came
    std::optional<FrameHead> head;  // which has come to its end in them
  };
  // The first part of `bytes`, which are not empty and follow what came before.
  [[nodiscard]] Step next(base::Bytes bytes) noexcept {
    Step step;
    std::size_t used = 0;
    if (payload_left_ == 0) {
      used = std::min(head_.size() - head_size_, bytes.size());
      std::copy_n(bytes.begin(), used, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
      head_size_ += used;
      if (head_size_ == head_.size()) step.head = parse();
    }
    const std::size_t payload = std::min(payload_left_, bytes.size() - used);
    payload_left_ -= payload;
    step.bytes = bytes.first(used + payload);
    return step;
  }

 private:
  FrameHead parse() noexcept {
    const auto byte = [this](std::size_t at) { return std::to_integer<std::uint32_t>(head_[at]); };
    head_size_ = 0;
    payload_left_ = byte(0) << 16U | byte(1) << 8U | byte(2);
    const std::uint32_t stream =
        (byte(5) & 0x7fU) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8);
    return {static_cast<std::uint8_t>(byte(3)), static_cast<std::uint8_t>(byte(4)),
            static_cast<std::int32_t>(stream)};
  }

  std::array<std::byte, 9> head_;
  std::size_t head_size_ = 0;
  std::size_t payload_left_ = 24;  // the client's preface comes first
};

}  // namespace http::h2
