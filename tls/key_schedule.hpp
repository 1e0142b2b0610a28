// SPDX-License-Identifier: ISC
// tls/key_schedule.hpp: HKDF-Expand-Label of TLS 1.3.
//
// Source:  RFC 8446 section 7.1.   May include: base, crypto.

#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace tls {

// Of a traffic secret; no suite has SHA-512.
inline constexpr std::size_t secret_bytes_max = crypto::hash_bytes(crypto::Hash::sha384);

// With an empty context; the label has at most 16 letters, and `out` at most hash_bytes(hash).
// Allocates nothing.
void expand_label(crypto::Hash hash, base::Bytes secret, std::string_view label,
                  base::MutableBytes out);

}  // namespace tls
