// SPDX-License-Identifier: ISC
// tests/tls/exhaustion_test.cpp: the allocation law over TLS on kernel sockets.
//
// More:    CRUNCH_EVERY_ALLOCATION=1 in the environment makes each allocation fail, not every 7th.

#include <cstdlib>
#include <vector>

#include "kv/memory/memory.hpp"
#include "tests/http/exhaustion.hpp"
#include "tests/tls/authority.hpp"
#include "tls/over.hpp"

namespace {

const std::shared_ptr<const tls::Context>& context() {
  static const auto one = [] {
    std::vector<tls::Identity> identities;
    identities.push_back(authority::identity("P-256"));
    return std::make_shared<const tls::Context>(std::move(identities), authority::entropy());
  }();
  return one;
}

struct SecureStack {
  using Stack = tls::Over<net::Sockets>;
  SecureStack(net::Sockets& sockets, base::Loop& loop) : stack(sockets, loop, context()) {}
  Stack stack;
};

void check(const char* version) {
  const std::size_t step = std::getenv("CRUNCH_EVERY_ALLOCATION") != nullptr ? 1 : 7;
  kv::Memory store;
  store.put("small", "small body");
  store.put("large", std::string(http_test::large_bytes, 'x'));
  http_test::check_every(
      [&] { return std::make_unique<http_test::Served<kv::Memory, SecureStack>>(store); },
      [&] { return http_test::make_secure_peers(version); }, step);
}

TEST(Exhaustion, OverTls13) { check("1.3"); }
TEST(Exhaustion, OverTls12) { check("1.2"); }

}  // namespace
