// SPDX-License-Identifier: ISC
// block/torn loses power as law 5 says, in each way that it allows, and in no other.
//
// Method: every outcome is tried: Outcomes answers each question with the next combination.

#include "block/torn/torn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/block/outcomes.hpp"

namespace block {
namespace {

constexpr Info info{512, 4, false};

std::vector<std::byte> sectors(char letter, std::size_t count = 1) {
  return std::vector<std::byte>(count * info.sector_bytes, static_cast<std::byte>(letter));
}

// A sector as text: a letter, or two of a torn one and where it is cut.
std::string text_of(Bytes sector) {
  const char first = static_cast<char>(sector.front() == std::byte{0} ? std::byte{'0'} : sector[0]);
  const auto other = std::ranges::find_if(sector, [&](auto b) { return b != sector.front(); });
  if (other == sector.end()) return {first};
  const char second = static_cast<char>(*other == std::byte{0} ? std::byte{'0'} : *other);
  return std::string{first, second} + std::to_string(other - sector.begin());
}

// Every state that the first `count` sectors can be in after `history` and a loss of power.
template <class History>
std::set<std::string> states(std::uint64_t count, std::uint32_t step, const History& history) {
  std::set<std::string> all;
  Outcomes outcomes;
  do {
    Torn device(info, step);
    history(device);
    device.lose_power();
    device.power_on(std::ref(outcomes));
    std::string state;
    std::vector<std::byte> bytes(info.sector_bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      EXPECT_TRUE(device.read(i, bytes).await_resume());
      state += (i == 0 ? "" : " ") + text_of(bytes);
    }
    all.insert(state);
  } while (outcomes.next());
  return all;
}

using States = std::set<std::string>;

TEST(Torn, KeepsWhatWasFlushed) {
  EXPECT_EQ(states(2, 256,
                   [](Torn& device) {
                     EXPECT_TRUE(device.write(0, sectors('a', 2)).await_resume());
                     EXPECT_TRUE(device.flush().await_resume());
                   }),
            States{"a a"});
}

TEST(Torn, WhatWasNotFlushedIsThereOrNotOrInPart) {
  EXPECT_EQ(states(1, 256,
                   [](Torn& device) { EXPECT_TRUE(device.write(0, sectors('a')).await_resume()); }),
            (States{"0", "a", "a0256"}));
  EXPECT_EQ(states(1, 512,
                   [](Torn& device) { EXPECT_TRUE(device.write(0, sectors('a')).await_resume()); }),
            (States{"0", "a"}))
      << "none is torn";
  EXPECT_EQ(
      states(1, 1, [](Torn& device) { EXPECT_TRUE(device.write(0, sectors('a')).await_resume()); })
          .size(),
      2U + 511U);
}

TEST(Torn, SectorsAreOnTheirOwn) {
  EXPECT_EQ(states(2, 512,
                   [](Torn& device) {
                     EXPECT_TRUE(device.write(0, sectors('a')).await_resume());
                     EXPECT_TRUE(device.write(1, sectors('b')).await_resume());
                   }),
            (States{"0 0", "a 0", "0 b", "a b"}))
      << "the later one without the earlier";
}

TEST(Torn, OfSeveralWritesAnyMaySurvive) {
  EXPECT_EQ(states(1, 256,
                   [](Torn& device) {
                     EXPECT_TRUE(device.write(0, sectors('a')).await_resume());
                     EXPECT_TRUE(device.write(0, sectors('b')).await_resume());
                   }),
            (States{"0", "a", "b", "a0256", "ba256"}));
}

TEST(Torn, TheOperationInWhichPowerIsLostMayHaveBeenDone) {
  const auto cut_in_second_write = [](Torn& device) {
    EXPECT_TRUE(device.write(0, sectors('a')).await_resume());
    EXPECT_TRUE(device.flush().await_resume());
    device.lose_power_after(0);
    EXPECT_EQ(device.write(0, sectors('b')).await_resume().error(), Error::unavailable);
    EXPECT_FALSE(device.is_on());
  };
  EXPECT_EQ(states(1, 256, cut_in_second_write), (States{"a", "b", "ba256"}));
  const auto cut_in_flush = [](Torn& device) {
    device.lose_power_after(1);
    EXPECT_TRUE(device.write(0, sectors('a')).await_resume());
    EXPECT_EQ(device.flush().await_resume().error(), Error::unavailable);
  };
  EXPECT_EQ(states(1, 512, cut_in_flush), (States{"0", "a"}));
}

TEST(Torn, NothingWorksWithoutPower) {
  Torn device(info);
  EXPECT_TRUE(device.write(0, sectors('a')).await_resume());
  device.lose_power();
  std::vector<std::byte> bytes(info.sector_bytes);
  EXPECT_EQ(device.read(0, bytes).await_resume().error(), Error::unavailable);
  EXPECT_EQ(device.write(1, sectors('b')).await_resume().error(), Error::unavailable);
  EXPECT_EQ(device.flush().await_resume().error(), Error::unavailable);
  device.power_on([](std::uint64_t) { return 1; });  // the write
  EXPECT_TRUE(device.read(0, bytes).await_resume());
  EXPECT_EQ(text_of(bytes), "a");
  EXPECT_TRUE(device.read(1, bytes).await_resume());
  EXPECT_EQ(text_of(bytes), "0") << "what was refused was not written";
  EXPECT_EQ(device.operation_count(), 1U);
}

}  // namespace
}  // namespace block
