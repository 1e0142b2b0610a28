// SPDX-License-Identifier: ISC
#include "targets/xen/vbd.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "targets/xen/abi.hpp"

namespace xen_target {

namespace {

// Pages that backends may keep for good, of all their lives.
constexpr std::size_t left_max = 1024;
constexpr std::uint32_t unit_bytes = 512;

std::uint16_t handle_of(std::string_view name) {
  unsigned number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return static_cast<std::uint16_t>(number);
}

}  // namespace

Blkfront::Facts Vbd::facts() {
  Blkfront::Facts its;
  const std::uint64_t units = bus_.backend_number("sectors", 0);
  const std::uint64_t bytes = bus_.backend_number("sector-size", 0);
  // What does not fit is nothing that can be used.
  its.info.sector_bytes = bytes > block::sector_bytes_max ? 0 : static_cast<std::uint32_t>(bytes);
  const std::uint64_t units_each = its.info.sector_bytes / unit_bytes;
  its.info.sector_count =
      units_each == 0 || units > ~std::uint64_t{0} / unit_bytes ? 0 : units / units_each;
  its.info.is_read_only = (bus_.backend_number("info", 0) & VDISK_READONLY) != 0;
  its.flushes = bus_.backend_number("feature-flush-cache", 0) != 0;
  return its;
}

bool Vbd::connect() {
  const std::optional<Blkfront::Connection> made = device_->open(bus_.domain());
  if (!made) return false;
  const std::pair<const char*, std::string> keys[] = {
      {"ring-ref", std::to_string(made->ring)},
      {"event-channel", std::to_string(made->port)},
      {"protocol", XEN_IO_PROTO_ABI_NATIVE},
      {"feature-persistent", "1"},
      {"state", std::to_string(XenbusStateInitialised)},
  };
  for (const auto& [key, value] : keys) {
    if (!bus_.put(key, value)) {
      device_->close();
      return false;
    }
  }
  return true;
}

void Vbd::begin(std::string_view name, base::Loop& loop) {
  name_ = name;
  bus_.begin();
  if (!bus_.find(name_)) throw std::runtime_error(bus_.path() + " has no backend");
  bus_.wait_for_backend(XenbusStateInitWait, "does not wait for us");
  auto device =
      std::make_unique<Blkfront>(host_, grants_, loop, log_, bus_.path(), handle_of(name_));
  device_ = std::move(device);
  try {
    if (!connect()) {
      throw std::runtime_error("xenstore did not take what was written to " + bus_.path());
    }
    bus_.wait_for_backend(XenbusStateConnected, "does not connect");
    begin_disk();
  } catch (const std::runtime_error&) {
    if (device_->is_open()) take_back(true);
    throw;
  }
}

void Vbd::begin_disk() {
  const Blkfront::Facts its = facts();
  if (!Blkfront::is_usable(its.info)) {
    throw std::runtime_error(
        "the backend of " + bus_.path() + " says that its disk has " +
        std::to_string(bus_.backend_number("sectors", 0)) + " units of 512 bytes, in sectors of " +
        std::to_string(bus_.backend_number("sector-size", 0)) + "; it cannot be used");
  }
  bus_.say_state(XenbusStateConnected);
  device_->be_heard(its);
}

void Vbd::look_at_disk() {
  const Blkfront::Facts its = facts();
  if (its.info != device_->info()) {
    device_->break_off("its disk has another size, or can be written no more");
    return;
  }
  if (device_->is_heard()) return;
  bus_.say_state(XenbusStateConnected);
  device_->be_heard(its);
  log_.info({"disk ", bus_.path(), ": connected again"});
}

void Vbd::disconnect() {
  const bool broken = !device_->broken_by().empty();
  log_.warning({"disk ", bus_.path(), ": the backend ",
                broken ? "is not used any more: " : "goes away", device_->broken_by()});
  take_back(broken);
}

void Vbd::take_back(bool broken) {
  bus_.disconnect([this] { return device_->is_let_go(); }, [this] { device_->close(); }, broken);
}

void Vbd::look() {
  if (device_ == nullptr) return;
  if (device_->is_open()) {
    const std::uint64_t state = bus_.backend_state();
    const bool is_going = state == 0 || state >= XenbusStateClosing;
    if (!is_going && state == XenbusStateConnected) look_at_disk();
    if (is_going || !device_->broken_by().empty()) disconnect();
    if (device_->is_open()) return;
  }
  if (!bus_.find(name_) || bus_.backend_state() != XenbusStateInitWait) return;
  if (device_->left_count() > left_max) {
    log_.error({"disk ", bus_.path(),
                ": backends keep too many pages of this guest; no other one is taken"});
  } else if (!connect()) {
    log_.error({"disk ", bus_.path(), ": the backend that came could not be connected"});
  }
}

void Vbd::begin_again() {
  device_->forget();
  bus_.begin();
  if (!bus_.find(name_)) log_.warning({"disk ", bus_.path(), ": there is no such device here"});
  look();
}

}  // namespace xen_target
