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

constexpr std::uint8_t status_ok = 0;
constexpr std::uint8_t status_unset = 0xff;
// Head, data, status.
constexpr std::uint16_t parts_max = 3;

[[noreturn]] void refuse(const std::string& why) {
  throw std::runtime_error("the block device " + why);
}

// VIRTIO_BLK_T_IN, _OUT, _FLUSH: by Kind.
constexpr std::array<std::uint32_t, 3> types = {0, 1, 4};

}  // namespace

Blk::Blk(std::unique_ptr<Transport> transport, base::Loop& loop)
    : Disk(loop, places_max), transport_(std::move(transport)), places_(places_max) {
  const std::uint64_t wanted = feature_size_max | feature_read_only | feature_sector_size |
                               feature_flush | feature_any_layout | feature_events |
                               feature_version_1;
  const std::uint64_t agreed = transport_->features() & wanted;
  transport_->agree(agreed);
  set_has_cache((agreed & feature_flush) != 0);
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
  block::Info info;
  if ((agreed & feature_sector_size) != 0) {
    info.sector_bytes = static_cast<std::uint32_t>(transport_->config_number(sector_size_at, 4));
  }
  info.is_read_only = (agreed & feature_read_only) != 0;
  const std::uint32_t units_each = info.sector_bytes / unit_bytes;
  info.sector_count = units_each == 0 ? 0 : units / units_each;
  if (!block::is_possible(info) || units > ~std::uint64_t{0} / unit_bytes) {
    refuse("says that it has " + std::to_string(units) + " units of 512 bytes, in sectors of " +
           std::to_string(info.sector_bytes) + "; it cannot be used");
  }
  if ((agreed & feature_size_max) != 0) {
    const auto most = static_cast<std::uint32_t>(transport_->config_number(size_max_at, 4));
    if (most < info.sector_bytes) refuse("takes less than a sector at once");
    request_bytes_ = std::min(request_bytes_, most / info.sector_bytes * info.sector_bytes);
  }
  Disk::begin(info, request_bytes_);
}

base::MutableBytes Blk::data_of(libos::Requests::Number number) noexcept {
  return {places_[number].data.get(), request_bytes_};
}

void Blk::submit(const libos::Requests::Held& held, const Request& request) {
  Place& place = places_[held.number()];
  place.head = {types.at(static_cast<std::size_t>(request.kind)), 0, request.unit};
  place.status = status_unset;
  std::array<Queue::Part, parts_max> parts;
  std::size_t count = 0;
  parts.at(count++) = {&place.head, sizeof place.head, false};
  if (request.bytes > 0) {
    parts.at(count++) = {place.data.get(), request.bytes, request.kind == Kind::read};
  }
  parts.at(count++) = {&place.status, sizeof place.status, true};
  const std::uint16_t head = queue_->offer({parts.data(), count});
  place_by_head_[head] = held.number();
  requests().begin(held);
  if (queue_->publish()) transport_->notify(0);
}

base::Task<block::Result<void>> Blk::ask(const libos::Requests::Held& held, Request request) {
  const base::Instant deadline = loop().now() + patience;
  // A device with a short queue has fewer requests at once than there are places.
  while (queue_->free_count() < parts_max) {
    if (loop().now() >= deadline) co_return unavailable();
    co_await loop().sleep_for(std::chrono::milliseconds(1));
  }
  submit(held, request);
  const bool has_come = co_await requests().answer(held, deadline);
  if (!has_come || libos::read_once(places_[held.number()].status) != status_ok) {
    co_return unavailable();
  }
  co_return block::Result<void>{};
}

bool Blk::poll() {
  static_cast<void>(transport_->took_interrupt());
  bool scheduled = false;
  while (const std::optional<Queue::Used> used = queue_->take()) {
    queue_->give_back(used->head);
    CHECK(requests().complete(place_by_head_[used->head]));
    scheduled = true;
  }
  return scheduled;
}

bool Blk::prepare_to_sleep() noexcept { return queue_->ask_for_interrupt(); }

}  // namespace virtio_target
