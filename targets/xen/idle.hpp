// SPDX-License-Identifier: ISC
// targets/xen/idle.hpp: how a guest sleeps: SCHEDOP_poll, until an event or the deadline.
//
// Models:  base::Idle.

#pragma once

#include <functional>

#include "base/loop.hpp"
#include "targets/xen/netfront.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

class Idle final : public base::Idle {
 public:
  // `on_store` is called when xenstore has events, and when the network's backend has broken the
  // protocol.
  Idle(base::Clock& clock, Host& host, const Xenstore& store, std::function<void()> on_store)
      : clock_(clock), host_(host), store_(store), on_store_(std::move(on_store)) {}

  // Before the first turn.
  void serve(Netfront& device) noexcept { device_ = &device; }

  void sleep(base::Instant deadline) override;

 private:
  base::Clock& clock_;
  Host& host_;
  const Xenstore& store_;
  std::function<void()> on_store_;
  Netfront* device_ = nullptr;
};

}  // namespace xen_target
