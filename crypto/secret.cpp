// SPDX-License-Identifier: ISC
#include "crypto/secret.hpp"

#include <nettle/memops.h>

namespace crypto {

bool equal_secret(base::Bytes a, base::Bytes b) noexcept {
  return a.size() == b.size() && memeql_sec(a.data(), b.data(), a.size()) != 0;
}

}  // namespace crypto
