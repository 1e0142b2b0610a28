// SPDX-License-Identifier: ISC
// virtio's rings and the network device, against a device that this test plays.

#include <numeric>

#include "tests/targets/virtio/net_world.hpp"

namespace virtio_target {
namespace {

TEST_P(VirtioNet, SaysWhatTheDeviceIs) {
  EXPECT_EQ(net->mac(), (net::Mac{0x50, 0x51, 0x52, 0x53, 0x54, 0x55}));
  EXPECT_EQ(net->mtu_bytes(), 1500U);
  EXPECT_TRUE(net->offload().send);
  EXPECT_TRUE(net->offload().receive);
  EXPECT_EQ(played.rings[0].waiting(), played.size) << "buffers for frames";
}

TEST_P(VirtioNet, SendsPiecesBehindAHeader) {
  const base::Bytes pieces[] = {base::bytes_of("head"), {}, base::bytes_of("body")};
  ASSERT_TRUE(net->send({pieces, net::ChecksumRequest{34, 16}}, released()));
  EXPECT_EQ(played.rings[1].waiting(), 0U) << "not before the turn's end";
  net->poll();
  Ring& out = played.rings[1];
  ASSERT_EQ(out.waiting(), 1U);
  EXPECT_EQ(played.notified[1], 1);
  const std::uint16_t head = out.take();
  const std::string bytes = out.bytes_of(head);
  EXPECT_EQ(bytes.substr(header_bytes), "headbody");
  EXPECT_EQ(bytes.substr(0, header_bytes), std::string("\1\0\0\0\0\0\x22\0\x10\0\0\0", 12));
  EXPECT_EQ(releases, 0);
  out.use(head, 0);
  net->poll();
  EXPECT_EQ(releases, 1);
}

TEST_P(VirtioNet, CopiesWhatIsInVeryManyPieces) {
  std::string text(100, ' ');
  std::iota(text.begin(), text.end(), '\0');
  std::vector<base::Bytes> pieces;
  for (const char& c : text) pieces.push_back(base::bytes_of({&c, 1}));
  ASSERT_TRUE(net->send({pieces, {}}, released()));
  EXPECT_EQ(releases, 1);
  net->poll();
  EXPECT_EQ(played.rings[1].bytes_of(played.rings[1].take()).substr(header_bytes), text);
}

TEST_P(VirtioNet, DropsWhatIsTooLarge) {
  EXPECT_TRUE(send(std::string(1514, 'x')));
  EXPECT_TRUE(send(std::string(1515, 'x')));
  EXPECT_EQ(releases, 1);
  EXPECT_EQ(net->dropped_count(), 1U);
}

TEST_P(VirtioNet, SaysWhenThereIsNoRoomAndWhenThereIs) {
  int taken = 0;
  while (send("frame")) ++taken;
  EXPECT_EQ(taken, played.size / 2);
  EXPECT_FALSE(send("frame"));
  net->poll();
  loop.turn(loop.now());
  EXPECT_EQ(space.count, 0);
  EXPECT_TRUE(net->prepare_to_sleep());
  Ring& out = played.rings[1];
  EXPECT_EQ(out.waiting(), static_cast<std::size_t>(taken));
  while (out.waiting() > 0) out.use(out.take(), 0);
  EXPECT_FALSE(net->prepare_to_sleep()) << "it came before the sleep";
  EXPECT_TRUE(net->poll());
  loop.turn(loop.now());
  EXPECT_EQ(space.count, 1);
  EXPECT_EQ(releases, taken);
  EXPECT_TRUE(send("frame"));
}

// A frame to be cut: Ethernet, IP, TCP with 12 bytes of options, and payload.
struct Large {
  Large(bool is_ipv6, std::size_t payload_bytes)
      : tcp(is_ipv6 ? 54 : 34), head(tcp + 32, 'h'), payload(payload_bytes, 'p') {
    head[12] = is_ipv6 ? '\x86' : '\x08';
    head[13] = is_ipv6 ? '\xdd' : '\x00';
    head[tcp + 12] = '\x80';  // 8 words
  }
  [[nodiscard]] net::FrameOut frame() const {
    return {pieces, net::ChecksumRequest{tcp, 16}, 1448};
  }

