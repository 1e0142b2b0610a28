// SPDX-License-Identifier: ISC
// The clock that a host shares, read while the host writes it: the test is the host, and writes
// between two attempts of the reader.

#include "targets/libos/pvclock.hpp"

#include <gtest/gtest.h>

namespace libos::pvclock {
namespace {

TEST(Pvclock, IsOfOneVersionAlthoughTheHostIsWriting) {
  // The host has begun, and written one half.
  SharedTime shared{.version = 5,
                    .padding = 0,
                    .tsc = 1'000,
                    .system_ns = 7,
                    .multiplier = 3,
                    .shift = 1,
                    .flags = 0,
                    .more_padding = {}};
  int waits = 0;
  const Time time = read_time(shared, [&]() noexcept {
    ++waits;
    shared.system_ns = 2'000;
    shared.multiplier = 0x80000000U;
    shared.shift = 0;
    shared.version = 6;
  });
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(time.tsc, 1'000U);
  EXPECT_EQ(time.system_ns, 2'000U);
  EXPECT_EQ(time.multiplier, 0x80000000U);
  EXPECT_EQ(time.shift, 0);
  static_cast<void>(read_time(shared, [&]() noexcept { ++waits; }));
  EXPECT_EQ(waits, 1) << "an even version is read at once";
}

TEST(Pvclock, IsReadAgainWhenItChangedMeanwhile) {
  std::uint32_t version = 2;
  std::uint64_t value = 10;
  int reads = 0;
  int waits = 0;
  const std::uint64_t seen = read_version(
      version,
      [&]() noexcept {
        const std::uint64_t copy = value;
        // The host writes between our two looks at the version, once.
        if (++reads == 1) {
          value = 20;
          version = 4;
        }
        return copy;
      },
      [&]() noexcept { ++waits; });
  EXPECT_EQ(seen, 20U);
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(waits, 1);
}

TEST(Pvclock, TheDateHasItsVersionToo) {
  SharedWall wall{.version = 1, .seconds = 5, .nanoseconds = 999'999'999};
  const std::uint64_t at_0 = read_wall(wall, nullptr, [&]() noexcept {
    wall.seconds = 6;
    wall.nanoseconds = 1;
    wall.version = 2;
  });
  EXPECT_EQ(at_0, 6'000'000'001U);
  const std::uint32_t high = 1;
  EXPECT_EQ(read_wall(wall, &high), (0x100000006ULL * second_ns) + 1);
  wall.seconds = 0;
  EXPECT_EQ(read_wall(wall), 0U) << "the host does not know the date";
}

TEST(Pvclock, CountsAsTheHostSays) {
  const struct {
    std::uint32_t multiplier;
    std::int8_t shift;
    std::uint64_t ticks, ns, hz;
  } table[] = {
      {0x80000000U, 0, 1'000, 500, 2'000'000'000},
      {0x80000000U, 1, 1'000, 1'000, 1'000'000'000},
      {0x80000000U, -1, 1'000, 250, 4'000'000'000},
      {0, 0, 1'000, 0, 0},
      {0x80000000U, 64, 1'000, 0, 0},  // shifts that are none
      {0x80000000U, -64, 1'000, 0, 0},
      {0x80000000U, 127, 1'000, 0, 0},
      {0x80000000U, -128, 1'000, 0, 0},
  };
  for (const auto& row : table) {
    const Time time{100, 10'000, row.multiplier, row.shift};
    EXPECT_EQ(ns_at(time, 100 + row.ticks), 10'000 + row.ns) << int{row.shift};
    EXPECT_EQ(tsc_hz(time), row.hz) << int{row.shift};
  }
}

}  // namespace
}  // namespace libos::pvclock
