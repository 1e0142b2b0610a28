// SPDX-License-Identifier: ISC
// crypto/secret.hpp: what is done with secret bytes of any kind.
//
// States:  wipe, equal_secret, Wiped.   May include: base.

#pragma once

#include "base/bytes.hpp"

namespace crypto {

// Overwrites secrets; the compiler may not leave it out.
void wipe(base::MutableBytes bytes) noexcept;

// Takes a time that depends on the sizes only.
[[nodiscard]] bool equal_secret(base::Bytes a, base::Bytes b) noexcept;

// A secret array, such as std::array, on the stack: wiped at the end of its scope.
template <class Array>
struct Wiped {
  Wiped() = default;
  ~Wiped() { wipe(std::as_writable_bytes(std::span(value))); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  Array value{};
};

}  // namespace crypto
