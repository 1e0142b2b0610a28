// SPDX-License-Identifier: ISC
// tender/ring.hpp: the tender's end of the network ring.
//
// States:  RingEnd.   Owns: the tender's indices: what stands in the ring is only said there.
// Rule:    the guest may be hostile, and writes to all of the ring: an index or entry is copied
//          before it is looked at, and nothing that this end wrote is read again. The ring is not
//          in what the guest's pointers reach (GuestMemory).
// Method:  the guest's only processor stands still meanwhile, so nothing runs beside it: the ring
//          is looked at when it is kicked, and always says that it needs that.

#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "solo5/abi.hpp"

namespace tender {

class RingEnd {
 public:
  // `shared`: the Ring's bytes, zeroed; none: there is no ring.
  explicit RingEnd(base::MutableBytes shared);

  [[nodiscard]] bool is_there() const noexcept { return !shared_.empty(); }

  // How many entries have been put since the last was taken; or why the guest is to be ended.
  [[nodiscard]] base::Result<std::uint32_t, std::string> waiting() const;
  // The next of them.
  [[nodiscard]] solo5::RingEntry take();
  // An answer to one that reads. False: the guest has left no room for it.
  [[nodiscard]] bool answer(std::uint32_t id, solo5::Answer answer, std::uint32_t bytes);

 private:
  [[nodiscard]] std::uint32_t guests_index(std::size_t offset) const;
  void put(std::size_t offset, std::uint32_t index);

  base::MutableBytes shared_;
  std::uint32_t entries_taken_ = 0;
  std::uint32_t commits_put_ = 0;
};

}  // namespace tender
