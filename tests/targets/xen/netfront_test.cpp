// SPDX-License-Identifier: ISC
// Xen's network device and the grant table, against a backend that this test plays.
//
// Method: PlayedBackend reads and writes only what is granted to it, and both sides are looked at.

#include "targets/xen/netfront.hpp"

#include <gtest/gtest.h>

#include "tests/targets/xen/netfront_world.hpp"

namespace xen_target {
namespace {

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
  const base::Bytes pieces[] = {base::bytes_of("an Ethernet header"), {}, base::bytes_of(body)};
  ASSERT_TRUE(send(pieces));
  EXPECT_EQ(peer->out_waiting(), 0U) << "not before the turn's end";
  net.poll();
  const BackendFrame got = peer->take();
  EXPECT_EQ(got.bytes, "an Ethernet header" + std::string(body));
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

// Linux's netback drops a frame whose first slot has less than the Ethernet header.
TEST_F(XenNet, TheEthernetHeaderIsInOneSlot) {
  const base::Bytes small_pieces[] = {base::bytes_of("six by"), base::bytes_of("tes, and more")};
  const base::Bytes over_pages = base::bytes_of(placed(page - 13, 60));
  const base::Bytes just_whole = base::bytes_of(placed(page - 14, 60));
  const struct {
    std::span<const base::Bytes> pieces;
    std::size_t slots;
  } table[] = {{small_pieces, 1}, {{&over_pages, 1}, 1}, {{&just_whole, 1}, 2}};
  for (const auto& row : table) {
    ASSERT_TRUE(send(row.pieces));
    net.poll();
    std::string whole;
    for (const base::Bytes piece : row.pieces) whole += base::text_of(piece);
    const BackendFrame got = peer->take();
    EXPECT_EQ(got.bytes, whole);
    EXPECT_EQ(got.ids.size(), row.slots) << whole;
    peer->answer(got);
    net.poll();
  }
  EXPECT_EQ(releases, 3);
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

}  // namespace
}  // namespace xen_target
