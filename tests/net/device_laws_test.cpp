// SPDX-License-Identifier: ISC
// tests/net/device_laws_test.cpp: the laws of net::NetDevice, by number, on the devices in memory:
// plain, and with the wrapper of a bad wire whose faults are none. (A tap is looked at from
// outside, by tests/image/tap_test.py.)
//
// Method: frames go from one end of a pair to the other, in simulated time.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/lwip/any_device.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/archetype.hpp"
#include "tests/net/lossy_device.hpp"
#include "tests/net/memory_device.hpp"

// What is instantiated on it uses nothing but what the concept says.
template class net::lwip::DeviceOf<net::ArchetypeDevice>;

namespace {

using net::MemoryDevice;

struct Plain {
  explicit Plain(base::Loop&, MemoryDevice& end) : device(end) {}
  MemoryDevice& device;
};
struct Wrapped {
  explicit Wrapped(base::Loop& loop, MemoryDevice& end) : device(loop, end, {}, 1) {}
  net::LossyDevice<MemoryDevice> device;
};

class Counted final : public base::Work {
 public:
  void run() override { ++count; }
  int count = 0;
};

template <class Kind>
class DeviceLaws : public ::testing::Test {
 protected:
  static void released(void* count) noexcept { ++*static_cast<int*>(count); }
  bool send(std::string_view frame, int& releases) {
    const base::Bytes bytes = base::bytes_of(frame);
    const std::vector<base::Bytes> pieces{bytes.first(bytes.size() / 2),
                                          bytes.subspan(bytes.size() / 2)};
    return near.device.send({pieces}, {released, &releases});
  }
  void settle() { loop.turn(time.now()); }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  net::MemoryPair pair{loop, 1500};
  Kind near{loop, pair.a};
  Kind far{loop, pair.b};
};
using Kinds = ::testing::Types<Plain, Wrapped>;
TYPED_TEST_SUITE(DeviceLaws, Kinds);

TYPED_TEST(DeviceLaws, L1_WhatItIsDoesNotChange) {
  const net::Mac mac = this->near.device.mac();
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(60, 'a'), releases));
  EXPECT_EQ(this->near.device.mac(), mac);
  EXPECT_EQ(this->near.device.mtu_bytes(), 1500U);
  EXPECT_NE(this->far.device.mac(), mac);
}

TYPED_TEST(DeviceLaws, L2_ATakenFrameIsReleasedOnceAndArrivesWhole) {
  for (std::size_t size : {std::size_t{14}, std::size_t{60}, std::size_t{1514}}) {
    const std::string frame(size, static_cast<char>('a' + size % 26));
    int releases = 0;
    ASSERT_TRUE(this->send(frame, releases));
    this->settle();
    EXPECT_EQ(releases, 1);
    const auto got = this->far.device.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(base::text_of(got->bytes), frame);
  }
}

TYPED_TEST(DeviceLaws, L4_AFrameThatIsTooLargeIsTakenAndDropped) {
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(1515, 'x'), releases));
  this->settle();
  EXPECT_EQ(releases, 1);
  EXPECT_FALSE(this->far.device.receive());
}

// tests/net/segmentation_test.cpp shows what becomes of large frames of TCP.
TYPED_TEST(DeviceLaws, L4_SegmentsAreCutOnlyByWhoSums) {
  const net::Offload offered = this->near.device.offload();
  EXPECT_TRUE(offered.send || offered.segmentation_bytes == 0);
}

TYPED_TEST(DeviceLaws, L5_FramesKeepTheirOrder) {
  int releases = 0;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    EXPECT_TRUE(this->send(std::string(60, letter), releases));
  }
  this->settle();
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const auto got = this->far.device.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(base::text_of(got->bytes), std::string(60, letter));
  }
  EXPECT_FALSE(this->far.device.receive());
}

TYPED_TEST(DeviceLaws, L6_WhoFoundNothingIsToldOfTheNextFrame) {
  Counted frames;
  Counted space;
  this->far.device.listen(&frames, &space);
  EXPECT_FALSE(this->far.device.receive());
  int releases = 0;
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(this->send(std::string(60, 'a'), releases));
    this->settle();
    this->settle();
    EXPECT_EQ(frames.count, i);
    EXPECT_TRUE(this->far.device.receive());
    EXPECT_FALSE(this->far.device.receive());
  }
  EXPECT_EQ(space.count, 0);
  this->far.device.listen(nullptr, nullptr);
}

TYPED_TEST(DeviceLaws, L7_WithoutListenersNothingIsScheduled) {
  Counted frames;
  this->far.device.listen(&frames, &frames);
  this->far.device.listen(nullptr, nullptr);
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(60, 'a'), releases));
  this->settle();
  EXPECT_EQ(frames.count, 0);
}

// A wrapper's wire loses what does not fit; only the device itself may refuse.
using PlainLaws = DeviceLaws<Plain>;
TEST_F(PlainLaws, L2L3_ARefusedFrameIsNotReleasedAndRoomIsTold) {
  Counted frames;
  Counted space;
  near.device.listen(&frames, &space);
  near.device.refusing = true;
  int releases = 0;
  EXPECT_FALSE(send(std::string(60, 'a'), releases));
  EXPECT_FALSE(send(std::string(60, 'a'), releases));
  near.device.accept_again();
  settle();
  EXPECT_EQ(releases, 0);
  EXPECT_EQ(space.count, 1);
  near.device.accept_again();
  settle();
  EXPECT_EQ(space.count, 1) << "once";
  EXPECT_FALSE(far.device.receive());
  near.device.listen(nullptr, nullptr);
}

}  // namespace
