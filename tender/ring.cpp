// SPDX-License-Identifier: ISC
#include "tender/ring.hpp"

#include <cstring>

#include "base/check.hpp"

namespace tender {

RingEnd::RingEnd(base::MutableBytes shared) : shared_(shared) {
  CHECK(shared_.empty() || shared_.size() == sizeof(solo5::Ring));
  if (is_there()) put(offsetof(solo5::Ring, needs_kick), 1);
}

std::uint32_t RingEnd::guests_index(std::size_t offset) const {
  std::uint32_t out = 0;
  std::memcpy(&out, shared_.data() + offset, sizeof out);
  return out;
}

void RingEnd::put(std::size_t offset, std::uint32_t index) {
  std::memcpy(shared_.data() + offset, &index, sizeof index);
}

base::Result<std::uint32_t, std::string> RingEnd::waiting() const {
  const std::uint32_t count = guests_index(offsetof(solo5::Ring, entries_put)) - entries_taken_;
  if (count > solo5::ring_size) {
    return base::failure("the ring: it says that " + std::to_string(count) +
                         " entries wait, and there are 1024");
  }
  return count;
}

solo5::RingEntry RingEnd::take() {
  solo5::RingEntry out{};
  const std::size_t at =
      offsetof(solo5::Ring, entries) + sizeof out * (entries_taken_ % solo5::ring_size);
  std::memcpy(&out, shared_.data() + at, sizeof out);
  put(offsetof(solo5::Ring, entries_taken), ++entries_taken_);
  return out;
}

bool RingEnd::answer(std::uint32_t id, solo5::Answer answer, std::uint32_t bytes) {
  if (commits_put_ - guests_index(offsetof(solo5::Ring, commits_taken)) >= solo5::ring_size)
    return false;
  const solo5::RingCommit commit{id, answer, bytes, 0};
  const std::size_t at =
      offsetof(solo5::Ring, commits) + sizeof commit * (commits_put_ % solo5::ring_size);
  std::memcpy(shared_.data() + at, &commit, sizeof commit);
  put(offsetof(solo5::Ring, commits_put), ++commits_put_);
  return true;
}

}  // namespace tender
