// SPDX-License-Identifier: ISC
// tests/tls/client_fuzz.cpp: what a server sends, into the client's session and into the roots.
//
// The first byte chooses: 0 a handshake's answers in pieces, 1 a file of roots. No server without a
// key that an anchor has signed gets a session open.

#include <cstdint>
#include <cstdlib>

#include "tests/tls/client_world.hpp"
#include "tls/session.hpp"

namespace {

void require_that(bool good) {
  if (!good) std::abort();
}

void handshake(base::Bytes in) {
  static const auto context = [] {
    return client_world::client_context(client_world::issue("P-256", "", "P-256").root,
                                        {"http/1.1"});
  }();
  static std::vector<std::byte> scratch(tls::Session::scratch_bytes);
  tls::Problem problem;
  tls::Session session(
      std::make_unique<tls::ClientHandshake>(context, "localhost", 1'800'000'000, problem));
  static_cast<void>(session.take_pending());
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), std::to_integer<std::size_t>(in[0]) + 1);
    require_that(session.receive(in.first(size), scratch).empty());
    in = in.subspan(size);
  }
  require_that(session.phase() == tls::Phase::handshake || session.phase() == tls::Phase::failed);
  session.close_notify();
}

void roots(base::Bytes in) {
  const auto made = tls::Anchors::make({"roots", in});
  if (made) static_cast<void>(made->warnings(1'800'000'000));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const base::Bytes in{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  data[0] % 2 == 0 ? handshake(in) : roots(in);
  return 0;
}
