// SPDX-License-Identifier: ISC
// tls/shared_context.hpp: what the threads of a process serve TLS with, as it is now.
//
// States:   SharedContext.   Used by: tls/over.hpp; whoever has, renews or orders certificates.
// Why:      each thread opens the others' tickets, takes a new certificate at once, and answers a
//           CA's challenge whichever of them it comes to. Safe from several threads.
// May include: base, tls/{engine,challenges}.hpp.

#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "tls/challenges.hpp"
#include "tls/engine.hpp"

namespace tls {

class SharedContext {
 public:
  // For connections that come from now on; the others keep theirs.
  void set(std::shared_ptr<const Context> context) {
    const std::lock_guard lock(mutex_);
    is_set_ = context != nullptr;
    is_public_ = context != nullptr && !is_local_only(*context);
    context_ = std::move(context);
  }
  // Null: there is no certificate, or none yet.
  [[nodiscard]] std::shared_ptr<const Context> get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  // Whether there is one. Cheap: for each request.
  [[nodiscard]] const std::atomic<bool>& is_set() const noexcept { return is_set_; }
  // Whether it is for more than this machine: a name that only this machine has must not be pinned
  // to HTTPS.
  [[nodiscard]] const std::atomic<bool>& is_public() const noexcept { return is_public_; }

  // A certificate may come later: listeners are opened without one. Before they are.
  void expect() noexcept { is_expected_ = true; }
  [[nodiscard]] bool is_expected() const noexcept { return is_expected_; }

  // What handshakes of acme-tls/1 are answered with.
  [[nodiscard]] Challenges& challenges() noexcept { return challenges_; }
  [[nodiscard]] const Challenges& challenges() const noexcept { return challenges_; }

 private:
  static bool is_local_only(const Context& context);

  mutable std::mutex mutex_;
  std::shared_ptr<const Context> context_;
  std::atomic<bool> is_set_ = false;
  std::atomic<bool> is_public_ = false;
  std::atomic<bool> is_expected_ = false;
  Challenges challenges_;
};

}  // namespace tls
