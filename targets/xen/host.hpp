// SPDX-License-Identifier: ISC
// targets/xen/host.hpp: what the protocols of this folder ask of Xen, so that tests can play it.
//
// States:  Host.   Models: hypervisor.cpp; tests/targets/xen.
// Used by: Grants, Xenstore, Frontend and all front ends: they know no hypercall and compile
//          anywhere.

#pragma once

#include <cstddef>
#include <cstdint>

namespace xen_target {

// What Xen counts memory in.
inline constexpr std::size_t page_bytes = 4096;

class Host {
 public:
  using Port = std::uint32_t;
  using Domain = std::uint16_t;

  virtual ~Host() = default;

  // Event channels. A port that `other` may bind; 0: there are no more.
  [[nodiscard]] virtual Port new_port(Domain other) = 0;
  virtual void close_port(Port port) noexcept = 0;
  virtual void notify(Port port) noexcept = 0;
  // Whether an event came since it was last asked.
  virtual bool take_event(Port port) noexcept = 0;
  // Sleeps until one comes, or now_ns() is `until_ns`.
  virtual void wait(Port port, std::uint64_t until_ns) noexcept = 0;
  [[nodiscard]] virtual std::uint64_t now_ns() noexcept = 0;

  // Grants. Page `index` of the table, which stays where it is; null: there are no more.
  [[nodiscard]] virtual void* grant_frame(unsigned index) = 0;
  // The number by which another domain knows the page that `at` lies in.
  [[nodiscard]] virtual std::uint32_t frame_of(const void* at) noexcept = 0;
};

}  // namespace xen_target
