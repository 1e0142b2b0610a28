// SPDX-License-Identifier: ISC
// crypto/secret.hpp: what is done with secret bytes of any kind.
//
// States:  equal_secret, Wiped.   May include: base.

#pragma once

#include <span>

#include "base/bytes.hpp"
#include "base/wipe.hpp"

namespace crypto {

// Takes a time that depends on the sizes only.
[[nodiscard]] bool equal_secret(base::Bytes a, base::Bytes b) noexcept;

// A secret array, such as std::array, on the stack: wiped at the end of its scope.
template <class Array>
struct Wiped {
  Wiped() = default;
  ~Wiped() { base::wipe(std::as_writable_bytes(std::span(value))); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Array value{};
};

}  // namespace crypto
