// SPDX-License-Identifier: ISC
// targets/xen/vbd.hpp: how a disk is found and connected: what frontend and backend say to each
// other by xenstore.
//
// States:  Vbd, one of them; Vbds (vbds.hpp) has all.
// Owns:    the Blkfront, once `begin` has found a device.
// Life:    the backend waits (2) -> we write where our ring is and 3 -> it says what its disk is,
//          and 4 -> we write 4, and send what is under way -> it goes (5, 6, or its folder is gone)
//          -> the ring is taken back, and we write 6 and, where it is to come again, 1 -> it waits
//          (2) -> ... A disk that has another size, then or while it is connected, is not used.
// Source:  xen/io/blkif.h, xen/io/xenbus.h.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "targets/xen/blkfront.hpp"
#include "targets/xen/frontend.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

class Vbd {
 public:
  static constexpr std::string_view devices = "device/vbd";
  // The token of its watches.
  static constexpr std::string_view token = "vbd";

  // All must outlive it.
  Vbd(Host& host, Grants& grants, Xenstore& store, base::Log& log)
      : host_(host), grants_(grants), log_(log), bus_(host, store, devices, token) {}

  // Connects the device of that name; `loop` runs those who wait for it. Throws
  // std::runtime_error, a sentence, when it will not do.
  void begin(std::string_view name, base::Loop& loop);
  [[nodiscard]] Blkfront& device() noexcept { return *device_; }
  [[nodiscard]] const Blkfront& device() const noexcept { return *device_; }

  // After an event with our token, and when device().broken_by() says something.
  void look();
  // In a domain that was made anew.
  void begin_again();

 private:
  [[nodiscard]] bool connect();
  [[nodiscard]] Blkfront::Facts facts();
  // The disk's first facts, when the backend is connected.
  void begin_disk();
  // The backend is connected, again or still: its disk is as it was, or the device breaks.
  void look_at_disk();
  void disconnect();
  void take_back(bool broken);

  Host& host_;
  Grants& grants_;
  base::Log& log_;
  Frontend bus_;
  std::string name_;  // 51712
  std::unique_ptr<Blkfront> device_;
};

}  // namespace xen_target
