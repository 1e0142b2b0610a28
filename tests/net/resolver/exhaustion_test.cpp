// SPDX-License-Identifier: ISC
// tests/net/resolver/exhaustion_test.cpp: connecting to a name without memory.
//
// Method:  a whole connect runs again and again, on a stack whose own allocations are spared; each
//          time the next allocation fails, or it and all that follow. There is a flow or a failure,
//          and nothing is left open.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "net/resolver/dialer.hpp"
#include "tests/base/allocations.hpp"
#include "tests/net/resolver/dns.hpp"
#include "tests/net/resolver/world.hpp"

namespace {

using net::dns::Mailbox;
using Resolver = net::resolver::Resolver<net::dns::ScriptedStack>;
using Dialer = net::resolver::Dialer<net::dns::ScriptedStack, Resolver>;

// What happened; `failed`: whether an allocation did.
std::optional<bool> connect_with(std::size_t skipped, std::size_t count, bool& failed) {
  net::dns::World world;
  net::NameServers servers;
  const std::vector<net::Endpoint> one{net::ipv4(10, 0, 0, 1, 53)};
  servers.configure(one);
  Resolver resolver(world.loop, world.entropy, world.stack, servers);
  Dialer dialer(world.loop, world.stack, resolver);
  world.stack.hosts["192.0.2.7"] = {};
  world.stack.on_question = [](const std::string&, const std::string& sent,
                               const std::shared_ptr<Mailbox>& box) {
    const Spared spared;
    net::dns::Message message = net::dns::to(sent);
    if (sent[sent.size() - 3] == 1) {
      message.answers = {net::dns::record(net::dns::asked, 1, 60, net::dns::ipv4_data)};
    }
    box->put(message.text());
  };
  std::optional<bool> outcome;
  auto run = [](Dialer& its_dialer, std::optional<bool>& its_outcome) -> base::Task<void> {
    auto flow = co_await its_dialer.connect("a.example", 80, std::chrono::seconds(3));
    its_outcome = flow.has_value();
  };
  world.loop.spawn(run(dialer, outcome));
  {
    const FailingAllocations failing(skipped, count);
    world.run_until([&] { return outcome.has_value(); });
    failed = FailingAllocations::failed_count() > 0;
  }
  EXPECT_EQ(world.stack.open_flows(), 0U);
  EXPECT_EQ(world.stack.under_way, 0U);
  return outcome;
}

TEST(ResolverExhaustion, EachFailedAllocationIsAFailure) {
  for (const std::size_t count : {std::size_t{1}, FailingAllocations::all}) {
    std::size_t failures = 0;
    for (std::size_t skipped = 0;; ++skipped) {
      ASSERT_LT(skipped, 1000U);
      bool failed = false;
      const std::optional<bool> connected = connect_with(skipped, count, failed);
      ASSERT_TRUE(connected) << skipped;
      if (!failed) {
        EXPECT_TRUE(*connected);
        break;
      }
      failures += *connected ? 0 : 1;
    }
    EXPECT_GT(failures, 5U);
  }
}

}  // namespace
