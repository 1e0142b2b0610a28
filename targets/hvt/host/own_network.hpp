// SPDX-License-Identifier: ISC
// targets/hvt/host/own_network.hpp: a bridge with one tap, which only this machine reaches: no
// routes elsewhere, no address translation.
//
// Owns:    both: the tap goes with its last descriptor, the bridge with this. A crunch that is
//          killed leaves its bridge; the next removes what is certainly such a one: it is called
//          br-crunchN, its alias is ours, nothing is on it, and there is no crunchN, the tap that
//          whoever uses it would hold.
// Addresses: the first free of 10.83.0.0/24, 10.83.1.0/24, ...: .1 is this machine, .2 the guest.
// Source:  linux/if_tun.h, linux/sockios.h, netdevice(7).

#pragma once

#include <string>

#include "crunch/files.hpp"

namespace host::hvt_target {

class OwnNetwork {
 public:
  // Takes root. A Failure says what could not be made.
  OwnNetwork();
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;

  [[nodiscard]] int tap_fd() const noexcept { return tap_.get(); }
  // After whoever needs the tap has it.
  void give_tap_away() noexcept { tap_ = crunch::Descriptor(); }
  [[nodiscard]] const std::string& bridge() const noexcept { return bridge_.name; }
  [[nodiscard]] std::string host() const { return network_ + "1"; }
  [[nodiscard]] std::string guest() const { return network_ + "2"; }

 private:
  struct Bridge {
    int socket = -1;
    unsigned index = 0;  // 0: not made yet
    std::string name;
    Bridge() = default;
    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;
    ~Bridge();
  };
  void make_bridge(const std::string& tap);

  crunch::Descriptor socket_;
  crunch::Descriptor tap_;
  Bridge bridge_;
  std::string network_;  // "10.83.0."
};

}  // namespace host::hvt_target
