// SPDX-License-Identifier: ISC
// crypto/chacha20_poly1305.hpp: the AEAD of RFC 8439.
//
// Time:    the same for all contents of a size.   Errors: a wrong tag. Nothing here allocates.
// May include: base.

#pragma once

#include <span>

#include "base/bytes.hpp"
#include "crypto/aes_gcm.hpp"

namespace crypto {

// `key` has 32 bytes. Writes the pieces' ciphertext, one after another, at `out`, then the tag.
// `out` does not overlap the pieces.
void chacha20_poly1305_seal(base::Bytes key, const Nonce& nonce, base::Bytes associated,
                            std::span<const base::Bytes> pieces, std::byte* out) noexcept;
// `sealed` ends in the tag; `out` is sealed.data() or apart from it. False: the tag is wrong, and
// `out` means nothing.
[[nodiscard]] bool chacha20_poly1305_open(base::Bytes key, const Nonce& nonce,
                                          base::Bytes associated, base::Bytes sealed,
                                          std::byte* out) noexcept;

}  // namespace crypto
