// SPDX-License-Identifier: ISC
// tests/tls/exhaustion_test.cpp: the allocation law over TLS on kernel sockets; and that a ticket
// which was made while an allocation failed is as good as any.
//
// More:    CRUNCH_EVERY_ALLOCATION=1 in the environment makes each allocation fail, not every 7th.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kv/memory/memory.hpp"
#include "tests/http/exhaustion.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/over.hpp"
#include "tls/session.hpp"

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

// A connection in memory, whose server's allocations may be made to fail.
struct Attempt {
  bool open = false;
  bool resumed = false;
  std::size_t failed_count = 0;
  std::shared_ptr<SSL_SESSION> ticket = {};
};

Attempt attempt(int version, const std::shared_ptr<SSL_SESSION>& resume, std::size_t skipped,
                std::size_t count) {
  test_client::Client client({.version_min = version, .version_max = version, .resume = resume});
  tls::Session server(context());
  std::vector<std::byte> scratch(tls::Session::scratch_bytes);
  Attempt made;
  std::string to_client;
  std::vector<std::string> flights(6);
  for (std::string& flight : flights) {
    flight = client.step(to_client);
    const std::size_t before = allocation_count();
    FailingAllocations failing(skipped, count);
    try {
      static_cast<void>(server.receive(base::bytes_of(flight), scratch));
    } catch (const std::bad_alloc&) {
      server.abandon();
    }
    const Spared spared;
    const std::size_t failed = FailingAllocations::failed_count();
    made.failed_count += failed;
    if (failed > 0) count = 0;
    if (failed == 0) skipped -= std::min(skipped, allocation_count() - before);
    to_client = base::text_of(server.take_pending());
  }
  made.open = client.is_open() && server.phase() == tls::Phase::open;
  made.resumed = client.is_resumed();
  made.ticket = client.session();
  return made;
}

// Else a client that kept it is refused at each visit until it forgets it.
void check_tickets(int version) {
  std::size_t ticket_count = 0;
  for (std::size_t n = 0;; ++n) {
    const Attempt first = attempt(version, {}, n, 1);
    if (first.failed_count == 0) {
      EXPECT_TRUE(first.open);
      break;
    }
    if (!first.ticket) continue;
    ++ticket_count;
    EXPECT_TRUE(attempt(version, first.ticket, 0, 0).open) << "allocation " << n << " failed";
  }
  std::printf("%zu handshakes gave a ticket though an allocation failed\n", ticket_count);
}

TEST(Tickets, OfTls13MadeWhileAnAllocationFailed) { check_tickets(TLS1_3_VERSION); }
TEST(Tickets, OfTls12MadeWhileAnAllocationFailed) { check_tickets(TLS1_2_VERSION); }

}  // namespace
