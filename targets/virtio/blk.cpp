// SPDX-License-Identifier: ISC
#include "targets/virtio/blk.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "targets/libos/once.hpp"

namespace virtio_target {

namespace {

constexpr std::uint64_t feature_size_max = 1U << 1U;
constexpr std::uint64_t feature_read_only = 1U << 5U;
constexpr std::uint64_t feature_sector_size = 1U << 6U;
constexpr std::uint64_t feature_flush = 1U << 9U;

// The protocol counts in these, whatever the device's sectors are.
constexpr std::uint32_t unit_bytes = 512;
constexpr std::uint8_t status_ok = 0;
constexpr std::uint8_t status_unset = 0xff;
// Head, data, status.
constexpr std::uint16_t parts_max = 3;

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error("the block device " + why);
}

base::Failure<block::Error> unavailable() { return base::failure(block::Error::unavailable); }

}  // namespace

Blk::Blk(std::unique_ptr<Transport> transport, base::Loop& loop)
    : transport_(std::move(transport)),
      loop_(loop),
      places_(places_max),
      requests_(loop, places_max) {
  const std::uint64_t wanted = feature_size_max | feature_read_only | feature_sector_size |
                               feature_flush | feature_any_layout | feature_events |
                               feature_version_1;
  const std::uint64_t agreed = transport_->features() & wanted;
  transport_->agree(agreed);
  has_cache_ = (agreed & feature_flush) != 0;
  read_config(agreed);
  constexpr auto size_wanted = static_cast<std::uint16_t>(std::bit_ceil(parts_max * places_max));
  const std::uint16_t offered = transport_->queue_size_max(0);
  if (offered < parts_max) refuse("has no room in its queue");
  const std::uint16_t size = std::bit_floor(std::min(offered, size_wanted));
  queue_ = std::make_unique<Queue>(size, (agreed & feature_events) != 0);
  place_by_head_.resize(size);
  for (Place& place : places_) place.data = std::make_unique<std::byte[]>(request_bytes_);
  transport_->add_queue(0, *queue_);
  transport_->begin();
}

Blk::~Blk() { transport_->reset(); }

// struct virtio_blk_config.
void Blk::read_config(std::uint64_t agreed) {
  constexpr unsigned capacity_at = 0;
  constexpr unsigned size_max_at = 8;
  constexpr unsigned sector_size_at = 20;
  const std::uint64_t units = transport_->config_number(capacity_at, 8);
  if ((agreed & feature_sector_size) != 0) {
    info_.sector_bytes = static_cast<std::uint32_t>(transport_->config_number(sector_size_at, 4));
  }
  info_.is_read_only = (agreed & feature_read_only) != 0;
  const std::uint32_t units_each = info_.sector_bytes / unit_bytes;
  info_.sector_count = units_each == 0 ? 0 : units / units_each;
  if (!block::is_possible(info_) || units > ~std::uint64_t{0} / unit_bytes) {
    refuse("says that it has " + std::to_string(units) + " units of 512 bytes, in sectors of " +
           std::to_string(info_.sector_bytes) + "; it cannot be used");
  }
  if ((agreed & feature_size_max) != 0) {
    const auto most = static_cast<std::uint32_t>(transport_->config_number(size_max_at, 4));
    if (most < info_.sector_bytes) refuse("takes less than a sector at once");
    request_bytes_ = std::min(request_bytes_, most / info_.sector_bytes * info_.sector_bytes);
  }
}

void Blk::submit(const libos::Requests::Held& held, Kind kind, std::uint64_t sector,
                 std::uint32_t bytes) {
  Place& place = places_[held.number()];
  place.head = {static_cast<std::uint32_t>(kind), 0, sector};
  place.status = status_unset;
  std::array<Queue::Part, parts_max> parts;
  std::size_t count = 0;
  parts.at(count++) = {&place.head, sizeof place.head, false};
  if (bytes > 0) parts.at(count++) = {place.data.get(), bytes, kind == Kind::read};
  parts.at(count++) = {&place.status, sizeof place.status, true};
  const std::uint16_t head = queue_->offer({parts.data(), count});
  place_by_head_[head] = held.number();
  requests_.begin(held);
  if (queue_->publish()) transport_->notify(0);
}

base::Task<block::Result<void>> Blk::ask(const libos::Requests::Held& held, Kind kind,
                                         std::uint64_t sector, std::uint32_t bytes) {
  const base::Instant deadline = loop_.now() + patience;
  // A device with a short queue has fewer requests at once than there are places.
  while (queue_->free_count() < parts_max) {
    if (loop_.now() >= deadline) co_return unavailable();
    co_await loop_.sleep_for(std::chrono::milliseconds(1));
  }
  submit(held, kind, sector, bytes);
  const bool has_come = co_await requests_.answer(held, deadline);
  if (!has_come || libos::read_once(places_[held.number()].status) != status_ok) {
    co_return unavailable();
  }
  co_return block::Result<void>{};
}

base::Task<block::Result<void>> Blk::read(std::uint64_t sector, base::MutableBytes to) {
  if (!block::is_in_range(info_, sector, to.size())) {
    co_return base::failure(block::Error::out_of_range);
  }
  std::uint64_t unit = sector * (info_.sector_bytes / unit_bytes);
  while (!to.empty()) {
    const auto now = static_cast<std::uint32_t>(std::min<std::size_t>(to.size(), request_bytes_));
    const libos::Requests::Held held = co_await requests_.place();
    const block::Result<void> result = co_await ask(held, Kind::read, unit, now);
    if (!result) co_return result;
    std::copy_n(places_[held.number()].data.get(), now, to.begin());
    to = to.subspan(now);
    unit += now / unit_bytes;
  }
  co_return block::Result<void>{};
}

base::Task<block::Result<void>> Blk::write(std::uint64_t sector, base::Bytes from) {
  if (info_.is_read_only) co_return base::failure(block::Error::read_only);
  if (!block::is_in_range(info_, sector, from.size())) {
    co_return base::failure(block::Error::out_of_range);
  }
  std::uint64_t unit = sector * (info_.sector_bytes / unit_bytes);
  while (!from.empty()) {
    const auto now = static_cast<std::uint32_t>(std::min<std::size_t>(from.size(), request_bytes_));
    const libos::Requests::Held held = co_await requests_.place();
    std::copy_n(from.begin(), now, places_[held.number()].data.get());
    const block::Result<void> result = co_await ask(held, Kind::write, unit, now);
    if (!result) co_return result;
    from = from.subspan(now);
    unit += now / unit_bytes;
  }
  co_return block::Result<void>{};
}

base::Task<block::Result<void>> Blk::flush() {
  if (!has_cache_ || info_.is_read_only) co_return block::Result<void>{};
  const libos::Requests::Held held = co_await requests_.place();
  const block::Result<void> result = co_await ask(held, Kind::flush, 0, 0);
  co_return result;
}

bool Blk::poll() {
  static_cast<void>(transport_->took_interrupt());
  bool scheduled = false;
  while (const std::optional<Queue::Used> used = queue_->take()) {
    queue_->give_back(used->head);
    CHECK(requests_.complete(place_by_head_[used->head]));
    scheduled = true;
  }
  return scheduled;
}

bool Blk::prepare_to_sleep() noexcept { return queue_->ask_for_interrupt(); }

}  // namespace virtio_target