  std::uint16_t tcp;
  std::string head, payload;
  base::Bytes pieces[2] = {base::bytes_of(head), base::bytes_of(payload)};
};

TEST_P(VirtioNet, LetsTheDeviceCutOnlyWhereItCutsBothKinds) {
  EXPECT_EQ(net->offload().segmentation_bytes, 0U);
  for (const std::uint64_t also : {cuts_ipv4, cuts_ipv6}) {
    restart(sums | also);
    EXPECT_EQ(net->offload().segmentation_bytes, 0U);
  }
  restart(cuts_ipv4 | cuts_ipv6);
  EXPECT_EQ(net->offload().segmentation_bytes, 0U) << "without sums";
  restart(sums | cuts_ipv4 | cuts_ipv6);
  EXPECT_EQ(net->offload().segmentation_bytes, 65'415U);
}

TEST_P(VirtioNet, TellsTheDeviceHowToCut) {
  restart(sums | cuts_ipv4 | cuts_ipv6);
  for (const bool is_ipv6 : {false, true}) {
    const Large large(is_ipv6, 60'000);
    ASSERT_TRUE(net->send(large.frame(), released()));
    net->poll();
    const std::string sent = played.rings[1].bytes_of(played.rings[1].take());
    ASSERT_EQ(sent.size(), header_bytes + large.head.size() + 60'000);
    const auto word = [&sent](std::size_t at) {
      std::uint16_t value = 0;
      std::memcpy(&value, sent.data() + at, sizeof value);
      return value;
    };
    EXPECT_EQ(sent[0], 1) << "needs a sum";
    EXPECT_EQ(sent[1], is_ipv6 ? 4 : 1);
    EXPECT_EQ(word(2), large.head.size()) << "all headers";
    EXPECT_EQ(word(4), 1448U) << "of payload in each";
    EXPECT_EQ(word(6), large.tcp);
    EXPECT_EQ(word(8), 16U);
  }
  // What follows is not cut.
  ASSERT_TRUE(send("small"));
  net->poll();
  EXPECT_EQ(played.rings[1].bytes_of(played.rings[1].take()), std::string(12, '\0') + "small");
}

TEST_P(VirtioNet, DropsWhatIsTooLargeToBeCut) {
  for (const bool is_ipv6 : {false, true}) {
    const Large large(is_ipv6, 65'600);
    restart(sums | cuts_ipv4 | cuts_ipv6);
    EXPECT_TRUE(net->send(large.frame(), released()));
    EXPECT_EQ(net->dropped_count(), 1U);
    // Nor does a device cut that does not say so.
    const Large smaller(is_ipv6, 3000);
    restart(sums);
    EXPECT_TRUE(net->send(smaller.frame(), released()));
    EXPECT_EQ(net->dropped_count(), 1U);
  }
  EXPECT_EQ(releases, 4);
}

TEST_P(VirtioNet, GivesFramesInOrderAndTheirBuffersBack) {
  put("one");
  put("two", 2);
  put("three", 1);
  EXPECT_TRUE(net->poll());
  const char* expected[] = {"one", "two", "three"};
  for (int i = 0; i < 3; ++i) {
    const std::optional<net::FrameIn> frame = net->receive();
    ASSERT_TRUE(frame);
    EXPECT_EQ(base::text_of(frame->bytes), expected[i]);
    EXPECT_EQ(frame->checksum_is_good, i > 0);
  }
  EXPECT_FALSE(net->receive());
  EXPECT_EQ(played.rings[0].waiting(), played.size) << "all are offered again";
  EXPECT_FALSE(net->poll());
  EXPECT_TRUE(net->prepare_to_sleep());
}

TEST_P(VirtioNet, DropsFramesOfImpossibleLength) {
  Ring& in = played.rings[0];
  in.use(in.take(), 5);
  in.use(in.take(), 60'000);
  put("good");
  const std::optional<net::FrameIn> frame = net->receive();
  ASSERT_TRUE(frame);
  EXPECT_EQ(base::text_of(frame->bytes), "good");
  EXPECT_EQ(net->dropped_count(), 2U);
}

TEST_P(VirtioNet, RunsPastTheEndOfItsIndices) {
  constexpr int frames_count = 70'000;  // an index has 16 bits
  Ring& out = played.rings[1];
  for (int i = 0; i < frames_count; ++i) {
    const std::string text = "frame " + std::to_string(i);
    if (played.has_events()) {
      played.ask(0);
      played.ask(1);
    }
    ASSERT_TRUE(send(text));
    net->poll();
    ASSERT_EQ(out.waiting(), 1U);
    const std::uint16_t head = out.take();
    ASSERT_EQ(out.bytes_of(head).substr(header_bytes), text);
    out.use(head, 0);
    put(text);
    const std::optional<net::FrameIn> frame = net->receive();
    ASSERT_TRUE(frame);
    ASSERT_EQ(base::text_of(frame->bytes), text);
    ASSERT_FALSE(net->receive());
  }
  net->poll();
  EXPECT_EQ(releases, frames_count);
  EXPECT_EQ(played.notified[1], frames_count);
}

TEST_P(VirtioNet, NotifiesOnlyWhoAskedForIt) {
  net->poll();
  const int before = played.notified[1];
  if (!played.has_events()) played.rings[1].used_ring()[0] = 1;  // no notification
  if (played.has_events()) played.rings[1].used_ring()[2 + 4 * played.size] = 1000;
  ASSERT_TRUE(send("quiet"));
  net->poll();
  EXPECT_EQ(played.notified[1], before);
}

TEST_P(VirtioNet, ReleasesWhatIsUnderWayWhenItGoes) {
  ASSERT_TRUE(send("never sent"));
  net->poll();
  net.reset();
  EXPECT_EQ(releases, 1);
  EXPECT_TRUE(played.is_reset);
}

INSTANTIATE_TEST_SUITE_P(Events, VirtioNet, testing::Bool());

}  // namespace
}  // namespace virtio_target
