// SPDX-License-Identifier: ISC
// targets/xen/ring.hpp: our end of a ring of requests and responses that is shared with a backend.
//
// States:  FrontRing.   Used by: the .cpp files of front ends only, for it is made of Xen's types.
// Trust:   the page is the backend's to write at any time. Indices are read once and checked;
//          what is read is a copy; our own indices are never read back from the page.
// Source:  xen/io/ring.h (its macros trust the other end, and are not used).

#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "targets/libos/once.hpp"
#include "targets/xen/host.hpp"

namespace xen_target {

// `Shared` is one of Xen's struct ..._sring.
template <class Shared>
class FrontRing {
 public:
  using Entry = std::remove_reference_t<decltype(Shared::ring[0])>;
  using Request = decltype(Shared::ring->req);
  using Response = decltype(Shared::ring->rsp);
  // As many entries, a power of two, as fit a page behind the indices: 256 of a network device's,
  // 32 of a disk's.
  static constexpr std::uint32_t size =
      std::bit_floor<std::uint32_t>((page_bytes - offsetof(Shared, ring)) / sizeof(Entry));

  // An empty ring on a page of zeroes.
  void begin(void* page) noexcept {
    shared_ = static_cast<Shared*>(page);
    shared_->req_event = shared_->rsp_event = 1;
    requested_ = published_ = taken_ = 0;
  }

  [[nodiscard]] std::uint32_t in_flight() const noexcept { return requested_ - taken_; }
  [[nodiscard]] std::uint32_t room() const noexcept { return size - in_flight(); }
  // Where the next request and the next response stand.
  [[nodiscard]] std::uint32_t request_slot() const noexcept { return requested_ % size; }
  [[nodiscard]] std::uint32_t response_slot() const noexcept { return taken_ % size; }
  [[nodiscard]] std::uint32_t published() const noexcept { return published_; }
  [[nodiscard]] std::uint32_t requested() const noexcept { return requested_; }

  // `Form` is what the slot is read as: the request, or what stands in its place.
  template <class Form>
  void put(const Form& form) noexcept {
    static_assert(sizeof(Form) <= sizeof(Entry));
    std::memcpy(entry(requested_), &form, sizeof form);
    ++requested_;
  }
  // Lets the backend see them. True: it wants to be told.
  [[nodiscard]] bool publish() noexcept {
    if (published_ == requested_) return false;
    const std::uint32_t before = published_;
    published_ = requested_;
    index(shared_->req_prod).store(published_, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const std::uint32_t event = index(shared_->req_event).load(std::memory_order_relaxed);
    return published_ - event < published_ - before;
  }

  // Responses that are there; more than were asked for: the backend is broken.
  [[nodiscard]] std::uint32_t ready() const noexcept {
    return index(shared_->rsp_prod).load(std::memory_order_acquire) - taken_;
  }
  [[nodiscard]] bool is_sane(std::uint32_t ready_count) const noexcept {
    return ready_count <= published_ - taken_;
  }
  // A copy of the next one.
  [[nodiscard]] Response take() noexcept {
    const auto at = taken_++;
    return libos::read_once(*reinterpret_cast<const Response*>(entry(at)));
  }
  // Asks to be told when `count` more responses are there. True: they are.
  [[nodiscard]] bool ask_for(std::uint32_t count) noexcept {
    index(shared_->rsp_event).store(taken_ + count, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return ready() >= count;
  }
  // Not to be told of any that are published or are so next.
  void refuse_events() noexcept {
    index(shared_->rsp_event).store(requested_ + 1, std::memory_order_relaxed);
  }

 private:
  static std::atomic_ref<std::uint32_t> index(std::uint32_t& of) noexcept {
    return std::atomic_ref<std::uint32_t>(of);
  }
  [[nodiscard]] char* entry(std::uint32_t number) const noexcept {
    return reinterpret_cast<char*>(shared_) + offsetof(Shared, ring) +
           sizeof(Entry) * (number % size);
  }

  Shared* shared_ = nullptr;
  std::uint32_t requested_ = 0;  // put, and seen or not
  std::uint32_t published_ = 0;
  std::uint32_t taken_ = 0;
};

}  // namespace xen_target
