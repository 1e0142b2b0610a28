// SPDX-License-Identifier: ISC
// tls/tickets.hpp: which session tickets are given to clients, and which are taken back.
//
// States:  TicketUse, write_ticket, parse_ticket, suite_of_1_2.   Used by: tls/context.cpp.
// Source:  RFC 8446 sections 4.2.11 and 4.6.1; RFC 5077.   May include: base.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

struct mbedtls_ssl_session;
struct mbedtls_ssl_ticket_context;

namespace tls {

// What a configuration of mbedTLS has as the context of its tickets. `suites` ends with 0.
struct TicketUse {
  mbedtls_ssl_ticket_context* tickets = nullptr;
  const int* suites = nullptr;
};

// As mbedtls_ssl_ticket_write; `use` is a TicketUse. Without memory for the secret that a TLS 1.3
// ticket resumes, mbedTLS goes on all the same: the secret is then one byte repeated, which anybody
// could guess. No such ticket is given: MBEDTLS_ERR_SSL_ALLOC_FAILED.
int write_ticket(void* use, const mbedtls_ssl_session* session, unsigned char* start,
                 const unsigned char* end, std::size_t* size, std::uint32_t* lifetime_s) noexcept;

// As mbedtls_ssl_ticket_parse; `use` is a TicketUse. A session with a suite that this configuration
// does not take is not found, so that the handshake is a full one; mbedTLS would end it.
int parse_ticket(void* use, mbedtls_ssl_session* session, unsigned char* ticket,
                 std::size_t size) noexcept;

// The suite of the TLS 1.2 session that a ticket resumes; 0: it resumes none. (mbedTLS would resume
// one of TLS 1.3 in TLS 1.2, with a master secret of zeros.)
[[nodiscard]] int suite_of_1_2(mbedtls_ssl_ticket_context& tickets, base::Bytes ticket);

}  // namespace tls
