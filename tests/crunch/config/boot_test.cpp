// SPDX-License-Identifier: ISC
// tests/crunch/config/boot_test.cpp: boot lines, good and bad.
//
// Method: one table of good lines with the values they give, one of bad lines with the sentence.

#include "crunch/config/boot.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace crunch::config;

enum class Colour : std::uint8_t { red, green, blue };
constexpr std::string_view colours[] = {"red", "green", "blue"};

constexpr Key<std::uint16_t> port{
    .name = "http-port", .section = "NETWORK", .doc = "The port", .fallback = 80};
constexpr Key<unsigned> threads{
    .name = "threads", .section = "UNIX", .doc = "Threads", .fallback = 1, .least = 1, .most = 64};
constexpr Key<std::string_view> host{
    .name = "hostname", .section = "NETWORK", .doc = "The name", .fallback = "localhost"};
constexpr Key<bool> quiet{.name = "quiet", .section = "UNIX", .doc = "Say nothing"};
constexpr Key<Colour> colour{.name = "colour",
                             .section = "UNIX",
                             .doc = "A colour",
                             .fallback = Colour::red,
                             .words = colours};
const std::vector<KeyInfo> keys{info_of(port), info_of(threads), info_of(host), info_of(quiet),
                                info_of(colour)};

using Words = std::vector<std::string_view>;

struct Good {
  Words words;
  unsigned port, threads;
  std::string_view host;
  bool quiet;
  Colour colour;
};

TEST(BootLine, GoodLines) {
  const Good table[] = {
      {{}, 80, 1, "localhost", false, Colour::red},
      {{"--http-port=0"}, 0, 1, "localhost", false, Colour::red},
      {{"--http-port", "65535", "--quiet"}, 65535, 1, "localhost", true, Colour::red},
      {{"--quiet=true", "--quiet=false"}, 80, 1, "localhost", false, Colour::red},
      {{"--hostname=", "--threads=64"}, 80, 64, "", false, Colour::red},
      {{"--hostname=a=b", "--colour=blue"}, 80, 1, "a=b", false, Colour::blue},
      {{"--http-port=1", "--http-port=2"}, 2, 1, "localhost", false, Colour::red},
  };
  for (const Good& good : table) {
    auto line = BootLine::parse(good.words, keys);
    ASSERT_TRUE(line) << line.error();
    EXPECT_EQ(line->value(port), good.port);
    EXPECT_EQ(line->value(threads), good.threads);
    EXPECT_EQ(line->value(host), good.host);
    EXPECT_EQ(line->value(quiet), good.quiet);
    EXPECT_EQ(line->value(colour), good.colour);
    EXPECT_FALSE(line->wants_help());
  }
}

struct Bad {
  Words words;
  std::string_view sentence;
};

TEST(BootLine, BadLinesSayWhatIsWrongAndWhatWouldBeRight) {
  const Bad table[] = {
      {{"--http-prot=80"},
       "unknown option '--http-prot=80'; did you mean --http-port? (--help lists them)"},
      {{"--certificate"}, "unknown option '--certificate' (--help lists them)"},
      {{"serve"}, "unknown option 'serve' (--help lists them)"},
      {{"-x"}, "unknown option '-x' (--help lists them)"},
      {{""}, "unknown option '' (--help lists them)"},
      {{"--http-port"}, "option --http-port needs a value: --http-port=N"},
      {{"--http-port=65536"},
       "option --http-port cannot be '65536'; it takes a whole number from 0 to 65535"},
      {{"--http-port=80x"},
       "option --http-port cannot be '80x'; it takes a whole number from 0 to 65535"},
      {{"--http-port="},
       "option --http-port cannot be ''; it takes a whole number from 0 to 65535"},
      {{"--threads=0"}, "option --threads cannot be '0'; it takes a whole number from 1 to 64"},
      {{"--threads=-1"}, "option --threads cannot be '-1'; it takes a whole number from 1 to 64"},
      {{"--quiet=maybe"}, "option --quiet cannot be 'maybe'; it takes true or false"},
      {{"--colour=pink"}, "option --colour cannot be 'pink'; it takes red, green or blue"},
  };
  for (const Bad& bad : table) {
    auto line = BootLine::parse(bad.words, keys);
    ASSERT_FALSE(line) << bad.sentence;
    EXPECT_EQ(line.error(), bad.sentence);
  }
}

TEST(BootLine, HelpListsKeysBySection) {
  Words words{"--help"};
  EXPECT_TRUE(BootLine::parse(words, keys)->wants_help());
  EXPECT_EQ(help_text("site", keys),
            "Usage: site [--key=value]...\n"
            "\nNETWORK\n"
            "  --http-port=N                   The port (default 80)\n"
            "  --hostname=TEXT                 The name (default localhost)\n"
            "\nUNIX\n"
            "  --threads=N                     Threads (default 1)\n"
            "  --quiet                         Say nothing (default false)\n"
            "  --colour=red|green|blue         A colour (default red)\n"
            "\n  --help                          Print this and exit\n");
}

}  // namespace
