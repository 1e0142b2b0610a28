// SPDX-License-Identifier: ISC
#include "tender/vm.hpp"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "tender/layout.hpp"

namespace tender {

namespace {

using base::Descriptor;

constexpr const char* device_path = "/dev/kvm";

// struct kvm_cpuid2 has a flexible array, with which C++ computes another size, and so other
// numbers for its two ioctls.
struct Cpuid {
  static constexpr std::uint32_t entries_max = 256;
  std::uint32_t count = entries_max, padding = 0;
  kvm_cpuid_entry2 entries[entries_max] = {};
};
constexpr unsigned long get_supported_cpuid = 0xc008ae05;
constexpr unsigned long set_cpuid2 = 0x4008ae90;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("cannot " + what + ": " + std::strerror(errno));
}

Descriptor open_kvm() {
  Descriptor kvm(::open(device_path, O_RDWR | O_CLOEXEC));
  if (kvm.get() >= 0) return kvm;
  if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
    throw std::runtime_error(
        "/dev/kvm is not there: load the kernel's module kvm-intel or kvm-amd, switch "
        "virtualisation on in the firmware, or, in a virtual machine, allow nested virtualisation; "
        "without it, build the image for unix, or for virtio and start it by QEMU");
  }
  if (errno == EACCES || errno == EPERM) {
    throw std::runtime_error(
        "no permission to open /dev/kvm: add this user to the group that owns it (usermod -aG kvm "
        "NAME, then log in again), or in a container pass the device in");
  }
  fail("open /dev/kvm");
}

kvm_segment segment(std::uint16_t selector, std::uint8_t type, bool is_code) {
  kvm_segment out{};
  out.limit = 0xfffff;
  out.selector = selector;
  out.type = type;
  out.present = out.s = out.g = 1;
  out.l = is_code ? 1 : 0;
  out.db = is_code ? 0 : 1;
  return out;
}

// mov ecx, count; l: dec ecx; jnz l; hlt
constexpr std::uint32_t probe_rounds = 20'000;
std::string probe_code() {
  std::string code = "\xb9____\xff\xc9\x75\xfc\xf4";
  std::memcpy(code.data() + 1, &probe_rounds, sizeof probe_rounds);
  return code;
}

}  // namespace

void Unmap::operator()(void* at) const noexcept { ::munmap(at, bytes); }

