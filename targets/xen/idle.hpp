// SPDX-License-Identifier: ISC
// targets/xen/idle.hpp: how a guest sleeps: SCHEDOP_poll, until an event or the deadline.
//
// Models:  base::Idle.

#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "targets/xen/vbds.hpp"
#include "targets/xen/vifs.hpp"
#include "targets/xen/xenstore.hpp"

namespace xen_target {

class Idle final : public base::Idle {
 public:
  // `on_store` is called when xenstore has events, and when a backend has broken the protocol.
  Idle(base::Clock& clock, Host& host, const Xenstore& store, std::function<void()> on_store)
      : clock_(clock), host_(host), store_(store), on_store_(std::move(on_store)) {}

  // Before the first turn.
  void serve(Vifs& vifs, Vbds& vbds) noexcept {
    vifs_ = &vifs;
    vbds_ = &vbds;
  }

  void sleep(base::Instant deadline) override;

 private:
  [[nodiscard]] bool poll();
  [[nodiscard]] bool prepare_to_sleep() noexcept;

  base::Clock& clock_;
  Host& host_;
  const Xenstore& store_;
  std::function<void()> on_store_;
  Vifs* vifs_ = nullptr;
  Vbds* vbds_ = nullptr;
  std::vector<Host::Port> ports_;
};

}  // namespace xen_target
