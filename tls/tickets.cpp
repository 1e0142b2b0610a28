// SPDX-License-Identifier: ISC
#include "tls/tickets.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include <algorithm>
#include <cstddef>

namespace tls {

int write_ticket(void* context, const mbedtls_ssl_session* session, unsigned char* start,
                 const unsigned char* end, std::size_t* size, std::uint32_t* lifetime_s) noexcept {
  const auto& secret = session->MBEDTLS_PRIVATE(app_secrets).resumption_master_secret;
  constexpr std::ptrdiff_t hash_bytes_min = 32;
  const bool is_one_byte = std::all_of(secret, secret + hash_bytes_min,
                                       [&](unsigned char byte) { return byte == secret[0]; });
  if (session->MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3 && is_one_byte) {
    return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  }
  return mbedtls_ssl_ticket_write(context, session, start, end, size, lifetime_s);
}

}  // namespace tls
