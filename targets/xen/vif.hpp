// SPDX-License-Identifier: ISC
// targets/xen/vif.hpp: how a network device is found and connected: what frontend and backend say
// to each other by xenstore.
//
// States:  Vif, one of them; Vifs (vifs.hpp) has all.
// Owns:    the Netfront, once `begin` has found a device.
// Life:    the backend waits (2) -> we write where our rings are and 4 -> it writes 4, and gets
//          what we have for it -> it goes (5, 6, or its folder is gone) -> the rings are taken
//          back, and we write 6 and, where it is to come again, 1 -> it waits (2) -> ... A backend
//          that broke the protocol is not asked to come again; when it waits anew it is taken.
// Source:  xen/io/netif.h, xen/io/xenbus.h.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "targets/xen/frontend.hpp"
#include "targets/xen/netfront.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

// The names of a guest's network devices, "0", in their order.
[[nodiscard]] std::vector<std::string> vif_names(Xenstore& store);

class Vif {
 public:
  // The token of its watches.
  static constexpr std::string_view token = "vif";

  // All must outlive it. `is_free` says of a device's name, "0", that no other Vif has it.
  Vif(
      Host& host, Grants& grants, Xenstore& store, base::Log& log,
      std::function<bool(const std::string&)> is_free = [](const std::string&) { return true; })
      : host_(host),
        grants_(grants),
        store_(store),
        log_(log),
        is_free_(std::move(is_free)),
        bus_(host, store, "device/vif", token) {}

  // Connects the device of that name; where there is none of it, the first that is free, which is
  // also what takes its place when it goes. Throws std::runtime_error, a sentence, when there is
  // none or it will not do.
  void begin(std::string_view name = {});
  [[nodiscard]] Netfront& device() noexcept { return *device_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // "192.0.2.2" or "192.0.2.2 2001:db8::2", as the toolstack says; empty: it says nothing.
  [[nodiscard]] std::string addresses();

  // After an event with our token, and when device().broken_by() says something.
  void look();
  // In a domain that was made anew.
  void begin_again();

 private:
  struct Features {
    bool scatters = false;
    net::Offload offload;
  };

  [[nodiscard]] bool find();
  [[nodiscard]] Features features();
  [[nodiscard]] bool connect(const Features& features);
  void disconnect();
  [[nodiscard]] bool reconnect();

  Host& host_;
  Grants& grants_;
  Xenstore& store_;
  base::Log& log_;
  std::function<bool(const std::string&)> is_free_;
  Frontend bus_;
  std::string name_;  // 0
  std::unique_ptr<Netfront> device_;
};

}  // namespace xen_target
