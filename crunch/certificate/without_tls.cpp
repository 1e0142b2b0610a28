// SPDX-License-Identifier: ISC
// crunch/certificate/without_tls.cpp: the same calls in a crunch that was built without TLS.

#include "crunch/certificate/authority.hpp"
#include "crunch/certificate/certificate.hpp"
#include "crunch/certificate/roots.hpp"
#include "crunch/failure.hpp"

namespace crunch::certificate {
namespace {

[[noreturn]] void refuse() {
  throw Failure(
      "this crunch was built without TLS: build it again after scripts/fetch-mbedtls, or leave out "
      "--acme, --cert, --key, --self-signed, --roots and --https");
}

}  // namespace

Pair load(const std::string&, const std::string&) { refuse(); }
Pair self_signed(const std::string&) { refuse(); }
Facts check(const Pair&) { refuse(); }
std::string not_covered(const Pair&, const std::string&) { refuse(); }
Roots load_roots(const std::string&) { refuse(); }
std::string problem_of_authority(const std::string&, const std::string&) { refuse(); }
std::string roots_of_authority(const std::string&) { refuse(); }

}  // namespace crunch::certificate
