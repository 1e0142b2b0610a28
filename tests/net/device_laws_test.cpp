// SPDX-License-Identifier: ISC
// tests/net/device_laws_test.cpp: the laws of net::NetDevice, by number: on the devices in memory,
// plain and with the wrapper of a bad wire whose faults are none; and on a tap of Linux, with
// which tests/targets/unix compiles this file again.
//
// Method: frames go through the device to the far end of its wire, and back. A World has:
// device(); send_from_far(frame); at_far(), what has come there since it was last asked; settle();
// turns_until(condition), which is true when the condition became so; may_refuse, whether it ever
// refuses a frame; refuse(), after which it takes none, or false if that cannot be brought about
// here; accept_again(); and why_not(), empty where it can be made.

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

class PlainWorld {
 public:
  static constexpr bool may_refuse = true;
  static std::string why_not() { return {}; }
  MemoryDevice& device() { return pair_.a; }
  void send_from_far(const std::string& frame) { pair_.a.arrive(frame); }
  std::vector<std::string> at_far() {
    std::vector<std::string> frames;
    while (const auto frame = pair_.b.receive()) frames.emplace_back(base::text_of(frame->bytes));
    return frames;
  }
  void settle() { loop.turn(time.now()); }
  template <class Condition>
  bool turns_until(Condition condition) {
    settle();
    return condition();
  }
  bool refuse() { return pair_.a.refusing = true; }
  void accept_again() { pair_.a.accept_again(); }

 protected:
  base::SimulatedTime time;
  base::Loop loop{time, time};

 private:
  net::MemoryPair pair_{loop, 1500};
};

class WrappedWorld : public PlainWorld {
 public:
  auto& device() { return wrapped_; }
  static constexpr bool may_refuse = false;  // its wire loses what does not fit

 private:
  net::LossyDevice<MemoryDevice> wrapped_{loop, PlainWorld::device(), {}, 1};
};

#ifndef NET_DEVICE_WORLDS
#define NET_DEVICE_WORLDS PlainWorld, WrappedWorld
#endif

class Counted final : public base::Work {
 public:
  void run() override { ++count; }
  int count = 0;
};

template <class World>
class DeviceLaws : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = World::why_not();
    if (!why.empty()) GTEST_SKIP() << "SKIPPED: " << why;
    world = std::make_unique<World>();
  }
  static void released(void* count) noexcept { ++*static_cast<int*>(count); }
  auto& device() { return world->device(); }
  bool send(std::string_view frame, int& releases) {
    const base::Bytes bytes = base::bytes_of(frame);
    const std::vector<base::Bytes> pieces{bytes.first(bytes.size() / 2),
                                          bytes.subspan(bytes.size() / 2)};
    return device().send({pieces}, {released, &releases});
  }
  std::string receive() {
    const auto frame = device().receive();
    return frame ? std::string(base::text_of(frame->bytes)) : std::string();
  }
  std::unique_ptr<World> world;
};
using Worlds = ::testing::Types<NET_DEVICE_WORLDS>;
TYPED_TEST_SUITE(DeviceLaws, Worlds);

TYPED_TEST(DeviceLaws, L1_WhatItIsDoesNotChange) {
  const net::Mac mac = this->device().mac();
  const std::size_t mtu = this->device().mtu_bytes();
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(60, 'a'), releases));
  EXPECT_EQ(this->device().mac(), mac);
  EXPECT_EQ(this->device().mtu_bytes(), mtu);
  EXPECT_EQ(mac[0] & 1, 0) << "a host's own, not a group's";
}

TYPED_TEST(DeviceLaws, L2_ATakenFrameIsReleasedOnceAndArrivesWhole) {
  const std::size_t largest = this->device().mtu_bytes() + net::ethernet_header_bytes;
  for (std::size_t size : {std::size_t{14}, std::size_t{60}, largest}) {
    const std::string frame(size, static_cast<char>('a' + size % 26));
    int releases = 0;
    ASSERT_TRUE(this->send(frame, releases));
    EXPECT_TRUE(this->world->turns_until([&] { return releases == 1; }));
    EXPECT_EQ(this->world->at_far(), std::vector<std::string>{frame});
  }
}

