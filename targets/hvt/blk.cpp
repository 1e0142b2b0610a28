// SPDX-License-Identifier: ISC
#include "targets/hvt/blk.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "targets/libos/once.hpp"

namespace hvt_target {

Blk::Blk(std::uint64_t handle, const solo5::BlockDetails& details, Ask ask)
    : handle_(handle),
      ask_(std::move(ask)),
      is_durable_((details.flags & solo5::block_is_durable) != 0) {
  info_.sector_bytes = details.block_bytes;
  info_.sector_count = details.block_bytes == 0 ? 0 : details.capacity_bytes / details.block_bytes;
  if (!block::is_possible(info_)) {
    throw std::runtime_error("the tender says that it has " +
                             std::to_string(details.capacity_bytes) + " bytes in blocks of " +
                             std::to_string(details.block_bytes) + "; it cannot be used");
  }
  request_bytes_ = request_bytes_max;
}

block::Result<void> Blk::transfer(solo5::Call number, std::uint64_t sector, std::uint64_t data,
                                  std::uint64_t bytes) {
  std::uint64_t offset = sector * info_.sector_bytes;
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t now = std::min<std::uint64_t>(bytes - done, request_bytes_);
    solo5::BlockTransfer call{handle_, offset + done, data + done, now, solo5::Answer::unspecified,
                              0};
    ask_(number, call);
    const solo5::Answer answer = libos::read_once(call.answer);
    if (answer == solo5::Answer::invalid && now > info_.sector_bytes) {
      request_bytes_ = info_.sector_bytes;
      continue;
    }
    if (answer != solo5::Answer::ok) return base::failure(block::Error::unavailable);
    done += now;
  }
  return {};
}

base::Ready<block::Result<void>> Blk::read(std::uint64_t sector, base::MutableBytes to) {
  if (!block::is_in_range(info_, sector, to.size())) {
    return {base::failure(block::Error::out_of_range)};
  }
  const auto data = reinterpret_cast<std::uint64_t>(to.data());
  return {transfer(solo5::Call::block_read, sector, data, to.size())};
}

base::Ready<block::Result<void>> Blk::write(std::uint64_t sector, base::Bytes from) {
  if (!block::is_in_range(info_, sector, from.size())) {
    return {base::failure(block::Error::out_of_range)};
  }
  const auto data = reinterpret_cast<std::uint64_t>(from.data());
  return {transfer(solo5::Call::block_write, sector, data, from.size())};
}

base::Ready<block::Result<void>> Blk::flush() const { return {{}}; }

}  // namespace hvt_target
