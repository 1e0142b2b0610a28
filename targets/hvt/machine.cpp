// SPDX-License-Identifier: ISC
#include "targets/hvt/machine.hpp"

#include "targets/hvt/hypercall.hpp"
#include "targets/hvt/notes.hpp"
#include "targets/libos/cpu.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/report.hpp"

namespace hvt_target {

namespace {

namespace cpu = libos::cpu;

BootInfo found;

void copy_devices(const solo5::BootInfo& info) {
  const auto* header = reinterpret_cast<const solo5::ManifestHeader*>(info.manifest);
  if (header == nullptr || header->count <= service_handle) return;
  const auto* entries = reinterpret_cast<const solo5::ManifestEntry*>(header + 1);
  while (found.block_count < blocks_max) {
    const std::uint64_t handle = first_block_handle + found.block_count;
    if (handle >= header->count || entries[handle].type != solo5::DeviceType::block) break;
    if (entries[handle].attached == 0) break;
    cpu::copy(&found.blocks[found.block_count++], &entries[handle].block,
              sizeof(solo5::BlockDetails));
  }
  const solo5::ManifestEntry& service = entries[service_handle];
  if (service.attached == 0 || service.type != solo5::DeviceType::net) return;
  found.has_network = true;
  cpu::copy(found.mac, service.net.mac, sizeof service.net.mac);
  found.mtu_bytes = service.net.mtu_bytes;
}

// Tenders up to 0.10 say nothing of a ring: what they say ends before, and other things follow.
void take_ring(const solo5::BootInfo& info) {
  const std::uint64_t end = hvt_target::address_of(&info + 1);
  if (info.command_line < end || info.manifest < end) return;
  if ((info.host_features & solo5::feature_ring) == 0 || info.net_ring == 0) return;
  found.ring = reinterpret_cast<solo5::Ring*>(info.net_ring);
  // It need not lie in the guest's memory.
  libos::Boot& boot = libos::boot();
  boot.shared[boot.shared_count++] = {
      info.net_ring / libos::pages::page_bytes * libos::pages::page_bytes,
      libos::pages::round_up(info.net_ring + sizeof(solo5::Ring))};
}

// What a tender leaves to the guest: system calls, pages without execution, vector instructions.
void set_processor() {
  constexpr std::uint32_t leaf = 0x80000001;
  constexpr std::uint32_t has_nx = 1U << 20U;
  if ((cpu::cpuid(leaf).edx & has_nx) == 0) {
    libos::refuse({"this processor cannot forbid execution of data (NX), which the image needs"});
  }
  constexpr std::uint32_t efer = 0xc0000080;
  constexpr std::uint64_t system_calls_and_nx = 0x801;
  cpu::write_msr(efer, cpu::read_msr(efer) | system_calls_and_nx);
  std::uint64_t cr0 = 0;
  asm volatile("mov %%cr0, %0" : "=r"(cr0));
  cr0 &= ~std::uint64_t{0xc};  // not TS, EM
  cr0 |= 0x10022;              // WP, NE, MP
  asm volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

}  // namespace

const BootInfo& boot_info() noexcept { return found; }

extern "C" [[noreturn]] void hvt_start(const solo5::BootInfo* info) {
  set_processor();
  libos::Boot& boot = libos::boot();
  // A tender takes no buffer that ends where memory ends: the last page stays unused.
  boot.memory[0].end = info->memory_bytes - libos::pages::page_bytes;
  boot.memory_count = 1;
  libos::take_command_line(reinterpret_cast<const char*>(info->command_line));
  found.tsc_hz = info->tsc_hz;
  copy_devices(*info);
  take_ring(*info);
  libos::start();
}

}  // namespace hvt_target

namespace libos::machine {

const char* name() noexcept { return "image"; }

void begin() noexcept {}

// A tender takes all of it; what its own output does not take, the tender drops and counts.
bool console(const char* text, std::size_t bytes) noexcept {
  solo5::Puts call{hvt_target::address_of(text), bytes};
  hvt_target::ask(solo5::Call::puts, call);
  return true;
}

void stop(int status) noexcept {
  solo5::Halt call{0, status, 0};
  hvt_target::ask(solo5::Call::halt, call);
  cpu::halt();
}

std::uint64_t tsc_hz() noexcept {
  const std::uint64_t hz = hvt_target::boot_info().tsc_hz;
  if (hz == 0) refuse({"the tender does not say how fast the time stamp counter counts"});
  return hz;
}

std::uint64_t wall_ns() noexcept {
  solo5::Walltime call{};
  hvt_target::ask(solo5::Call::walltime, call);
  return call.ns;
}

// A tender has none to give.
void interrupt(unsigned /*vector*/) noexcept {}

bool takes_word(const char* /*word*/) noexcept { return false; }

}  // namespace libos::machine
