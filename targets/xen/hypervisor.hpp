// SPDX-License-Identifier: ISC
// targets/xen/hypervisor.hpp: Xen itself, for who knows no hypercall.
//
// Models:  Host.   Owns: the pages of the grant table.

#pragma once

#include <array>

#include "targets/xen/grants.hpp"
#include "targets/xen/host.hpp"

namespace xen_target {

class Hypervisor final : public Host {
 public:
  Port new_port(Domain other) override;
  void close_port(Port port) noexcept override;
  void notify(Port port) noexcept override;
  bool take_event(Port port) noexcept override;
  void wait(Port port, std::uint64_t until_ns) noexcept override;
  std::uint64_t now_ns() noexcept override;
  void* grant_frame(unsigned index) override;
  std::uint32_t frame_of(const void* at) noexcept override;

 private:
  std::array<void*, Grants::frames_max> frames_{};
};

}  // namespace xen_target
