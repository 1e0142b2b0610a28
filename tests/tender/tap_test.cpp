// SPDX-License-Identifier: ISC
// tests/tender/tap_test.cpp: a tap that another program had before gives whole frames.

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tender/tap.hpp"
#include "tests/targets/left_tap.hpp"

namespace {

using test::LeftTap;

TEST(Tap, ThatQemuHadBeforeGivesWholeFrames) {
  const LeftTap left;
  if (!left.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  ASSERT_TRUE(LeftTap::has_unfinished() && LeftTap::has_uncut());
  const tender::Tap tap = tender::open_tap(LeftTap::name);
  EXPECT_FALSE(LeftTap::has_unfinished() || LeftTap::has_uncut());
}

TEST(Tap, ThatIsInheritedGivesWholeFrames) {
  const LeftTap left;
  if (!left.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  ASSERT_TRUE(LeftTap::has_unfinished() && LeftTap::has_uncut());
  const tender::Tap tap = tender::open_tap("@" + std::to_string(LeftTap::open()));
  EXPECT_FALSE(LeftTap::has_unfinished() || LeftTap::has_uncut());
}

}  // namespace
