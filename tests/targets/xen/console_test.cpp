// SPDX-License-Identifier: ISC
// Our end of the console's ring, and readers that lie.

#include "targets/xen/console_out.hpp"

#include <gtest/gtest.h>

#include <string>

namespace xen_target {
namespace {

class XenConsole : public testing::Test {
 protected:
  XenConsole() { out.begin(ring); }
  unsigned put_all() {
    unsigned count = 0;
    while (count < 2 * ConsoleOut::size_bytes && out.put('x')) ++count;
    return count;
  }

  xencons_interface ring{};
  ConsoleOut out;
};

TEST_F(XenConsole, PutsAsMuchAsThereIsRoomFor) {
  EXPECT_TRUE(out.put('a'));
  EXPECT_TRUE(out.put('b'));
  EXPECT_EQ(std::string(ring.out, 2), "ab");
  EXPECT_EQ(ring.out_prod, 2U);
  EXPECT_EQ(put_all(), ConsoleOut::size_bytes - 2);
  ring.out_cons += 10;
  EXPECT_EQ(put_all(), 10U);
}

TEST_F(XenConsole, GoesOnWhereTheRingIs) {
  ring.out_prod = ring.out_cons = 0xfffffffeU;
  out.begin(ring);
  EXPECT_EQ(put_all(), ConsoleOut::size_bytes) << "over the end of the index";
  EXPECT_EQ(ring.out_prod, 0xfffffffeU + ConsoleOut::size_bytes);
}

TEST_F(XenConsole, ItsOwnIndexIsNotReadBack) {
  EXPECT_TRUE(out.put('a'));
  for (const std::uint32_t lie : {0U, 5U, 0x7fffffffU, 0xffffffffU}) {
    const std::uint32_t before = out.unread();
    ring.out_prod = lie;
    EXPECT_EQ(out.unread(), before);
    EXPECT_TRUE(out.put('b'));
    EXPECT_EQ(out.unread(), before + 1);
  }
  EXPECT_EQ(std::string(ring.out, 5), "abbbb");
}

TEST_F(XenConsole, AReaderThatHasReadMoreThanThereIsLeavesNoRoom) {
  EXPECT_TRUE(out.put('a'));
  for (const std::uint32_t lie : {2U, 1000U, 0x80000001U}) {
    ring.out_cons = lie;
    EXPECT_GT(out.unread(), ConsoleOut::size_bytes) << lie;
    EXPECT_FALSE(out.put('b')) << lie;
  }
  ring.out_cons = 1;
  EXPECT_TRUE(out.put('b'));
}

}  // namespace
}  // namespace xen_target
