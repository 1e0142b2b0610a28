// SPDX-License-Identifier: ISC
// Xen's network device and the grant table, against a backend that this test plays; also one that
// breaks the protocol.
//
// Method: PlayedBackend reads and writes only what is granted to it, and both sides are looked at.

#include "targets/xen/netfront.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "tests/base/simulated_time.hpp"
#include "tests/targets/xen/played_backend.hpp"

namespace xen_target {
namespace {

constexpr net::Mac mac = {0, 0x16, 0x3e, 1, 2, 3};
constexpr std::size_t page = PlayedHost::page;

struct Counter final : base::Work {
  int count = 0;
  void run() override { ++count; }
};

std::string text_of(const std::optional<net::FrameIn>& frame) {
  return frame ? std::string(base::text_of(frame->bytes)) : "nothing";
}

class XenNet : public testing::Test {
 protected:
  XenNet() {
    net.serve(loop);
    net.listen(&frames, &space);
    open();
  }
  void open(bool scatters = true) {
    const auto made = net.open(PlayedHost::backend, scatters);
    ASSERT_TRUE(made);
    connection = *made;
    peer = std::make_unique<PlayedBackend>(host, connection);
    net.be_heard();
    host.notified.clear();
  }
  bool send(std::span<const base::Bytes> pieces, std::optional<net::ChecksumRequest> sum = {},
            std::uint16_t segment_bytes = 0) {
    return net.send({pieces, sum, segment_bytes}, released());
  }
  bool send(std::string_view text) {
    const base::Bytes piece = base::bytes_of(text);
    return send({&piece, 1});
  }
  net::Release released() {
    return {[](void* count) noexcept { ++*static_cast<int*>(count); }, &releases};
  }
  // One that begins `offset` bytes into a page.
  std::string_view placed(std::size_t offset, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    char* at = memory.data() + (page - begin % page) % page + offset;
    std::iota(at, at + bytes, '\0');
    return {at, bytes};
  }
  int notifications() { return host.notified[connection.port]; }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  PlayedHost host;
  Grants grants{host};
  std::vector<char> memory = std::vector<char>(40 * page);
  Counter frames;
  Counter space;
  int releases = 0;
  Netfront net{
      host,
      grants,
      {mac,
       1500,
       {.send = true, .receive = true, .segmentation_bytes = Netfront::segmentation_bytes}}};
  Netfront::Connection connection;
  std::unique_ptr<PlayedBackend> peer;
};

TEST_F(XenNet, SaysWhatItIsAndOffersPages) {
  EXPECT_EQ(net.mac(), mac);
  EXPECT_EQ(net.mtu_bytes(), 1500U);
  EXPECT_EQ(net.offload().segmentation_bytes, Netfront::segmentation_bytes);
  EXPECT_EQ(peer->in_waiting(), 256U);
  EXPECT_EQ(grants.frame_count(), 2U) << "two rings of 256 references do not fit one frame";
  EXPECT_EQ(peer->in->req_event, 1U);
  EXPECT_EQ(peer->out->rsp_event, 1U);
}

TEST_F(XenNet, SendsPiecesWhereTheyAre) {
  const std::string_view body = placed(page - 100, 300);
  const base::Bytes pieces[] = {base::bytes_of("head"), {}, base::bytes_of(body)};
  ASSERT_TRUE(send(pieces));
  EXPECT_EQ(peer->out_waiting(), 0U) << "not before the turn's end";
  net.poll();
  const BackendFrame got = peer->take();
  EXPECT_EQ(got.bytes, "head" + std::string(body));
  ASSERT_EQ(got.ids.size(), 3U) << "the body touches two pages";
  EXPECT_EQ(host.page_of(got.references[1], false) + page - 100, body.data()) << "not a copy";
  EXPECT_EQ(host.page_of(got.references[1], true), nullptr) << "to read only";
  peer->answer(got.ids[0]);
  peer->answer(got.ids[1]);
  net.poll();
  EXPECT_EQ(releases, 0) << "a page is still the backend's";
  peer->answer(got.ids[2]);
  net.poll();
  EXPECT_EQ(releases, 1);
  for (const std::uint32_t reference : got.references) {
    EXPECT_EQ(host.page_of(reference, false), nullptr) << "closed again";
  }
}

TEST_F(XenNet, AsksForSumsAndSegments) {
  for (const auto& [type, kind] :
       {std::pair{0x0800, XEN_NETIF_GSO_TYPE_TCPV4}, std::pair{0x86dd, XEN_NETIF_GSO_TYPE_TCPV6}}) {
    std::string head(54, 'h');
    head[12] = static_cast<char>(type >> 8);
    head[13] = static_cast<char>(type);
    const std::string_view body = placed(0, 30'000);
    const base::Bytes pieces[] = {base::bytes_of(head), base::bytes_of(body)};
    ASSERT_TRUE(send(pieces, net::ChecksumRequest{34, 16}, 1460));
    net.poll();
    const BackendFrame got = peer->take();
    EXPECT_EQ(got.bytes, head + std::string(body));
    EXPECT_NE(got.flags & NETTXF_csum_blank, 0U);
    ASSERT_TRUE(got.extra);
    EXPECT_EQ(got.extra->type, XEN_NETIF_EXTRA_TYPE_GSO);
    EXPECT_EQ(got.extra->flags, 0);
    EXPECT_EQ(got.extra->u.gso.type, kind);
    EXPECT_EQ(got.extra->u.gso.size, 1460);
    peer->answer(got);
    net.poll();
  }
  EXPECT_EQ(releases, 2);
  EXPECT_TRUE(net.broken_by().empty());
}

TEST_F(XenNet, CopiesWhatTouchesTooManyPages) {
  std::vector<base::Bytes> pieces;
  std::string all;
  for (std::size_t i = 0; i < Netfront::slots_max + 1; ++i) {
    const std::string_view piece = placed(i * page, 70);
    pieces.push_back(base::bytes_of(piece));
    all += piece;
  }
  ASSERT_TRUE(send(pieces));
  EXPECT_EQ(releases, 1) << "the pieces are not needed any more";
  net.poll();
  const BackendFrame got = peer->take();
  EXPECT_EQ(got.bytes, all);
  EXPECT_EQ(got.ids.size(), 1U);
  peer->answer(got);
  net.poll();
  EXPECT_EQ(releases, 1);
}

TEST_F(XenNet, OneSlotForABackendThatTakesNoMore) {
  net.close();
  open(false);
  const base::Bytes pieces[] = {base::bytes_of("head"), base::bytes_of("body")};
  ASSERT_TRUE(send(pieces));
  net.poll();
  const BackendFrame got = peer->take();
  EXPECT_EQ(got.bytes, "headbody");
  EXPECT_EQ(got.ids.size(), 1U);
}

TEST_F(XenNet, LosesWhatCannotBeSent) {
  const std::string large(1515, 'x');
  EXPECT_TRUE(send(large));
  EXPECT_TRUE(send(""));
  const base::Bytes huge = base::bytes_of(placed(0, 65'536));
  EXPECT_TRUE(send({&huge, 1}, net::ChecksumRequest{34, 16}, 1460));
  net.close();
  EXPECT_TRUE(send("late"));
  EXPECT_EQ(releases, 4);
  EXPECT_EQ(net.counts().dropped, 4U);
  EXPECT_EQ(net.counts().sent, 0U);
}

TEST_F(XenNet, SaysWhenThereIsRoomAgain) {
  int sent = 0;
  while (send("frame")) ++sent;
  EXPECT_EQ(sent, 256);
  EXPECT_EQ(releases, 0);
  net.poll();
  EXPECT_FALSE(net.prepare_to_sleep() && peer->out->rsp_event > 256) << "asked to be told";
  EXPECT_FALSE(space.is_scheduled());
  for (int i = 0; i < 127; ++i) peer->answer(peer->take());
  EXPECT_FALSE(net.poll());
  peer->answer(peer->take());
  EXPECT_TRUE(net.poll());
  EXPECT_TRUE(space.is_scheduled());
  loop.turn(time.now());
  net.poll();
  EXPECT_FALSE(space.is_scheduled()) << "once";
}

TEST_F(XenNet, TellsTheBackendOnlyWhenItAsks) {
  net.poll();
  const int before = notifications();
  send("one");
  send("two");
  net.poll();
  EXPECT_EQ(notifications(), before + 1) << "both at once";
  send("three");
  net.poll();
  EXPECT_EQ(notifications(), before + 1) << "it is still at work";
  peer->out->req_event = peer->out->req_prod + 1;
  send("four");
  net.poll();
  EXPECT_EQ(notifications(), before + 2);
}

TEST_F(XenNet, IsNotToldOfSentFrames) {
  send("one");
  send("two");
  net.poll();
  EXPECT_GT(peer->out->rsp_event, 2U);
  EXPECT_TRUE(net.prepare_to_sleep());
  EXPECT_GT(peer->out->rsp_event, 2U);
  EXPECT_EQ(peer->in->rsp_event, 1U) << "but of those that come";
  peer->deliver("frame");
  EXPECT_FALSE(net.prepare_to_sleep()) << "came meanwhile";
}

TEST_F(XenNet, ReceivesInOrder) {
  ASSERT_TRUE(peer->deliver("one", NETRXF_csum_blank | NETRXF_data_validated));
  const std::uint32_t first = peer->last_reference;
  ASSERT_TRUE(peer->deliver("two", 0, 100));
  EXPECT_TRUE(net.poll());
  EXPECT_TRUE(frames.is_scheduled());
  const auto one = net.receive();
  EXPECT_EQ(text_of(one), "one");
  EXPECT_TRUE(one->checksum_is_good);
  EXPECT_EQ(host.page_of(first, true), nullptr) << "not the backend's while we look at it";
  const auto two = net.receive();
  EXPECT_EQ(text_of(two), "two");
  EXPECT_FALSE(two->checksum_is_good);
  EXPECT_NE(host.page_of(first, true), nullptr) << "offered again";
  EXPECT_EQ(text_of(net.receive()), "nothing");
  EXPECT_EQ(peer->in_waiting(), 254U);
  net.poll();
  EXPECT_EQ(peer->in_waiting(), 256U);
}

TEST_F(XenNet, DropsWhatIsNoFrame) {
  const struct {
    unsigned flags;
    std::size_t offset;
    int status;
  } bad[] = {{0, 0, 0},
             {0, 0, -1},
             {0, 0, NETIF_RSP_DROPPED},
             {0, 4095, 2},
             {0, 65535, 1},
             {0, 1, 4096},
             {NETRXF_more_data, 0, 60},
             {0, 0, 60},
             {0, 0, 32767},
             {NETRXF_extra_info, 0, 60},
             {0, 0, 60}};
  for (const auto& one : bad) {
    const auto id = peer->in_at(peer->in_taken++).req.id;
    peer->respond(id, one.flags, one.offset, one.status);
  }
  ASSERT_TRUE(peer->deliver("good"));
  EXPECT_EQ(text_of(net.receive()), "good");
  EXPECT_EQ(net.counts().dropped, std::size(bad)) << "also the rest of those in several pages";
  EXPECT_EQ(text_of(net.receive()), "nothing");
  net.poll();
  EXPECT_EQ(peer->in_waiting(), 256U) << "every page was offered again";
  EXPECT_TRUE(net.broken_by().empty());
}

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
    EXPECT_EQ(releases, 3) << "each once";
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
