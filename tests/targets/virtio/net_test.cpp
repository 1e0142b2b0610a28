// SPDX-License-Identifier: ISC
// virtio's rings and the network device, against a device that this test plays.
//
// Method: PlayedDevice takes the rings' addresses as a hypervisor would, and reads and writes them
// itself, so that both sides of the protocol are seen. With and without VIRTIO_F_EVENT_IDX.

#include "targets/virtio/net.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>

#include "tests/base/simulated_time.hpp"

namespace virtio_target {
namespace {

constexpr std::uint64_t sums = 3;  // both ways
constexpr std::uint64_t has_mac = 1U << 5U;
constexpr std::uint64_t cuts_ipv4 = 1U << 11U;
constexpr std::uint64_t cuts_ipv6 = 1U << 12U;
constexpr std::size_t header_bytes = 12;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t bytes;
  std::uint16_t flags, next;
};

// A queue as the device sees it.
struct Ring {
  const Queue* queue = nullptr;
  std::uint16_t seen = 0;  // in the available ring
  std::uint16_t used = 0;

  [[nodiscard]] std::uint16_t* available() const {
    return reinterpret_cast<std::uint16_t*>(queue->available_at());
  }
  [[nodiscard]] std::uint16_t* used_ring() const {
    return reinterpret_cast<std::uint16_t*>(queue->used_at());
  }
  [[nodiscard]] std::size_t waiting() const {
    return static_cast<std::uint16_t>(available()[1] - seen);
  }
  std::uint16_t take() { return available()[2 + seen++ % queue->size()]; }
  void use(std::uint32_t head, std::uint32_t bytes) {
    const std::uint32_t entry[2] = {head, bytes};
    std::memcpy(used_ring() + 2 + 4 * (used % queue->size()), entry, sizeof entry);
    used_ring()[1] = ++used;
  }
  [[nodiscard]] const Descriptor& descriptor(std::uint16_t i) const {
    return reinterpret_cast<const Descriptor*>(queue->descriptors_at())[i];
  }
  // All bytes of a chain that the device may read.
  [[nodiscard]] std::string bytes_of(std::uint16_t head) const {
    std::string bytes;
    for (std::uint16_t i = head;; i = descriptor(i).next) {
      EXPECT_EQ(descriptor(i).flags & 2, 0) << "to be written by the device";
      bytes.append(reinterpret_cast<const char*>(descriptor(i).address), descriptor(i).bytes);
      if ((descriptor(i).flags & 1) == 0) return bytes;
    }
  }
};

struct Played {
  std::uint64_t offered = 0;
  std::uint16_t size = 16;
  Ring rings[2];
  int notified[2] = {0, 0};
  bool is_reset = false;

  [[nodiscard]] bool has_events() const { return (offered & feature_events) != 0; }
  // Asks to be notified of the next chain.
  void ask(unsigned i) { rings[i].used_ring()[2 + 4 * size] = rings[i].seen; }
};

class PlayedTransport final : public Transport {
 public:
  explicit PlayedTransport(Played& played) : played_(played) {}
  std::uint64_t features() override { return played_.offered; }
  void agree(std::uint64_t features) override { EXPECT_EQ(features & ~played_.offered, 0U); }
  std::uint16_t queue_size_max(unsigned) override { return played_.size; }
  void add_queue(unsigned index, const Queue& queue) override {
    played_.rings[index].queue = &queue;
  }
  void begin() override {}
  std::uint8_t config(unsigned offset) override { return static_cast<std::uint8_t>(0x50 + offset); }
  void notify(unsigned queue) noexcept override { ++played_.notified[queue]; }
  bool took_interrupt() noexcept override { return true; }
  void reset() noexcept override { played_.is_reset = true; }

 private:
  Played& played_;
};

struct Counter final : base::Work {
  int count = 0;
  void run() override { ++count; }
};

class VirtioNet : public testing::TestWithParam<bool> {
 protected:
  VirtioNet() { restart(sums); }
  // A device that offers these features of virtio-net.
  void restart(std::uint64_t features) {
    net.reset();
    played = {};
    played.offered = features | has_mac | feature_version_1;
    if (GetParam()) played.offered |= feature_events;
    net = std::make_unique<Net>(std::make_unique<PlayedTransport>(played));
    net->serve(loop);
    net->listen(&frames, &space);
  }
  bool send(std::string_view text, std::optional<net::ChecksumRequest> sum = {}) {
    const base::Bytes piece = base::bytes_of(text);
    return net->send({{&piece, 1}, sum}, released());
  }
  net::Release released() {
    return {[](void* count) noexcept { ++*static_cast<int*>(count); }, &releases};
  }
  void put(std::string_view text, std::uint8_t flags = 0) {
    Ring& in = played.rings[0];
    const std::uint16_t head = in.take();
    const Descriptor& buffer = in.descriptor(head);
    EXPECT_EQ(buffer.flags, 2);
    std::string frame(header_bytes, '\0');
    frame[0] = static_cast<char>(flags);
    frame += text;
    ASSERT_LE(frame.size(), buffer.bytes);
    std::memcpy(reinterpret_cast<void*>(buffer.address), frame.data(), frame.size());
    in.use(head, static_cast<std::uint32_t>(frame.size()));
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  Played played;
  Counter frames;
  Counter space;
  int releases = 0;
  std::unique_ptr<Net> net;
};

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

using VirtioNetDeath = VirtioNet;
TEST_P(VirtioNetDeath, StopsAtAHeadThatIsNone) {
  played.rings[0].use(played.size, 20);
  EXPECT_DEATH(static_cast<void>(net->receive()), "CHECK");
}

INSTANTIATE_TEST_SUITE_P(Events, VirtioNet, testing::Bool());
INSTANTIATE_TEST_SUITE_P(Events, VirtioNetDeath, testing::Bool());

}  // namespace
}  // namespace virtio_target
