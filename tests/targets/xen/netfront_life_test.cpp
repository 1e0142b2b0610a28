// SPDX-License-Identifier: ISC
// Xen's network device and backends that break the protocol, keep what they were lent or go;
// domains that are made anew; and many frames both ways.

#include <algorithm>
#include <random>

#include "tests/targets/xen/netfront_world.hpp"

namespace xen_target {
namespace {

TEST_F(XenNet, BreaksOffWithABackendThatBreaksTheProtocol) {
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"more answers than requests", [this] { peer->out->rsp_prod = 3; }},
      {"an index far away", [this] { peer->out->rsp_prod = 0x80000000U; }},
      {"an answer to nothing", [this] { peer->answer(200); }},
      {"a number that no slot has", [this] { peer->answer(60'000); }},
      {"the same answer twice",
       [this] {
         const BackendFrame got = peer->take();
         peer->answer(got.ids[0]);
         peer->answer(got.ids[0]);
       }},
      {"no answer to no segmentation", [this] { peer->answer(0, NETIF_RSP_NULL); }},
      {"a page that it keeps",
       [this] {
         const BackendFrame got = peer->take();
         host.hold(got.references[0], true);
         peer->answer(got);
       }},
      {"frames without room", [this] { peer->in->rsp_prod = 257; }},
      {"frames before the first", [this] { peer->in->rsp_prod = ~0U; }},
      {"a page of a frame that it keeps",
       [this] {
         peer->deliver("frame");
         host.hold(peer->last_reference, true);
       }},
  };
  for (const auto& [what, way] : ways) {
    SCOPED_TRACE(what);
    releases = 0;
    send("one");
    send("two");
    net.poll();
    way();
    net.poll();
    EXPECT_EQ(text_of(net.receive()), "nothing");
    EXPECT_FALSE(net.broken_by().empty());
    EXPECT_TRUE(send("lost"));
    EXPECT_TRUE(net.prepare_to_sleep()) << "no turning round and round";
    net.close();
    const bool keeps_a_frame = std::string_view(what) == "a page that it keeps";
    EXPECT_EQ(releases, keeps_a_frame ? 2 : 3) << "each once";
    open();
    EXPECT_TRUE(net.broken_by().empty());
    EXPECT_EQ(peer->in_waiting(), 256U);
    send("works");
    net.poll();
    const BackendFrame got = peer->take();
    EXPECT_EQ(got.bytes, "works");
    peer->answer(got);
    EXPECT_TRUE(peer->deliver("works too"));
    net.poll();
    EXPECT_EQ(text_of(net.receive()), "works too");
  }
  EXPECT_EQ(net.counts().left, 2U) << "what was kept is left to it";
}

// The pieces of a frame that was not copied belong to its sender, who would reuse them.
TEST_F(XenNet, AFrameIsNotReleasedWhileABackendMayReadIt) {
  const std::string_view over_two_pages = placed(4000, 200);
  ASSERT_TRUE(send(over_two_pages));
  ASSERT_TRUE(send("another"));
  net.poll();
  const BackendFrame got = peer->take();
  ASSERT_EQ(got.references.size(), 2U);
  for (const std::uint32_t reference : got.references) host.hold(reference, true);
  net.close();
  EXPECT_EQ(releases, 1) << "the other frame";
  EXPECT_EQ(net.counts().left, 2U);
  open();
  // The references are not given to other pages meanwhile.
  while (send("more")) {
  }
  net.poll();
  while (peer->out_waiting() > 0) {
    const BackendFrame more = peer->take();
    ASSERT_EQ(more.references.size(), 1U);
    ASSERT_EQ(std::ranges::count(got.references, more.references[0]), 0);
    peer->answer(more);
  }
  net.poll();
  const int before = releases;
  host.hold(got.references[0], false);
  net.poll();
  EXPECT_EQ(releases, before) << "one of its pages is still held";
  host.hold(got.references[1], false);
  net.poll();
  EXPECT_EQ(releases, before + 1);
  EXPECT_EQ(net.counts().left, 0U);
  EXPECT_EQ(host.page_of(got.references[1], false), nullptr);
}

TEST_F(XenNet, ADomainThatWasMadeAnewKeepsNothing) {
  send("kept");
  net.poll();
  const BackendFrame got = peer->take();
  host.hold(got.references[0], true);
  net.close();
  EXPECT_EQ(releases, 0);
  grants.begin_again();
  net.forget();
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(net.counts().left, 0U);
}

TEST_F(XenNet, AFramesFirstSlotIsNotAnothersBeforeAllAreAnswered) {
  const std::string_view over_two_pages = placed(4000, 200);
  ASSERT_TRUE(send(over_two_pages));
  net.poll();
  const BackendFrame first = peer->take();
  ASSERT_EQ(first.ids.size(), 2U);
  peer->answer(first.ids[0]);
  net.poll();
  ASSERT_TRUE(send("another"));
  net.poll();
  const BackendFrame second = peer->take();
  EXPECT_NE(second.ids[0], first.ids[0]);
  EXPECT_EQ(releases, 0);
  peer->answer(first.ids[1]);
  net.poll();
  EXPECT_EQ(releases, 1);
  peer->answer(second);
  net.poll();
  EXPECT_EQ(releases, 2);
}

TEST_F(XenNet, RingsThatAreKeptAreLeft) {
  host.hold(connection.sending, true);
  EXPECT_FALSE(net.is_let_go());
  const auto* page_before = peer->out;
  net.close();
  EXPECT_EQ(host.closed.count(connection.port), 1U);
  EXPECT_EQ(net.counts().left, 1U);
  open();
  EXPECT_NE(peer->out, page_before);
  EXPECT_EQ(peer->in_waiting(), 256U);
}

TEST_F(XenNet, GoesOnInADomainThatWasMadeAnew) {
  send("lost");
  net.poll();
  for (auto& frame : host.table) std::memset(frame.get(), 0xff, page);  // another table
  grants.begin_again();
  net.forget();
  EXPECT_EQ(releases, 1);
  open();
  send("works");
  net.poll();
  EXPECT_EQ(peer->take().bytes, "works");
}

TEST_F(XenNet, RefusesWithoutReferencesOrPorts) {
  net.close();
  host.ports_left = 0;
  EXPECT_FALSE(net.open(PlayedHost::backend, true));
  PlayedHost small;
  small.frames_max = 1;
  Grants few(small);
  Netfront second(small, few, {mac, 1500, {}});
  EXPECT_FALSE(second.open(PlayedHost::backend, true));
  EXPECT_FALSE(second.is_open());
}

// A backend that answers late, in any order of frames, and delivers in between.
TEST_F(XenNet, ManyFramesBothWays) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<BackendFrame> held;
  unsigned sent = 0;
  unsigned seen = 0;
  unsigned delivered = 0;
  unsigned received = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 5) {
      case 0:
        // In memory that stays, so that late reading sees the same.
        if (send(placed(4 * (sent % 256), 4 + sent % 200))) ++sent;
        break;
      case 1:
        while (peer->out_waiting() > 0) {
          held.push_back(peer->take());
          EXPECT_EQ(held.back().bytes.size(), 4 + seen % 200);
          ++seen;
        }
        break;
      case 2:
        while (!held.empty() && random() % 4 != 0) {
          std::swap(held[random() % held.size()], held.back());
          peer->answer(held.back());
          held.pop_back();
        }
        break;
      case 3:
        if (peer->deliver(std::to_string(delivered))) ++delivered;
        break;
      default:
        net.poll();
        while (const auto frame = net.receive()) {
          EXPECT_EQ(base::text_of(frame->bytes), std::to_string(received++));
        }
    }
  }
  EXPECT_TRUE(net.broken_by().empty()) << net.broken_by();
  net.poll();
  while (peer->out_waiting() > 0) held.push_back(peer->take());
  for (const BackendFrame& frame : held) peer->answer(frame);
  net.poll();
  EXPECT_EQ(static_cast<unsigned>(releases), sent);
  while (net.receive()) ++received;
  EXPECT_EQ(received, delivered);
}

TEST(XenGrants, EveryReferenceOnceAndNoMoreThanThereAre) {
  PlayedHost host;
  host.frames_max = 2;
  Grants grants(host);
  std::set<Grants::Reference> all;
  while (const auto reference = grants.reserve()) EXPECT_TRUE(all.insert(*reference).second);
  EXPECT_EQ(all.size(), 1024U - 8);
  EXPECT_EQ(*all.begin(), 8U) << "the first belong to the toolstack";
  grants.free(100);
  EXPECT_EQ(grants.reserve(), 100U);
}

}  // namespace
}  // namespace xen_target
