// SPDX-License-Identifier: ISC
// tests/base/log_test.cpp: what a line looks like, and what a peer cannot do to it.

#include "base/log.hpp"

#include <gtest/gtest.h>

namespace {

struct Recorder final : base::Console {
  void write(std::string_view text) noexcept override { seen += text; }
  std::string seen;
};

TEST(Log, WritesALineByLevel) {
  Recorder console;
  base::Log log(console, base::LogLevel::warning);
  log.info({"not ", "written"});
  log.warning({"disk ", "full"});
  log.error({"port 80"});
  EXPECT_EQ(console.seen, "warning: disk full\nerror: port 80\n");
}

TEST(Log, ControlCharactersCannotForgeALine) {
  Recorder console;
  base::Log log(console);
  log.info({"GET /a\r\nerror: gone\x1b[2J\x7f \xc3\xa9"});
  EXPECT_EQ(console.seen, "GET /a\\x0d\\x0aerror: gone\\x1b[2J\\x7f \xc3\xa9\n");
}

}  // namespace