Vm::Vm(std::uint64_t memory_bytes) : kvm_(open_kvm()) {
  constexpr int version = 12;
  if (::ioctl(kvm_.get(), KVM_GET_API_VERSION, 0) != version) {
    throw std::runtime_error("/dev/kvm is of an unknown version");
  }
  machine_ = Descriptor(::ioctl(kvm_.get(), KVM_CREATE_VM, 0));
  if (machine_.get() < 0) fail("make a virtual machine");
  void* pages = ::mmap(nullptr, memory_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    fail("have " + std::to_string(memory_bytes >> 20U) + " MiB of memory for the guest");
  }
  pages_ = {pages, Unmap{memory_bytes}};
  bytes_ = {static_cast<std::byte*>(pages), memory_bytes};
  memory_ = GuestMemory(bytes_);
  kvm_userspace_memory_region region{};
  region.memory_size = memory_bytes;
  region.userspace_addr = reinterpret_cast<std::uint64_t>(pages);
  if (::ioctl(machine_.get(), KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    fail("give the virtual machine its memory");
  }
  processor_ = Descriptor(::ioctl(machine_.get(), KVM_CREATE_VCPU, 0));
  if (processor_.get() < 0) fail("make a virtual processor");
  const int state_bytes = ::ioctl(kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (state_bytes < static_cast<int>(sizeof(kvm_run))) fail("learn how KVM tells its state");
  void* state = ::mmap(nullptr, static_cast<std::size_t>(state_bytes), PROT_READ | PROT_WRITE,
                       MAP_SHARED, processor_.get(), 0);
  if (state == MAP_FAILED) fail("map the virtual processor's state");
  state_ = {state, Unmap{static_cast<std::size_t>(state_bytes)}};
  hide_virtualisation();
}

Vm::~Vm() = default;

std::uint8_t& Vm::immediate_exit() noexcept {
  return static_cast<kvm_run*>(state_.get())->immediate_exit;
}

// The guest gets what KVM supports, without VMX and SVM: no machines in machines.
void Vm::hide_virtualisation() {
  constexpr std::uint32_t features = 1;
  constexpr std::uint32_t more_features = 0x80000001;
  constexpr std::uint32_t svm_details = 0x8000000a;
  constexpr std::uint32_t vmx = 1U << 5U;
  constexpr std::uint32_t svm = 1U << 2U;
  auto cpuid = std::make_unique<Cpuid>();
  if (::ioctl(kvm_.get(), get_supported_cpuid, cpuid.get()) != 0) {
    fail("learn what virtual processors can do");
  }
  for (kvm_cpuid_entry2& entry : std::span(cpuid->entries, cpuid->count)) {
    if (entry.function == features) entry.ecx &= ~vmx;
    if (entry.function == more_features) entry.ecx &= ~svm;
    if (entry.function == svm_details) entry.eax = entry.ebx = entry.ecx = entry.edx = 0;
  }
  if (::ioctl(processor_.get(), set_cpuid2, cpuid.get()) != 0) {
    fail("say what the virtual processor can do");
  }
}

void Vm::enter_at(std::uint64_t entry, std::uint64_t stack_end) {
  kvm_sregs special{};
  if (::ioctl(processor_.get(), KVM_GET_SREGS, &special) != 0) fail("read its registers");
  constexpr std::uint8_t code_type = 11;
  constexpr std::uint8_t data_type = 3;
  constexpr std::uint8_t busy_task_type = 11;
  special.cs = segment(8, code_type, true);
  special.ds = special.es = special.fs = special.gs = special.ss = segment(16, data_type, false);
  special.tr = kvm_segment{};
  special.tr.type = busy_task_type;
  special.tr.present = 1;
  special.tr.limit = 0xffff;
  special.ldt = kvm_segment{};
  special.ldt.unusable = 1;
  special.gdt.base = gdt_address;
  special.gdt.limit = gdt_bytes - 1;
  special.idt = kvm_dtable{};
  special.cr0 = 0x80010021;  // PG, WP, NE, PE
  special.cr3 = pml4_address;
  special.cr4 = 0x620;   // PAE, OSFXSR, OSXMMEXCPT
  special.efer = 0x500;  // LME, LMA
  if (::ioctl(processor_.get(), KVM_SET_SREGS, &special) != 0) fail("set its registers");
  kvm_regs general{};
  general.rip = entry;
  general.rflags = 2;
  general.rdi = boot_info_address;
  general.rsp = stack_end - 8;
  if (::ioctl(processor_.get(), KVM_SET_REGS, &general) != 0) fail("set its registers");
}

bool Vm::is_emulated() {
  constexpr int tries = 3;
  constexpr std::chrono::milliseconds slow(10);
  const std::string code = probe_code();
  Image image;
  image.entry = solo5::load_address_min;
  Segment& part = image.segments.emplace_back();
  part.begin = part.address = solo5::load_address_min;
  part.end = solo5::load_address_min + 0x1000;
  part.file_bytes = code.size();
  bool is_slow = true;
  for (int i = 0; i < tries && is_slow; ++i) {
    lay_out(bytes_, image, base::bytes_of(code), {}, {}, 1, 0);
    enter_at(image.entry, bytes_.size());
    const auto begin = std::chrono::steady_clock::now();
    const int result = ::ioctl(processor_.get(), KVM_RUN, 0);
    const auto took = std::chrono::steady_clock::now() - begin;
    if (result == 0 && static_cast<kvm_run*>(state_.get())->exit_reason != KVM_EXIT_HLT) {
      throw std::runtime_error("KVM here does not run a loop of three instructions: " +
                               died("").why);
    }
    is_slow = took > slow;
  }
  std::memset(bytes_.data(), 0, part.end);
  return is_slow;
}

void Vm::load(const Image& image, base::Bytes file, std::span<const solo5::ManifestEntry> manifest,
              std::string_view command_line, std::uint64_t ring_at) {
  const int khz = ::ioctl(processor_.get(), KVM_GET_TSC_KHZ, 0);
  if (khz <= 0) throw std::runtime_error("KVM does not say how fast its processor counts time");
  lay_out(bytes_, image, file, manifest, command_line, static_cast<std::uint64_t>(khz) * 1000,
          ring_at);
  const std::uint64_t end = ring_at == 0 ? bytes_.size() : ring_at;
  memory_ = GuestMemory(bytes_.first(end));
  if (ring_at != 0) ring_ = bytes_.subspan(ring_at, sizeof(solo5::Ring));
  // What is not writable is so for the guest's own page tables too, and for answers.
  for (const Segment& part : image.segments) {
    if (part.writes) continue;
    if (::mprotect(bytes_.data() + part.begin, part.end - part.begin, PROT_READ) != 0) {
      fail("protect the image's code");
    }
    memory_.forbid_writing(part.begin, part.end);
  }
  enter_at(image.entry, end);
}

std::string Vm::where() const {
  kvm_regs general{};
  if (::ioctl(processor_.get(), KVM_GET_REGS, &general) != 0) return "";
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), ", at 0x%llx", general.rip);
  return text.data();
}

Exit Vm::died(const std::string& what) const {
  return {.kind = Exit::Kind::died, .access = {}, .why = what + where()};
}

Exit Vm::run() {
  auto& state = *static_cast<kvm_run*>(state_.get());
  if (::ioctl(processor_.get(), KVM_RUN, 0) != 0) {
    if (errno == EINTR || errno == EAGAIN) {
      state.immediate_exit = 0;
      return {};
    }
    // Also what a page that may not be written to gives.
    if (errno == EFAULT) return died("it writes to memory that may not be written");
    return died(std::string("KVM cannot run it: ") + std::strerror(errno));
  }
  switch (state.exit_reason) {
    case KVM_EXIT_IO: {
      Exit out{.kind = Exit::Kind::access, .access = {}, .why = {}};
      out.access.is_out = state.io.direction == KVM_EXIT_IO_OUT;
      out.access.bytes = state.io.size;
      out.access.count = state.io.count;
      out.access.port = state.io.port;
      // Its buffer is in the pages of kvm_run.
      std::memcpy(&out.access.value, static_cast<const char*>(state_.get()) + state.io.data_offset,
                  sizeof out.access.value);
      return out;
    }
    case KVM_EXIT_HLT:
      return died("it halts its processor, and nothing would ever wake it");
    case KVM_EXIT_SHUTDOWN:
      return died("a fault that it does not handle (a triple fault)");
    case KVM_EXIT_MMIO:
      return died("it touches what is not its memory");
    case KVM_EXIT_INTERNAL_ERROR:
      return died("KVM cannot run an instruction (internal error " +
                  std::to_string(state.internal.suberror) + ")");
    case KVM_EXIT_FAIL_ENTRY:
      return died("the processor refuses to enter it");
    default:
      return died("KVM stops it for the reason " + std::to_string(state.exit_reason));
  }
}

}  // namespace tender
