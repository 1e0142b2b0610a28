// SPDX-License-Identifier: ISC
// targets/libos/disk.hpp: a disk whose driver sends requests, with memory of its own, and gets the
// answers later.
//
// Models:  block::BlockDevice, but for what a driver says: data_of, ask.   Owns: the places.
// States:  a call is cut into requests of at most request_bytes(), one after another; each goes
//          through the driver's memory, so the other side never has a caller's, and a call that is
//          abandoned may end while its request is under way.
// Order:   a call waits for a write to its sectors that was abandoned, or not answered in time, and
//          is still under way: the other side might do it last.
// Waits:   `patience` for a place, and again for each request's answer; then `unavailable`.
// Used by: targets/virtio/blk.hpp, targets/xen/blkfront.hpp.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/wipe.hpp"
#include "block/block.hpp"
#include "targets/libos/requests.hpp"

namespace libos {

class Disk {
 public:
  static constexpr base::Duration patience = std::chrono::seconds(30);

  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // BlockDevice.
  [[nodiscard]] block::Info info() const noexcept { return info_; }
  [[nodiscard]] base::Task<block::Result<void>> read(std::uint64_t sector, base::MutableBytes to);
  [[nodiscard]] base::Task<block::Result<void>> write(std::uint64_t sector, base::Bytes from);
  [[nodiscard]] base::Task<block::Result<void>> flush();
  // block::KeepsCopies. The memory of a call that is under way is left alone.
  void wipe_copies() noexcept {
    for (Requests::Number i = 0; i < requests_.count(); ++i) {
      if (requests_.is_free(i)) base::wipe(data_of(i));
    }
  }

 protected:
  enum class Kind : std::uint8_t { read, write, flush };
  struct Request {
    Kind kind = Kind::read;
    std::uint64_t unit = 0;  // the first
    std::uint32_t bytes = 0;
  };
  // Protocols count in these, whatever the device's sectors are.
  static constexpr std::uint32_t unit_bytes = 512;

  Disk(base::Loop& loop, std::size_t places)
      : loop_(loop), asked_(places), requests_(loop, places) {}
  ~Disk() = default;

  static base::Failure<block::Error> unavailable() {
    return base::failure(block::Error::unavailable);
  }
  // Before anybody calls: `info` is possible, and request_bytes are whole sectors.
  void begin(const block::Info& info, std::uint32_t request_bytes) noexcept {
    info_ = info;
    request_bytes_ = request_bytes;
  }
  // Whether flush has to ask.
  void set_has_cache(bool has_cache) noexcept { has_cache_ = has_cache; }
  [[nodiscard]] bool has_cache() const noexcept { return has_cache_; }
  [[nodiscard]] base::Loop& loop() const noexcept { return loop_; }
  [[nodiscard]] Requests& requests() noexcept { return requests_; }

  // A place's memory, request_bytes or more; empty: it has none now.
  [[nodiscard]] virtual base::MutableBytes data_of(Requests::Number number) noexcept = 0;
  // Sends it and waits for the answer: of a read, the place's memory has the data then.
  [[nodiscard]] virtual base::Task<block::Result<void>> ask(const Requests::Held& held,
                                                            Request request) = 0;

 private:
  // Asks when nothing that was abandoned is in the way.
  [[nodiscard]] base::Task<block::Result<void>> ask_in_order(const Requests::Held& held,
                                                             Request request);
  [[nodiscard]] bool is_in_the_way(const Request& request) const noexcept;

  base::Loop& loop_;
  block::Info info_;
  std::uint32_t request_bytes_ = 0;
  bool has_cache_ = false;
  std::vector<Request> asked_;  // by place, the last one
  Requests requests_;
};

inline bool Disk::is_in_the_way(const Request& request) const noexcept {
  for (Requests::Number i = 0; i < asked_.size(); ++i) {
    const Request& other = asked_[i];
    if (other.kind == Kind::write && requests_.is_abandoned(i) &&
        other.unit < request.unit + request.bytes / unit_bytes &&
        request.unit < other.unit + other.bytes / unit_bytes) {
      return true;
    }
  }
  return false;
}

inline base::Task<block::Result<void>> Disk::ask_in_order(const Requests::Held& held,
                                                          Request request) {
  const base::Instant deadline = loop_.now() + patience;
  while (is_in_the_way(request)) {
    if (loop_.now() >= deadline) co_return unavailable();
    co_await loop_.sleep_for(std::chrono::milliseconds(1));
  }
  asked_[held.number()] = request;
  const block::Result<void> result = co_await ask(held, request);
  co_return result;
}

inline base::Task<block::Result<void>> Disk::read(std::uint64_t sector, base::MutableBytes to) {
  if (!block::is_in_range(info_, sector, to.size())) {
    co_return base::failure(block::Error::out_of_range);
  }
  std::uint64_t unit = sector * (info_.sector_bytes / unit_bytes);
  while (!to.empty()) {
    const auto now = static_cast<std::uint32_t>(std::min<std::size_t>(to.size(), request_bytes_));
    const std::optional<Requests::Held> held = co_await requests_.place(loop_.now() + patience);
    if (!held || data_of(held->number()).empty()) co_return unavailable();
    const block::Result<void> result = co_await ask_in_order(*held, {Kind::read, unit, now});
    if (!result) co_return result;
    std::copy_n(data_of(held->number()).begin(), now, to.begin());
    to = to.subspan(now);
    unit += now / unit_bytes;
  }
  co_return block::Result<void>{};
}

inline base::Task<block::Result<void>> Disk::write(std::uint64_t sector, base::Bytes from) {
  if (info_.is_read_only) co_return base::failure(block::Error::read_only);
  if (!block::is_in_range(info_, sector, from.size())) {
    co_return base::failure(block::Error::out_of_range);
  }
  std::uint64_t unit = sector * (info_.sector_bytes / unit_bytes);
  while (!from.empty()) {
    const auto now = static_cast<std::uint32_t>(std::min<std::size_t>(from.size(), request_bytes_));
    const std::optional<Requests::Held> held = co_await requests_.place(loop_.now() + patience);
    if (!held || data_of(held->number()).empty()) co_return unavailable();
    std::copy_n(from.begin(), now, data_of(held->number()).begin());
    const block::Result<void> result = co_await ask_in_order(*held, {Kind::write, unit, now});
    if (!result) co_return result;
    from = from.subspan(now);
    unit += now / unit_bytes;
  }
  co_return block::Result<void>{};
}

inline base::Task<block::Result<void>> Disk::flush() {
  if (!has_cache_ || info_.is_read_only) co_return block::Result<void>{};
  const std::optional<Requests::Held> held = co_await requests_.place(loop_.now() + patience);
  if (!held) co_return unavailable();
  const block::Result<void> result = co_await ask(*held, {Kind::flush, 0, 0});
  co_return result;
}

}  // namespace libos
