// SPDX-License-Identifier: ISC
// tender/server.hpp: hypercalls, carried out on files and taps of the host.
//
// States:  Server, Reports.   Owns: nothing but what it was told to serve.
// Rule:    runs behind the sandbox: no call here but those that tender/sandbox.cpp
//          lets through.

#pragma once

#include <array>
#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/lost_lines.hpp"
#include "base/result.hpp"
#include "tender/hypercall.hpp"
#include "tender/ring.hpp"

namespace tender {

// What is said of hypercalls on standard error.
struct Reports {
  bool each = false;
  bool counts = false;  // at the guest's end
};

class Server {
 public:
  // `manifest` is what the guest sees, `files` has a descriptor for each of its entries or -1.
  // `wake` can be read once `stop` is set. `ring`: its bytes, or none.
  Server(const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
         std::vector<int> files, base::MutableBytes ring, int wake,
         const volatile std::sig_atomic_t& stop, const Reports& reports)
      : memory_(memory),
        manifest_(manifest),
        files_(std::move(files)),
        ring_(ring),
        wake_(wake),
        stop_(stop),
        reports_(reports) {}

  // Does what the guest asks for. A status: it has ended. An error: why it is to be ended.
  [[nodiscard]] base::Result<std::optional<int>, std::string> serve(const Access& access);

 private:
  struct Visitor;
  [[nodiscard]] base::Result<std::optional<int>, std::string> serve_ring();
  [[nodiscard]] solo5::Answer write(const NetWriteRequest& request) const;
  // How many bytes came; an answer that is not `ok`: none.
  [[nodiscard]] std::pair<solo5::Answer, std::uint64_t> read(const NetReadRequest& request) const;
  void say_counts() const;
  void trace(const char* call, std::uint64_t handle, std::uint64_t bytes,
             solo5::Answer answer) const;
  [[nodiscard]] bool shall_tell() const noexcept { return stop_ != 0 && !has_told_; }

  const GuestMemory& memory_;
  std::span<const solo5::ManifestEntry> manifest_;
  std::vector<int> files_;
  RingEnd ring_;
  int wake_;
  const volatile std::sig_atomic_t& stop_;
  bool has_told_ = false;  // the guest, that it shall stop
  base::LostLines lost_;   // of what the guest says
  Reports reports_;
  static constexpr std::size_t kicks = 9;  // behind the eight hypercalls
  std::array<std::uint64_t, kicks + 1> counts_{};
};

}  // namespace tender
