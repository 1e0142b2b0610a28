// SPDX-License-Identifier: ISC
// tests/base/lost_lines_test.cpp: a console whose reader stops and goes on.
//
// Method:  a medium with so much room; every line must be in it, or be counted by a notice.

#include "base/lost_lines.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

struct Medium {
  std::string text;
  std::size_t room = 0;
  bool operator()(std::string_view part) noexcept {
    const std::size_t taken = std::min(room, part.size());
    text += part.substr(0, taken);
    room -= taken;
    return taken == part.size();
  }
};

TEST(LostLines, AreCountedAndToldOnce) {
  Medium medium;
  base::LostLines console;
  auto write = [&](std::string_view text) {
    console.write(text, [&](std::string_view part) noexcept { return medium(part); });
  };
  medium.room = 8;
  write("one\n");
  write("two, cut\n");
  write("three\nfour\n");
  EXPECT_EQ(medium.text, "one\ntwo,");
  EXPECT_EQ(console.count(), 3U);

  medium.room = 5;  // not even the notice
  write("five\n");
  EXPECT_EQ(console.count(), 4U);

  medium.text.clear();
  medium.room = 1000;
  write("six\n");
  write("seven\n");
  EXPECT_EQ(medium.text,
            "\nwarning: the console was not read in time; 4 lines were lost\nsix\nseven\n");
  EXPECT_EQ(console.count(), 0U);
}

}  // namespace
