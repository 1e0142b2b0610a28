// SPDX-License-Identifier: ISC
// tender/vm.hpp: a virtual machine of KVM: one slot of memory, one processor.
//
// States:  Vm, Exit.   Used by: tender/run.cpp.
// Owns:    the memory, and the descriptors of KVM.
// Errors:  std::runtime_error with a sentence that says what is missing, and what to do.
// Source:  linux/kvm.h, Documentation/virt/kvm/api.rst.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/descriptor.hpp"
#include "tender/hypercall.hpp"
#include "tender/image.hpp"

struct kvm_run;

namespace tender {

// Why the processor came back.
struct Exit {
  enum class Kind : std::uint8_t { access, interrupted, died };
  Kind kind = Kind::interrupted;
  Access access{};
  std::string why;  // it died: what it did, "..., at 0x100010"
};

// Memory of mmap.
struct Unmap {
  std::size_t bytes = 0;
  void operator()(void* at) const noexcept;
};

class Vm {
 public:
  // Makes the machine. `memory_bytes`: whole memory_unit_bytes.
  explicit Vm(std::uint64_t memory_bytes);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  // Runs a short loop and measures it, before anything is loaded: a KVM that emulates each
  // instruction takes over 1,000 times as long as one on a processor's own virtualisation.
  [[nodiscard]] bool is_emulated();

  // Puts the image where it belongs, with its rights, and the processor at its entry. `ring_at`:
  // where a ring is to lie, which is no longer in memory() then; or 0.
  void load(const Image& image, base::Bytes file, std::span<const solo5::ManifestEntry> manifest,
            std::string_view command_line, std::uint64_t ring_at);

  // The ring's bytes; none: there is no ring.
  [[nodiscard]] base::MutableBytes ring() const noexcept { return ring_; }
  [[nodiscard]] GuestMemory& memory() noexcept { return memory_; }
  [[nodiscard]] int processor_fd() const noexcept { return processor_.get(); }
  // Setting it to 1 ends a run at once, also from a signal handler.
  [[nodiscard]] std::uint8_t& immediate_exit() noexcept;

  // Until the guest wants something, or a signal came.
  [[nodiscard]] Exit run();

 private:
  void hide_virtualisation();
  void enter_at(std::uint64_t entry, std::uint64_t stack_end);
  [[nodiscard]] std::string where() const;
  [[nodiscard]] Exit died(const std::string& what) const;

  base::Descriptor kvm_, machine_, processor_;
  std::unique_ptr<void, Unmap> pages_;
  std::unique_ptr<void, Unmap> state_;  // kvm_run
  GuestMemory memory_{{}};
  base::MutableBytes bytes_;
  base::MutableBytes ring_;
};

}  // namespace tender
