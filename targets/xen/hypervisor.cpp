// SPDX-License-Identifier: ISC
#include "targets/xen/hypervisor.hpp"

#include <new>

#include "targets/xen/hypercall.hpp"
#include "targets/xen/shared.hpp"

namespace xen_target {

Host::Port Hypervisor::new_port(Domain other) { return hypercall::new_port(other); }

void Hypervisor::close_port(Port port) noexcept { hypercall::close_port(port); }

void Hypervisor::notify(Port port) noexcept { hypercall::notify(port); }

bool Hypervisor::take_event(Port port) noexcept { return shared::take_event(port); }

void Hypervisor::wait(Port port, std::uint64_t until_ns) noexcept {
  hypercall::poll(&port, 1, until_ns);
}

std::uint64_t Hypervisor::now_ns() noexcept { return shared::system_ns(); }

void* Hypervisor::grant_frame(unsigned index) {
  void*& frame = frames_.at(index);
  // The table's page takes the place of one of ours.
  if (frame == nullptr) frame = ::operator new (page_bytes, std::align_val_t{page_bytes});
  return hypercall::place_grant_frame(index, reinterpret_cast<std::uint64_t>(frame)) ? frame
                                                                                     : nullptr;
}

// Memory is mapped as it is.
std::uint32_t Hypervisor::frame_of(const void* at) noexcept {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uint64_t>(at) / page_bytes);
}

}  // namespace xen_target
