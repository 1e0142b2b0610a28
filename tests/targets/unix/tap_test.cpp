// SPDX-License-Identifier: ISC
// tests/targets/unix/tap_test.cpp: a tap that another program had before gives what we take.

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "targets/unix/tap/tap.hpp"
#include "tests/targets/left_tap.hpp"

namespace {

using test::LeftTap;

// With a header, as a name is opened: checksums may be unfinished.
TEST(Tap, ThatQemuHadBeforeGivesFramesOfTheWiresSize) {
  const LeftTap left;
  if (!left.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  ASSERT_TRUE(LeftTap::has_unfinished() && LeftTap::has_uncut());
  const auto tap = unix_target::open_tap(LeftTap::name);
  ASSERT_TRUE(tap) << tap.error();
  EXPECT_TRUE(tap->has_header);
  EXPECT_TRUE(LeftTap::has_unfinished());
  EXPECT_FALSE(LeftTap::has_uncut());
  ::close(tap->fd);
}

TEST(Tap, ThatIsInheritedWithoutAHeaderGivesWholeFrames) {
  const LeftTap left;
  if (!left.is_there()) GTEST_SKIP() << "no network namespace with a tap can be made here";
  ASSERT_TRUE(LeftTap::has_unfinished() && LeftTap::has_uncut());
  const auto tap = unix_target::open_tap("fd:" + std::to_string(LeftTap::open()));
  ASSERT_TRUE(tap) << tap.error();
  EXPECT_FALSE(tap->has_header);
  EXPECT_FALSE(LeftTap::has_unfinished() || LeftTap::has_uncut());
  ::close(tap->fd);
}

}  // namespace
