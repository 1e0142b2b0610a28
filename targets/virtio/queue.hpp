// SPDX-License-Identifier: ISC
// targets/virtio/queue.hpp: a split virtqueue: where a driver and a device hand each other memory.
//
// Owns:    the rings, and which descriptors are free. Not the memory that descriptors point to.
// Shape:   offer chains of parts -> publish (is the device to be notified?) -> take what it used.
// States:  of a head: free -> in the ring (offer) -> the device's (publish) -> the driver's (take)
//          -> in the ring (offer_again), or free (give_back).
// Trust:   the device can write all of the rings at any time. Nothing that we wrote there is read
//          back: the free list, the lengths of chains and who has them are private. What the device
//          writes is read once, and a head that it does not have stops the machine.
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
  // Offers a chain again that was taken and not given back, as it is.
  void offer_again(std::uint16_t head) noexcept;
  // Shows the device what was offered; true: it wants to be notified.
  [[nodiscard]] bool publish() noexcept;

  // The next chain that the device is done with. It stays as it is until give_back or offer_again.
  // `bytes` is what the device says that it wrote: the caller compares it with what it offered.
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
  enum class Holder : std::uint8_t { nobody, ring, device, driver };
  // A descriptor and a place of the available ring, as only we see them.
  struct Private {
    std::uint16_t next = 0;          // in its chain, or in the free list
    std::uint16_t parts = 0;         // of the chain that begins here
    Holder holder = Holder::nobody;  // of that chain
    std::uint16_t offered = 0;       // the head in this place of the available ring
  };
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };

  // Words in the rings: flags and index, then the entries, then the other side's event.
  void set_available(std::size_t word, std::uint16_t value) const noexcept;
  void put_available(std::uint16_t head) noexcept;
  [[nodiscard]] std::uint16_t used_word(std::size_t word) const noexcept;
  [[nodiscard]] UsedEntry used_entry(std::uint16_t index) const noexcept;

  std::uint16_t size_;
  bool has_events_;
  std::size_t used_offset_;
  std::unique_ptr<std::byte[], Free> memory_;
  Descriptor* descriptors_;  // written, never read
  std::vector<Private> private_;
  std::uint16_t first_free_ = 0;
  std::uint16_t free_count_;
  std::uint16_t offered_ = 0;    // our index into the available ring
  std::uint16_t published_ = 0;  // the one that the device sees
  std::uint16_t taken_ = 0;      // our index into the used ring
};

}  // namespace virtio_target
