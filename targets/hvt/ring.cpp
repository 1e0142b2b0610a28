// SPDX-License-Identifier: ISC
#include "targets/hvt/ring.hpp"

#include <atomic>

#include "targets/hvt/hypercall.hpp"
#include "targets/hvt/notes.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/once.hpp"

namespace hvt_target {

namespace {

std::uint32_t load(std::uint32_t& from) noexcept {
  return std::atomic_ref(from).load(std::memory_order_acquire);
}
void store(std::uint32_t& to, std::uint32_t value) noexcept {
  std::atomic_ref(to).store(value, std::memory_order_release);
}
// Whether `index` is at `wanted` or behind it; indices wrap.
bool has_reached(std::uint32_t index, std::uint32_t wanted) noexcept {
  return static_cast<std::int32_t>(index - wanted) >= 0;
}

}  // namespace

RingEnd::RingEnd(solo5::Ring& shared, std::size_t frame_bytes_max)
    : shared_(shared),
      frame_bytes_max_(frame_bytes_max),
      room_(std::make_unique<std::byte[]>((outs + banks * ins) * frame_bytes_max)),
      entries_put_(load(shared.entries_put)),
      commits_taken_(load(shared.commits_put)) {}

// The last frames are to leave before the machine ends.
RingEnd::~RingEnd() {
  if (has_unkicked_) kick();
  while (load(shared_.entries_taken) != entries_put_) asm volatile("pause");
}

void RingEnd::put(const solo5::RingEntry& entry) {
  shared_.entries[entries_put_ % solo5::ring_size] = entry;
  store(shared_.entries_put, ++entries_put_);
  has_unkicked_ = true;
}

void RingEnd::kick() {
  has_unkicked_ = false;
  // The tender says that it will sleep before it looks at entries_put for the last time.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (load(shared_.needs_kick) != 0) libos::cpu::out32(solo5::ring_kick_port, 0);
}

std::byte* RingEnd::next_out() {
  if (!has_reached(load(shared_.entries_taken), out_ends_[next_out_])) kick();
  while (!has_reached(load(shared_.entries_taken), out_ends_[next_out_])) asm volatile("pause");
  return room_.get() + next_out_ * frame_bytes_max_;
}

void RingEnd::send(const std::byte* frame, std::size_t bytes) {
  put({solo5::RingOperation::net_write, static_cast<std::uint32_t>(service_handle),
       address_of(frame), static_cast<std::uint32_t>(bytes), entries_put_, 0});
  out_ends_[next_out_] = entries_put_;
  next_out_ = (next_out_ + 1) % outs;
}

void RingEnd::exchange() {
  std::byte* const to = room_.get() + (outs + bank_ * ins) * frame_bytes_max_;
  for (std::uint32_t i = 0; i < ins; ++i) {
    put({solo5::RingOperation::net_read, static_cast<std::uint32_t>(service_handle),
         address_of(to + i * frame_bytes_max_), static_cast<std::uint32_t>(frame_bytes_max_), i,
         0});
  }
  kick();
  next_in_ = end_in_ = 0;
  may_have_more_ = true;
  for (std::uint32_t i = 0; i < ins; ++i) {
    while (load(shared_.commits_put) == commits_taken_) asm volatile("pause");
    const auto commit = libos::read_once(shared_.commits[commits_taken_ % solo5::ring_size]);
    store(shared_.commits_taken, ++commits_taken_);
    const bool is_frame = commit.answer == solo5::Answer::ok && commit.bytes <= frame_bytes_max_;
    if (!is_frame) may_have_more_ = false;
    sizes_[i] = is_frame ? commit.bytes : 0;
    if (is_frame) end_in_ = i + 1;
  }
  if (has_frames()) bank_ = (bank_ + 1) % banks;
}

std::optional<base::Bytes> RingEnd::receive() {
  if (!has_frames()) return std::nullopt;
  const std::uint32_t filled = (bank_ + 1) % banks;
  const std::byte* const at = room_.get() + (outs + filled * ins + next_in_) * frame_bytes_max_;
  return base::Bytes(at, sizes_[next_in_++]);
}

}  // namespace hvt_target
