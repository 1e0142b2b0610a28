// SPDX-License-Identifier: ISC
// crunch/certificate/without_tls.cpp: the same calls in a crunch that was built without TLS.

#include "crunch/certificate/certificate.hpp"
#include "crunch/failure.hpp"

namespace crunch::certificate {
namespace {

[[noreturn]] void refuse() {
  throw Failure(
      "this crunch was built without TLS: build it again after scripts/fetch-mbedtls, or leave out "
      "--cert, --key and --self-signed");
}

}  // namespace

Pair load(const std::string&, const std::string&) { refuse(); }
Pair self_signed(const std::string&) { refuse(); }
Facts check(const Pair&) { refuse(); }

}  // namespace crunch::certificate
