// SPDX-License-Identifier: ISC
// Devices of virtio that lie: heads that they do not have, writes into what is ours in the rings,
// a configuration that changes while it is read, registers in memory.

#include <stdexcept>

#include "tests/targets/virtio/net_world.hpp"

namespace virtio_target {
namespace {

using LyingVirtioNet = VirtioNet;
using LyingVirtioNetDeath = VirtioNet;
TEST_P(LyingVirtioNetDeath, StopsAtAHeadThatIsNone) {
  played.rings[0].use(played.size, 20);
  EXPECT_DEATH(static_cast<void>(net->receive()), "CHECK");
}

TEST_P(LyingVirtioNetDeath, StopsAtAHeadThatItDoesNotHave) {
  Ring& in = played.rings[0];
  const std::uint16_t head = in.take();
  in.use(head, 20);
  in.use(head, 20);  // again, before it was offered again
  EXPECT_TRUE(net->receive());
  EXPECT_DEATH(static_cast<void>(net->receive()), "CHECK.*holder");
}
TEST_P(LyingVirtioNetDeath, StopsAtASentFrameThatWasNotSent) {
  ASSERT_TRUE(send("frame"));
  net->poll();
  Ring& out = played.rings[1];
  const std::uint16_t head = out.take();
  out.use(static_cast<std::uint16_t>(head + 1), 0);  // the frame's second descriptor
  EXPECT_DEATH(net->poll(), "CHECK.*holder");
}
TEST_P(LyingVirtioNetDeath, StopsAtASentFrameThatHasComeBackAlready) {
  ASSERT_TRUE(send("frame"));
  net->poll();
  Ring& out = played.rings[1];
  const std::uint16_t head = out.take();
  out.use(head, 0);
  net->poll();
  EXPECT_EQ(releases, 1);
  out.use(head, 0);
  EXPECT_DEATH(net->poll(), "CHECK.*holder");
}
TEST_P(LyingVirtioNetDeath, StopsAtAnIndexFarAhead) {
  played.rings[0].used_ring()[1] = 0x8000;
  const auto take_all = [this] {
    while (net->receive()) {
    }
  };
  EXPECT_DEATH(take_all(), "CHECK");
}

// A device that writes over everything in the rings that is ours: what it gets and gives stays
// what we offered.
TEST_P(LyingVirtioNet, WhatItWroteIntoTheRingsIsNotReadBack) {
  for (int round = 0; round < 50; ++round) {
    const base::Bytes pieces[] = {base::bytes_of("head"), base::bytes_of("body")};
    ASSERT_TRUE(net->send({pieces, {}}, released())) << round;
    if (played.has_events()) played.ask(1);
    net->poll();
    Ring& out = played.rings[1];
    ASSERT_EQ(out.waiting(), 1U) << round;
    const std::uint16_t head = out.take();
    ASSERT_EQ(out.bytes_of(head).substr(header_bytes), "headbody") << round;
    // Chains that go round and round, are longer, shorter, or lead outside.
    auto* descriptors = reinterpret_cast<Descriptor*>(out.queue->descriptors_at());
    for (std::uint16_t i = 0; i < played.size; ++i) {
      descriptors[i].flags = static_cast<std::uint16_t>(round % 4);
      descriptors[i].next = static_cast<std::uint16_t>(round % 2 == 0 ? i : 0xffff - round);
    }
    for (std::uint16_t i = 0; i < played.size; ++i) {
      out.available()[2 + i] = static_cast<std::uint16_t>(0x7777 + round);
    }
    out.use(head, 0);
    net->poll();
    ASSERT_EQ(releases, round + 1);
  }
  // All of the queue is there.
  int taken = 0;
  while (send("frame")) ++taken;
  EXPECT_EQ(taken, played.size / 2);
}

TEST_P(LyingVirtioNet, ReadsItsConfigurationInOneGeneration) {
  constexpr std::uint64_t has_mtu = 1U << 3U;
  const auto mtu_of = [&](std::uint64_t mtu_bytes, int changes) {
    net.reset();
    played = {};
    played.offered = sums | has_mac | has_mtu | feature_version_1;
    played.mtu_bytes = mtu_bytes;
    played.changes_left = changes;
    net = std::make_unique<Net>(std::make_unique<PlayedTransport>(played));
    return net->mtu_bytes();
  };
  EXPECT_EQ(mtu_of(9000, 0), 9000U);
  EXPECT_EQ(mtu_of(9000, 1), 9000U ^ 0x1d1dU) << "and not one byte of each";
  EXPECT_EQ(mtu_of(9000, 2), 9000U);
  EXPECT_EQ(mtu_of(68, 0), 68U);
  for (const std::uint64_t bad : {67U, 14U, 0U}) {
    try {
      mtu_of(bad, 0);
      ADD_FAILURE() << bad;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("an MTU of " + std::to_string(bad)),
                std::string::npos);
    }
  }
}

TEST(VirtioRegisters, LieNeitherInMemoryNorOverTheEnd) {
  const libos::Range memory[] = {{0x1000, 0x9f000}, {0x100000, 0x8000000}};
  EXPECT_TRUE(can_be_registers(0xfe000000, 0x1000, memory));
  EXPECT_TRUE(can_be_registers(0x8000000, 0x1000, memory));
  EXPECT_TRUE(can_be_registers(0xa0000, 0x60000, memory)) << "between two";
  EXPECT_FALSE(can_be_registers(0x7fff000, 0x1001, memory));
  EXPECT_FALSE(can_be_registers(0x200000, 1, memory));
  EXPECT_FALSE(can_be_registers(0, 0x200000, memory)) << "memory within";
  EXPECT_FALSE(can_be_registers(0xfe000000, 0, memory)) << "none";
  EXPECT_FALSE(can_be_registers(~std::uint64_t{0} - 10, 0x1000, memory)) << "over the end";
}

INSTANTIATE_TEST_SUITE_P(Events, LyingVirtioNet, testing::Bool());
INSTANTIATE_TEST_SUITE_P(Events, LyingVirtioNetDeath, testing::Bool());

}  // namespace
}  // namespace virtio_target
