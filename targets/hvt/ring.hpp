// SPDX-License-Identifier: ISC
// targets/hvt/ring.hpp: the guest's end of the network ring: many frames for one exit.
//
// States:  RingEnd.   Owns: room for the frames that are under way; the ring is the tender's.
// Method:  Frames to send are copied and put at once, and the tender is kicked for all of them
//          together, with as many reads as there is room for. A tender may serve the ring in a
//          thread of its own (Solo5's does): what it was asked for is waited for, awake.
// Source:  Solo5's hvt_ring.h.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "solo5/abi.hpp"

namespace hvt_target {

class RingEnd {
 public:
  RingEnd(solo5::Ring& shared, std::size_t frame_bytes_max);
  ~RingEnd();
  RingEnd(const RingEnd&) = delete;
  RingEnd& operator=(const RingEnd&) = delete;

  // Room for the next frame to send, of frame_bytes_max; waits for the tender to take one if need
  // be. Then `send` puts it.
  [[nodiscard]] std::byte* next_out();
  void send(const std::byte* frame, std::size_t bytes);
  [[nodiscard]] bool has_unkicked() const noexcept { return has_unkicked_; }

  // Asks for frames, and has those that were put sent.
  void exchange();
  // Whether frames of the last exchange have not been taken by `receive`.
  [[nodiscard]] bool has_frames() const noexcept { return next_in_ != end_in_; }
  // Whether the last exchange brought as many as were asked for.
  [[nodiscard]] bool may_have_more() const noexcept { return may_have_more_; }
  // The next of them, which stands until the next receive.
  std::optional<base::Bytes> receive();

 private:
  static constexpr std::uint32_t outs = 64;
  static constexpr std::uint32_t ins = 16;
  static constexpr std::uint32_t banks = 2;  // the frame that receive gave stays in the other

  void put(const solo5::RingEntry& entry);
  void kick();

  solo5::Ring& shared_;
  std::size_t frame_bytes_max_;
  std::unique_ptr<std::byte[]> room_;  // first those to send
  std::uint32_t entries_put_ = 0;
  std::uint32_t commits_taken_ = 0;
  bool has_unkicked_ = false;
  // What was sent with entries before this one has been taken, so long as entries_taken says so.
  std::uint32_t out_ends_[outs] = {};  // entries_put_ after the slot's last use
  std::uint32_t next_out_ = 0;
  std::uint32_t bank_ = 0;
  std::uint32_t sizes_[ins] = {};  // of the frames that came
  std::uint32_t next_in_ = 0;
  std::uint32_t end_in_ = 0;
  bool may_have_more_ = false;
};

}  // namespace hvt_target
