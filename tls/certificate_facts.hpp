// SPDX-License-Identifier: ISC
// tls/certificate_facts.hpp: what a certificate that mbedTLS has parsed says; for tls/*.cpp only.
//
// Used by: tls/certificates.cpp, tls/client_engine.cpp.   Source: RFC 5280, RFC 9525.
// Its types are only named here, so that no header includes mbedTLS's.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"

struct mbedtls_x509_crt;
struct mbedtls_x509_time;

namespace tls {

// DNS names and IP addresses, as text: RFC 5280 section 4.2.1.6. The subject's common name is not
// looked at: no client does any more.
[[nodiscard]] std::vector<std::string> names_of(const mbedtls_x509_crt& certificate);
// One of its IP addresses is this one.
[[nodiscard]] bool has_address(const mbedtls_x509_crt& certificate, const net::Endpoint& address);
// RFC 9525: a name, or one label in place of "*"; letters' case does not matter.
[[nodiscard]] bool is_named(const std::vector<std::string>& names, std::string_view host);
// As "CN=R3, O=Let's Encrypt", in printable ASCII, cut where it is long.
[[nodiscard]] std::string subject_text(const mbedtls_x509_crt& certificate);
[[nodiscard]] std::string issuer_text(const mbedtls_x509_crt& certificate);
// The same of any text of a peer's.
[[nodiscard]] std::string printable(std::string_view text);
// Seconds since 1970-01-01 UTC.
[[nodiscard]] std::int64_t seconds_of(const mbedtls_x509_time& time);

}  // namespace tls
