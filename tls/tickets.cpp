// SPDX-License-Identifier: ISC
#include "tls/tickets.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/wipe.hpp"

namespace tls {

int write_ticket(void* use, const mbedtls_ssl_session* session, unsigned char* start,
                 const unsigned char* end, std::size_t* size, std::uint32_t* lifetime_s) noexcept {
  const auto& secret = session->MBEDTLS_PRIVATE(app_secrets).resumption_master_secret;
  constexpr std::ptrdiff_t hash_bytes_min = 32;
  const bool is_one_byte = std::all_of(secret, secret + hash_bytes_min,
                                       [&](unsigned char byte) { return byte == secret[0]; });
  if (session->MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3 && is_one_byte) {
    return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  }
  return mbedtls_ssl_ticket_write(static_cast<TicketUse*>(use)->tickets, session, start, end, size,
                                  lifetime_s);
}

int parse_ticket(void* use, mbedtls_ssl_session* session, unsigned char* ticket,
                 std::size_t size) noexcept {
  const TicketUse& its = *static_cast<TicketUse*>(use);
  if (const int failed = mbedtls_ssl_ticket_parse(its.tickets, session, ticket, size)) {
    return failed;
  }
  for (const int* suite = its.suites; *suite != 0; ++suite) {
    if (*suite == session->MBEDTLS_PRIVATE(ciphersuite)) return 0;
  }
  mbedtls_ssl_session_free(session);
  return MBEDTLS_ERR_SSL_INVALID_MAC;
}

int suite_of_1_2(mbedtls_ssl_ticket_context& tickets, base::Bytes ticket) {
  std::vector<std::byte> copy(ticket.begin(), ticket.end());  // it is decrypted in place
  mbedtls_ssl_session session;
  mbedtls_ssl_session_init(&session);
  int suite = 0;
  if (mbedtls_ssl_ticket_parse(&tickets, &session, reinterpret_cast<unsigned char*>(copy.data()),
                               copy.size()) == 0 &&
      session.MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2) {
    suite = session.MBEDTLS_PRIVATE(ciphersuite);
  }
  mbedtls_ssl_session_free(&session);
  base::wipe(copy);
  return suite;
}

}  // namespace tls
