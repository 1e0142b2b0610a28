// SPDX-License-Identifier: ISC
// tls/identity_state.hpp: mbedTLS's side of an Identity and of random bytes; for tls/*.cpp only.
//
// Its types are only named here, so that no header includes mbedTLS's.

#pragma once

#include "base/entropy.hpp"
#include "tls/certificates.hpp"

struct mbedtls_pk_context;
struct mbedtls_x509_crt;

namespace tls {

// Owns both; made and freed in certificates.cpp.
struct Identity::State {
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  mbedtls_x509_crt* chain;  // the server's first
  mbedtls_pk_context* key;
};

// mbedTLS's shape of a random generator; `entropy` is a base::Entropy.
inline int fill_random(void* entropy, unsigned char* out, std::size_t size) {
  static_cast<base::Entropy*>(entropy)->fill({reinterpret_cast<std::byte*>(out), size});
  return 0;
}

// Makes mbedTLS's crypto ready and gives it its random bytes, from the first `entropy` on; that
// must live as long as the program. Any number of times, from any thread.
void prepare_library(base::Entropy& entropy);

}  // namespace tls