TYPED_TEST(DeviceLaws, L4_AFrameThatIsTooLargeIsTakenAndDropped) {
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(this->device().mtu_bytes() + 15, 'x'), releases));
  EXPECT_TRUE(this->world->turns_until([&] { return releases == 1; }));
  EXPECT_TRUE(this->world->at_far().empty());
}

// tests/net/segmentation_test.cpp shows what becomes of large frames of TCP.
TYPED_TEST(DeviceLaws, L4_SegmentsAreCutOnlyByWhoSums) {
  const net::Offload offered = this->device().offload();
  EXPECT_TRUE(offered.send || offered.segmentation_bytes == 0);
}

TYPED_TEST(DeviceLaws, L5_FramesKeepTheirOrder) {
  int releases = 0;
  std::vector<std::string> frames;
  for (char letter = 'a'; letter <= 'z'; ++letter) frames.emplace_back(60, letter);
  for (const std::string& frame : frames) EXPECT_TRUE(this->send(frame, releases));
  this->world->settle();
  EXPECT_EQ(this->world->at_far(), frames);
  for (const std::string& frame : frames) this->world->send_from_far(frame);
  this->world->settle();
  for (const std::string& frame : frames) EXPECT_EQ(this->receive(), frame);
  EXPECT_EQ(this->receive(), "");
}

TYPED_TEST(DeviceLaws, L5_ReceiveNeverWaitsAndItsBytesStandUntilTheNext) {
  EXPECT_EQ(this->receive(), "");
  const std::size_t largest = this->device().mtu_bytes() + net::ethernet_header_bytes;
  const std::string frame(largest, 'm');
  this->world->send_from_far(frame);
  this->world->send_from_far(std::string(60, 'n'));
  this->world->settle();
  const auto got = this->device().receive();
  ASSERT_TRUE(got);
  this->world->settle();
  int releases = 0;
  EXPECT_TRUE(this->send(std::string(60, 'o'), releases));
  EXPECT_EQ(base::text_of(got->bytes), frame);
  EXPECT_EQ(this->receive(), std::string(60, 'n'));
}

TYPED_TEST(DeviceLaws, L6_WhoFoundNothingIsToldOfTheNextFrame) {
  Counted frames;
  Counted space;
  this->device().listen(&frames, &space);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(this->receive(), "");
    this->world->settle();
    frames.count = 0;
    this->world->send_from_far(std::string(60, 'a'));
    EXPECT_TRUE(this->world->turns_until([&] { return frames.count > 0; }));
    EXPECT_EQ(this->receive(), std::string(60, 'a'));
  }
  EXPECT_EQ(space.count, 0);
  this->device().listen(nullptr, nullptr);
}

TYPED_TEST(DeviceLaws, L7_WithoutListenersNothingIsScheduled) {
  Counted frames;
  this->device().listen(&frames, &frames);
  this->device().listen(nullptr, nullptr);
  this->world->send_from_far(std::string(60, 'a'));
  this->world->settle();
  EXPECT_EQ(frames.count, 0);
}

TYPED_TEST(DeviceLaws, L2L3_ARefusedFrameIsNotReleasedAndRoomIsTold) {
  if (!TypeParam::may_refuse) return;
  if (!this->world->refuse()) GTEST_SKIP() << "SKIPPED: nothing makes this device refuse a frame";
  Counted frames;
  Counted space;
  this->device().listen(&frames, &space);
  (void)this->world->at_far();
  int releases = 0;
  EXPECT_FALSE(this->send(std::string(60, 'a'), releases));
  EXPECT_FALSE(this->send(std::string(60, 'a'), releases));
  this->world->accept_again();
  EXPECT_TRUE(this->world->turns_until([&] { return space.count > 0; }));
  EXPECT_EQ(releases, 0);
  this->world->accept_again();
  this->world->settle();
  EXPECT_EQ(space.count, 1) << "once";
  EXPECT_TRUE(this->world->at_far().empty());
  EXPECT_TRUE(this->send(std::string(60, 'b'), releases));
  EXPECT_EQ(releases, 1);
  this->device().listen(nullptr, nullptr);
}

}  // namespace
