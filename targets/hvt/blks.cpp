// SPDX-License-Identifier: ISC
#include "targets/hvt/blks.hpp"

#include <algorithm>

#include "config/machine.hpp"
#include "targets/hvt/hypercall.hpp"

namespace hvt_target {

base::Result<Blk*, std::string> Blks::find(unsigned number, std::string_view key) {
  const auto begin = [this](std::size_t index) -> Blk* {
    std::optional<Blk>& place = begun_.at(index);
    if (place) return nullptr;
    place.emplace(first_block_handle + index, from_.blocks[index],
                  [](solo5::Call call, solo5::BlockTransfer& transfer) { ask(call, transfer); });
    return &*place;
  };
  return config::find_device(key, number, from_.block_count,
                             "build it for as many; a tender attaches those of its manifest", begin,
                             config::disk_words);
}

void Blks::warn_if_not_durable(base::Log& log) const noexcept {
  if (std::ranges::all_of(begun_, [](const auto& one) { return !one || one->is_durable(); })) {
    return;
  }
  log.warning(
      {"this tender has no flush and does not say that its writes are durable: what is written to "
       "a block device may be lost when this host loses power; crunch's hvt-tender makes each "
       "write durable"});
}

}  // namespace hvt_target
