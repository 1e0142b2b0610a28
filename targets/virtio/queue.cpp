// SPDX-License-Identifier: ISC
#include "targets/virtio/queue.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.hpp"
#include "targets/libos/once.hpp"

namespace virtio_target {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::uint16_t flag_next = 1;
constexpr std::uint16_t flag_write = 2;
constexpr std::uint16_t no_interrupt = 1;
constexpr std::uint16_t no_notification = 1;
// Words of a ring before its entries.
constexpr std::size_t flags_word = 0;
constexpr std::size_t index_word = 1;
constexpr std::size_t entries_word = 2;
constexpr std::size_t used_entry_words = 4;  // of 16 bits

constexpr std::size_t round_up(std::size_t value) {
  return (value + page_bytes - 1) / page_bytes * page_bytes;
}

std::size_t used_offset(std::size_t size) {
  return round_up(16 * size + 2 * (entries_word + size + 1));
}

}  // namespace

void Queue::Free::operator()(std::byte* memory) const noexcept { std::free(memory); }

Queue::Queue(std::uint16_t size, bool has_events)
    : size_(size), has_events_(has_events), used_offset_(used_offset(size)), free_count_(size) {
  const std::size_t bytes =
      used_offset_ + round_up(2 * (entries_word + used_entry_words * size + 1));
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(page_bytes, bytes)));
  if (memory_ == nullptr) throw std::bad_alloc();
  std::memset(memory_.get(), 0, bytes);
  descriptors_ = reinterpret_cast<Descriptor*>(memory_.get());
  private_.resize(size);
  for (std::uint16_t i = 0; i < size; ++i) private_[i].next = static_cast<std::uint16_t>(i + 1);
  refuse_interrupts();
}

std::uint64_t Queue::descriptors_at() const noexcept {
  return reinterpret_cast<std::uint64_t>(memory_.get());
}
std::uint64_t Queue::available_at() const noexcept {
  return descriptors_at() + std::uint64_t{16} * size_;
}
std::uint64_t Queue::used_at() const noexcept { return descriptors_at() + used_offset_; }

void Queue::set_available(std::size_t word, std::uint16_t value) const noexcept {
  reinterpret_cast<volatile std::uint16_t*>(available_at())[word] = value;
}
std::uint16_t Queue::used_word(std::size_t word) const noexcept {
  return reinterpret_cast<const volatile std::uint16_t*>(used_at())[word];
}
Queue::UsedEntry Queue::used_entry(std::uint16_t index) const noexcept {
  const std::size_t word = entries_word + used_entry_words * (index % size_);
  return libos::read_once(*reinterpret_cast<const UsedEntry*>(used_at() + 2 * word));
}

std::uint16_t Queue::offer(std::span<const Part> parts) {
  CHECK(!parts.empty());
  CHECK(parts.size() <= free_count_);
  const std::uint16_t head = first_free_;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const std::uint16_t next = private_[first_free_].next;
    const unsigned write = part.is_for_device_to_write ? flag_write : 0U;
    const unsigned more = i + 1 < parts.size() ? flag_next : 0U;
    descriptors_[first_free_] = {reinterpret_cast<std::uint64_t>(part.at), part.bytes,
                                 static_cast<std::uint16_t>(more | write), next};
    first_free_ = next;
  }
  private_[head].parts = static_cast<std::uint16_t>(parts.size());
  free_count_ = static_cast<std::uint16_t>(free_count_ - parts.size());
  put_available(head);
  return head;
}

void Queue::offer_again(std::uint16_t head) noexcept {
  CHECK(private_[head].holder == Holder::driver);
  put_available(head);
}

void Queue::put_available(std::uint16_t head) noexcept {
  private_[head].holder = Holder::ring;
  private_[offered_ % size_].offered = head;
  set_available(entries_word + offered_ % size_, head);
  ++offered_;
}

bool Queue::publish() noexcept {
  if (published_ == offered_) return false;
  std::atomic_thread_fence(std::memory_order_release);
  const std::uint16_t before = published_;
  for (std::uint16_t i = before; i != offered_; ++i) {
    private_[private_[i % size_].offered].holder = Holder::device;
  }
  set_available(index_word, offered_);
  published_ = offered_;
  // What the device asks for is read after it can see what was offered.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!has_events_) return (used_word(flags_word) & no_notification) == 0;
  const std::uint16_t event = used_word(entries_word + used_entry_words * size_);
  return static_cast<std::uint16_t>(published_ - event - 1) <
         static_cast<std::uint16_t>(published_ - before);
}

bool Queue::has_used() const noexcept { return used_word(index_word) != taken_; }

std::optional<Queue::Used> Queue::take() {
  if (!has_used()) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);
  const UsedEntry entry = used_entry(taken_);
  ++taken_;
  CHECK(entry.head < size_);
  CHECK(private_[entry.head].holder == Holder::device);
  private_[entry.head].holder = Holder::driver;
  return Used{static_cast<std::uint16_t>(entry.head), entry.bytes};
}

void Queue::give_back(std::uint16_t head) noexcept {
  CHECK(private_[head].holder == Holder::driver);
  private_[head].holder = Holder::nobody;
  std::uint16_t last = head;
  for (unsigned i = 1; i < private_[head].parts; ++i) last = private_[last].next;
  private_[last].next = first_free_;
  first_free_ = head;
  free_count_ = static_cast<std::uint16_t>(free_count_ + private_[head].parts);
}

bool Queue::ask_for_interrupt() noexcept {
  set_available(flags_word, 0);
  set_available(entries_word + size_, taken_);  // the used event
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return !has_used();
}

void Queue::refuse_interrupts() noexcept {
  if (!has_events_) set_available(flags_word, no_interrupt);
}

}  // namespace virtio_target
