// SPDX-License-Identifier: ISC
#include "targets/unix/entropy.hpp"

#include <cerrno>
#include <system_error>

#include <sys/random.h>

#include "base/check.hpp"

namespace unix_target {

namespace {

// The bytes filled, all of them unless the kernel refuses (then errno says why).
bool fill_all(base::MutableBytes out) noexcept {
  while (!out.empty()) {
    ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

Entropy::Entropy() {
  std::byte trial[1];
  if (!fill_all(trial)) {
    throw std::system_error(errno, std::generic_category(), "the kernel gives no random bytes");
  }
}

void Entropy::fill(base::MutableBytes out) noexcept { CHECK(fill_all(out)); }

}  // namespace unix_target
