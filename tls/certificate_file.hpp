// SPDX-License-Identifier: ISC
// tls/certificate_file.hpp: the certificates that a file holds, each as DER.
//
// Takes:   PEM: CERTIFICATE, X509 CERTIFICATE, and TRUSTED CERTIFICATE without OpenSSL's additions;
//          blanks at the ends of lines; what stands between the blocks does not matter. DER: one.
// Errors:  sentences without the file's name, that say what it is instead and what to do.
// Source:  RFC 7468, RFC 5280 section 4.1; OIDs from RFC 3279, 4055, 5480, 8410.
// Used by: tls/certificates.cpp.   May include: base.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace tls {

// Not empty where it succeeds. The first is the server's.
[[nodiscard]] base::Result<std::vector<std::string>, std::string> certificates_in(base::Bytes file);

// Why clients or this server refuse a certificate for its algorithms; empty: nothing is known.
[[nodiscard]] std::string algorithm_problem(std::string_view der);
// Its issuer is its subject: its signature is not checked, and clients have it or do not.
[[nodiscard]] bool is_root(std::string_view der);

// What a file is that was taken for one of certificates, or for a key; empty: nothing is known.
[[nodiscard]] std::string other_kind(base::Bytes file);

// Without blanks at the ends of lines.
[[nodiscard]] std::string without_trailing_blanks(std::string_view text);

}  // namespace tls
