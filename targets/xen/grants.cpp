// SPDX-License-Identifier: ISC
#include "targets/xen/grants.hpp"

#include <atomic>
#include <cstring>

#include "base/check.hpp"
#include "targets/xen/abi.hpp"

namespace xen_target {

namespace {

constexpr std::size_t frame_bytes = 4096;
constexpr Grants::Reference references_per_frame = frame_bytes / sizeof(grant_entry_v1);

}  // namespace

grant_entry_v1& Grants::entry(Reference reference) const noexcept {
  CHECK(reference / references_per_frame < frames_.size());
  return frames_[reference / references_per_frame][reference % references_per_frame];
}

// The first references are for the console and xenstore, which the toolstack granted.
bool Grants::add_frame() {
  if (frames_.size() == frames_max) return false;
  const auto index = static_cast<unsigned>(frames_.size());
  auto* frame = static_cast<grant_entry_v1*>(host_.grant_frame(index));
  if (frame == nullptr) return false;
  frames_.push_back(frame);
  free_.reserve(frames_.size() * references_per_frame);  // free() takes no memory
  const Reference first = index * references_per_frame;
  const Reference reserved = index == 0 ? GNTTAB_NR_RESERVED_ENTRIES : 0;
  for (Reference i = references_per_frame; i > reserved; --i) free_.push_back(first + i - 1);
  return true;
}

std::optional<Grants::Reference> Grants::reserve() {
  if (free_.empty() && !add_frame()) return std::nullopt;
  const Reference reference = free_.back();
  free_.pop_back();
  return reference;
}

void Grants::free(Reference reference) {
  CHECK(entry(reference).flags == GTF_invalid);
  free_.push_back(reference);
}

void Grants::open(Reference reference, const void* at, Host::Domain domain,
                  Access access) noexcept {
  grant_entry_v1& to = entry(reference);
  to.domid = domain;
  to.frame = host_.frame_of(at);
  const unsigned flags = GTF_permit_access | (access == Access::read ? GTF_readonly : 0U);
  // The other domain must not see the flags before the rest.
  std::atomic_ref(to.flags).store(static_cast<std::uint16_t>(flags), std::memory_order_release);
}

bool Grants::is_used(Reference reference) const noexcept {
  return (std::atomic_ref(entry(reference).flags).load() & (GTF_reading | GTF_writing)) != 0;
}

bool Grants::close(Reference reference) noexcept {
  std::atomic_ref flags(entry(reference).flags);
  std::uint16_t was = flags.load();
  do {
    if ((was & (GTF_reading | GTF_writing)) != 0) return false;
  } while (!flags.compare_exchange_weak(was, GTF_invalid));
  return true;
}

void Grants::begin_again() {
  for (unsigned i = 0; i < frames_.size(); ++i) {
    CHECK(host_.grant_frame(i) == frames_[i]);
    const Reference first = i == 0 ? GNTTAB_NR_RESERVED_ENTRIES : 0;
    std::memset(frames_[i] + first, 0, frame_bytes - first * sizeof(grant_entry_v1));
  }
}

}  // namespace xen_target
