// SPDX-License-Identifier: ISC
// tls/tickets.hpp: which session tickets are given to clients.
//
// States:  write_ticket.   Used by: tls/context.cpp.   May include: std.
// Source:  RFC 8446 section 4.6.1.

#pragma once

#include <cstddef>
#include <cstdint>

struct mbedtls_ssl_session;

namespace tls {

// As mbedtls_ssl_ticket_write, of which `context` is. Without memory for the secret that a TLS 1.3
// ticket resumes, mbedTLS goes on all the same: the secret is then one byte repeated, which anybody
// could guess. No such ticket is given: MBEDTLS_ERR_SSL_ALLOC_FAILED.
int write_ticket(void* context, const mbedtls_ssl_session* session, unsigned char* start,
                 const unsigned char* end, std::size_t* size, std::uint32_t* lifetime_s) noexcept;

}  // namespace tls
