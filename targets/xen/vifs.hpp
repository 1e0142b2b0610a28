// SPDX-License-Identifier: ISC
// targets/xen/vifs.hpp: the network devices of a guest: the first, which is always used, and those
// that further stacks ask for.
//
// Owns:    them. One that is not asked for is never connected.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "config/machine.hpp"
#include "targets/xen/vif.hpp"

namespace xen_target {

class Vifs {
 public:
  using Device = Netfront;

  static constexpr const auto& device_key = config::device_key;

  // All must outlive it.
  Vifs(Host& host, Grants& grants, Xenstore& store, base::Log& log)
      : host_(host), grants_(grants), store_(store), log_(log) {}

  // Connects the first. Throws std::runtime_error, a sentence, when there is none or it will not
  // do.
  void begin();
  [[nodiscard]] Netfront& first() noexcept { return begun_.front()->device(); }
  // What the toolstack says of the first; see Vif.
  [[nodiscard]] std::string addresses() { return begun_.front()->addresses(); }
  // Connects a further one. A sentence when it is not there, will not do, or is in use; `key` gave
  // the number.
  base::Result<Netfront*, std::string> find(unsigned number, std::string_view key);
  [[nodiscard]] std::size_t count() const noexcept { return names_.size(); }
  [[nodiscard]] std::size_t used() const noexcept { return begun_.size(); }

  // After an event with Vif::token, and when is_broken().
  void look();
  // In a domain that was made anew.
  void begin_again();
  // Whether a backend has done what the protocol forbids, and still has rings of ours.
  [[nodiscard]] bool is_broken() const noexcept;

  // For who sleeps, as a Netfront's.
  void serve(base::Loop& loop) noexcept;
  bool poll();
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  // Behind those that are in `ports`, those of the devices that have one.
  void add_ports(std::vector<Host::Port>& ports) const;

  [[nodiscard]] Netfront::Counts counts() const noexcept;

 private:
  [[nodiscard]] bool is_used(const std::string& name) const noexcept;
  void connect(const std::string& name);

  Host& host_;
  Grants& grants_;
  Xenstore& store_;
  base::Log& log_;
  std::vector<std::string> names_;  // of all that there were at the start, in order
  std::vector<std::unique_ptr<Vif>> begun_;
  base::Loop* loop_ = nullptr;
};

}  // namespace xen_target
