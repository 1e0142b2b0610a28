// SPDX-License-Identifier: ISC
// targets/xen/idle.hpp: how a guest sleeps: SCHEDOP_poll, until an event or the deadline.
//
// Models:  base::Idle.

#pragma once

#include <functional>

#include "base/loop.hpp"
#include "targets/xen/netfront.hpp"

namespace xen_target {

class Idle final : public base::Idle {
 public:
  // `on_store` is called after an event of xenstore's at `store_port`, and when the network's
  // backend has broken the protocol.
  Idle(base::Clock& clock, Host& host, std::function<void()> on_store)
      : clock_(clock), host_(host), on_store_(std::move(on_store)) {}

  // Before the first turn.
  void serve(Netfront& device) noexcept { device_ = &device; }
  void set_store_port(Host::Port port) noexcept { store_port_ = port; }

  void sleep(base::Instant deadline) override;

 private:
  base::Clock& clock_;
  Host& host_;
  std::function<void()> on_store_;
  Netfront* device_ = nullptr;
  Host::Port store_port_ = 0;
};

}  // namespace xen_target
