// SPDX-License-Identifier: ISC
// targets/hvt/tender/server.hpp: hypercalls, carried out on files and taps of the host.
//
// States:  Backend, Server.   Owns: nothing but what it was told to serve.
// Rule:    runs behind the sandbox: no call here but those that targets/hvt/tender/sandbox.cpp
//          lets through.

#pragma once

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "targets/hvt/tender/hypercall.hpp"

namespace hvt::tender {

class Server {
 public:
  // `manifest` is what the guest sees, `files` has a descriptor for each of its entries or -1.
  // `wake` can be read once `stop` is set.
  Server(const GuestMemory& memory, std::span<const ManifestEntry> manifest, std::vector<int> files,
         int wake, const volatile std::sig_atomic_t& stop, bool traces)
      : memory_(memory),
        manifest_(manifest),
        files_(std::move(files)),
        wake_(wake),
        stop_(stop),
        traces_(traces) {}

  // Does what the guest asks for. A status: it has ended. An error: why it is to be ended.
  [[nodiscard]] base::Result<std::optional<int>, std::string> serve(const Access& access);

 private:
  struct Visitor;
  void trace(const char* call, std::uint64_t handle, std::uint64_t bytes, Answer answer) const;
  [[nodiscard]] bool shall_tell() const noexcept { return stop_ != 0 && !has_told_; }

  const GuestMemory& memory_;
  std::span<const ManifestEntry> manifest_;
  std::vector<int> files_;
  int wake_;
  const volatile std::sig_atomic_t& stop_;
  bool has_told_ = false;  // the guest, that it shall stop
  bool traces_;
};

}  // namespace hvt::tender
