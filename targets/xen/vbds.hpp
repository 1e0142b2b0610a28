// SPDX-License-Identifier: ISC
// targets/xen/vbds.hpp: the disks of a guest, connected when something asks for one.
//
// Owns:    them. One that nothing asks for is never connected.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "targets/xen/vbd.hpp"

namespace xen_target {

class Vbds {
 public:
  using Device = Blkfront;

  // All must outlive it.
  Vbds(Host& host, Grants& grants, Xenstore& store, base::Log& log)
      : host_(host), grants_(grants), store_(store), log_(log) {}

  // Connects the device of this number, the first being 1: in the order of xenstore's numbers,
  // which is that of vdev=xvda, xvdb. A sentence when it is not there, will not do, or is in use;
  // `key` gave the number.
  base::Result<Blkfront*, std::string> find(unsigned number, std::string_view key);

  // After an event with Vbd::token, and when is_broken().
  void look();
  // In a domain that was made anew.
  void begin_again();
  // Whether a backend has done what the protocol forbids, and still has a ring of ours.
  [[nodiscard]] bool is_broken() const noexcept;

  // For who sleeps, as a Blkfront's. The loop that runs those who wait for a disk.
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }
  bool poll();
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  // Behind those that are in `ports`, those of the disks that have one.
  void add_ports(std::vector<Host::Port>& ports) const;

 private:
  struct Begun {
    std::size_t index;
    std::unique_ptr<Vbd> vbd;
  };

  Host& host_;
  Grants& grants_;
  Xenstore& store_;
  base::Log& log_;
  std::vector<std::string> names_;  // of all that there were when the first was asked for, in order
  std::vector<Begun> begun_;
  base::Loop* loop_ = nullptr;
};

}  // namespace xen_target
