// SPDX-License-Identifier: ISC
// tests/http/no_secure_peers.cpp: in the place of tests/tls/secure_peers.cpp in a build without
// TLS.

#include "tests/http/socket_peer.hpp"

std::unique_ptr<http_test::SecurePeers> http_test::make_secure_peers(const std::string&,
                                                                     const std::string&) {
  throw std::runtime_error("--tls: this was built without TLS (CRUNCH_TLS)");
}
