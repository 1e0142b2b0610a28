// SPDX-License-Identifier: ISC
// targets/virtio/queue.hpp: a split virtqueue: where a driver and a device hand each other memory.
//
// Owns:    the rings, and which descriptors are free. Not the memory that descriptors point to.
// Shape:   offer chains of parts -> publish (is the device to be notified?) -> take what it used.
// Rule:    what the device writes is checked before it is an index.
// Source:  Virtual I/O Device (VIRTIO) 1.2, section 2.7.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace virtio_target {

class Queue {
 public:
  // `size`: a power of two, at most what the device allows. `has_events`: VIRTIO_F_EVENT_IDX is
  // agreed on.
  Queue(std::uint16_t size, bool has_events);

  struct Part {
    const void* at = nullptr;
    std::uint32_t bytes = 0;
    bool is_for_device_to_write = false;
  };
  struct Used {
    std::uint16_t head = 0;
    std::uint32_t bytes = 0;
  };

  // Addresses for the device. The three lie as devices older than virtio 1 want them, too.
  [[nodiscard]] std::uint64_t descriptors_at() const noexcept;
  [[nodiscard]] std::uint64_t available_at() const noexcept;
  [[nodiscard]] std::uint64_t used_at() const noexcept;

  [[nodiscard]] std::uint16_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint16_t free_count() const noexcept { return free_count_; }

  // The head that the next chain will have.
  [[nodiscard]] std::uint16_t next_head() const noexcept { return first_free_; }
  // Offers a chain of at most free_count() parts; the first's index. Not seen before publish().
  std::uint16_t offer(std::span<const Part> parts);
  // Offers a chain again that was taken and not given back.
  void offer_again(std::uint16_t head) noexcept;
  // Shows the device what was offered; true: it wants to be notified.
  [[nodiscard]] bool publish() noexcept;

  // The next chain that the device is done with. It stays as it is until give_back or offer_again.
  std::optional<Used> take();
  void give_back(std::uint16_t head) noexcept;
  [[nodiscard]] bool has_used() const noexcept;

  // Asks for an interrupt at the next chain that is used. False: there is one already.
  [[nodiscard]] bool ask_for_interrupt() noexcept;
  // No more of them. (Where events are agreed on, each is asked for anyway.)
  void refuse_interrupts() noexcept;

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t flags, next;
  };
  static_assert(sizeof(Descriptor) == 16);
  struct UsedEntry {
    std::uint32_t head, bytes;
  };
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };

  // Words in the rings: flags and index, then the entries, then the other side's event.
  [[nodiscard]] std::uint16_t& available(std::size_t word) const noexcept;
  [[nodiscard]] std::uint16_t used_word(std::size_t word) const noexcept;
  [[nodiscard]] UsedEntry used_entry(std::uint16_t index) const noexcept;

  std::uint16_t size_;
  bool has_events_;
  std::size_t used_offset_;
  std::unique_ptr<std::byte[], Free> memory_;
  Descriptor* descriptors_;
  std::uint16_t first_free_ = 0;
  std::uint16_t free_count_;
  std::uint16_t offered_ = 0;    // our index into the available ring
  std::uint16_t published_ = 0;  // the one that the device sees
  std::uint16_t taken_ = 0;      // our index into the used ring
};

}  // namespace virtio_target
