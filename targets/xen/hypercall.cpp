// SPDX-License-Identifier: ISC
#include "targets/xen/hypercall.hpp"

#include "targets/libos/cpu.hpp"
#include "targets/xen/abi.hpp"

extern "C" {
std::int64_t xen_hypercall(std::uint32_t number, const void* a, const void* b, const void* c);
extern char xen_hypercall_page[];
extern std::uint64_t xen_hypercall_count;
}

namespace xen_target::hypercall {

namespace {

namespace cpu = libos::cpu;

std::uint64_t notifications = 0;
std::uint64_t sleeps = 0;

// Commands are small numbers, handed over as addresses are.
std::int64_t call(std::uint32_t number, std::uint64_t command, const void* of) {
  return xen_hypercall(number, reinterpret_cast<const void*>(command), of, nullptr);
}

// Xen's first leaf, which stands behind those of other hypervisors that it plays; 0: no Xen.
std::uint32_t first_leaf() {
  constexpr std::uint32_t is_virtual = 1U << 31U;
  constexpr std::uint32_t step = 0x100;
  constexpr std::uint32_t end = XEN_CPUID_FIRST_LEAF + 0x10000;
  if ((cpu::cpuid(1).ecx & is_virtual) == 0) return 0;
  for (std::uint32_t leaf = XEN_CPUID_FIRST_LEAF; leaf < end; leaf += step) {
    const cpu::Cpuid name = cpu::cpuid(leaf);
    if (name.ebx == XEN_CPUID_SIGNATURE_EBX && name.ecx == XEN_CPUID_SIGNATURE_ECX &&
        name.edx == XEN_CPUID_SIGNATURE_EDX) {
      return leaf;
    }
  }
  return 0;
}

bool place(std::uint32_t space, std::uint32_t index, std::uint64_t at) {
  xen_add_to_physmap_t what{};
  what.domid = DOMID_SELF;
  what.space = space;
  what.idx = index;
  what.gpfn = at / page_bytes;
  return call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &what) == 0;
}

}  // namespace

bool begin() noexcept {
  const std::uint32_t leaf = first_leaf();
  if (leaf == 0) return false;
  const cpu::Cpuid page = cpu::cpuid(leaf + 2);
  if (page.eax == 0) return false;
  cpu::write_msr(page.ebx, reinterpret_cast<std::uint64_t>(xen_hypercall_page));
  return true;
}

Counts counts() noexcept { return {xen_hypercall_count, notifications, sleeps}; }

std::uint64_t parameter(std::uint32_t index) noexcept {
  xen_hvm_param_t what{};
  what.domid = DOMID_SELF;
  what.index = index;
  return call(__HYPERVISOR_hvm_op, HVMOP_get_param, &what) == 0 ? what.value : 0;
}

void set_parameter(std::uint32_t index, std::uint64_t value) noexcept {
  xen_hvm_param_t what{};
  what.domid = DOMID_SELF;
  what.index = index;
  what.value = value;
  static_cast<void>(call(__HYPERVISOR_hvm_op, HVMOP_set_param, &what));
}

bool place_shared_info(std::uint64_t at) noexcept { return place(XENMAPSPACE_shared_info, 0, at); }

bool place_grant_frame(std::uint32_t index, std::uint64_t at) noexcept {
  return place(XENMAPSPACE_grant_table, index, at);
}

Port new_port(Domain other) noexcept {
  evtchn_alloc_unbound_t what{};
  what.dom = DOMID_SELF;
  what.remote_dom = other;
  return call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &what) == 0 ? what.port : 0;
}

void close_port(Port port) noexcept {
  evtchn_close_t what{};
  what.port = port;
  static_cast<void>(call(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &what));
}

void notify(Port port) noexcept {
  ++notifications;
  evtchn_send_t what{};
  what.port = port;
  static_cast<void>(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &what));
}

void poll(const Port* ports, std::uint32_t count, std::uint64_t until_ns) noexcept {
  ++sleeps;
  sched_poll_t what{};
  set_xen_guest_handle(what.ports, const_cast<Port*>(ports));
  what.nr_ports = count;
  what.timeout = until_ns;
  static_cast<void>(call(__HYPERVISOR_sched_op, SCHEDOP_poll, &what));
}

int shut_down(Reason reason) noexcept {
  sched_shutdown_t what{};
  what.reason = static_cast<unsigned>(reason);
  return static_cast<int>(call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &what));
}

}  // namespace xen_target::hypercall
