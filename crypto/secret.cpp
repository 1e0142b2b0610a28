// SPDX-License-Identifier: ISC
#include "crypto/secret.hpp"

#include <cstring>

#include <nettle/memops.h>

namespace crypto {

void wipe(base::MutableBytes bytes) noexcept { explicit_bzero(bytes.data(), bytes.size()); }

bool equal_secret(base::Bytes a, base::Bytes b) noexcept {
  return a.size() == b.size() && memeql_sec(a.data(), b.data(), a.size()) != 0;
}

}  // namespace crypto
