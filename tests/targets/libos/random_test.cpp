// SPDX-License-Identifier: ISC
// tests/targets/libos/random_test.cpp: copies of one machine do not draw the same random bytes.
//
// Method: fork stands for a machine that was saved once and restored twice: parent and children
// have the same key. Each child's draw must differ from all others'.

#include "targets/libos/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using Draw = std::array<unsigned char, 32>;

Draw draw_in_a_copy() {
  int ends[2];
  Draw draw{};
  if (pipe(ends) != 0) return draw;
  const pid_t child = fork();
  if (child == 0) {
    libos::random::fill(draw.data(), draw.size());
    _exit(write(ends[1], draw.data(), draw.size()) == static_cast<ssize_t>(draw.size()) ? 0 : 1);
  }
  close(ends[1]);
  EXPECT_EQ(read(ends[0], draw.data(), draw.size()), static_cast<ssize_t>(draw.size()));
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return draw;
}

TEST(Random, CopiesOfAMachineDrawDifferentBytes) {
  libos::random::begin();
  const std::array<std::uint8_t, 32> from_a_device{1, 2, 3};
  libos::random::seed(from_a_device.data(), from_a_device.size());
  ASSERT_TRUE(libos::random::is_seeded());
  constexpr std::size_t copies = 8;
  std::set<Draw> draws;
  for (std::size_t i = 0; i < copies; ++i) draws.insert(draw_in_a_copy());
  Draw own{};
  libos::random::fill(own.data(), own.size());
  draws.insert(own);
  EXPECT_EQ(draws.size(), copies + 1);
}

}  // namespace
