// SPDX-License-Identifier: ISC
// tests/config/boot_test.cpp: boot lines, good and bad.
//
// Method: one table of good lines with the values they give, one of bad lines with the sentence.

#include "config/boot.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace {

using namespace config;

enum class Colour : std::uint8_t { red, green, blue };
constexpr std::string_view colours[] = {"red", "green", "blue"};

constexpr Key<Port> port{
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
constexpr Key<bool> store{
    .name = "store", .section = "SITE", .doc = "Where it is", .stage = Stage::build};
const std::vector<KeyInfo> keys{info_of(port),  info_of(threads), info_of(host),
                                info_of(quiet), info_of(colour),  info_of(store)};

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

// Neither stage can give the other's, so they may share a name.
TEST(BootLine, AKeyOfTheBuildMayHaveTheNameOfOneOfTheBoot) {
  constexpr Key<Colour> of_build{.name = "vault",
                                 .section = "S",
                                 .doc = "Which",
                                 .fallback = Colour::red,
                                 .words = colours,
                                 .stage = Stage::build};
  constexpr Key<Path> of_boot{
      .name = "vault", .section = "S", .doc = "Where", .fallback = "", .stage = Stage::boot};
  for (const std::vector<KeyInfo>& both : {std::vector{info_of(of_build), info_of(of_boot)},
                                           std::vector{info_of(of_boot), info_of(of_build)}}) {
    const Words words{"--vault=/a/path"};
    const auto line = BootLine::parse(words, both);
    ASSERT_TRUE(line) << line.error();
    EXPECT_EQ(line->value(of_boot).text, "/a/path");
  }
}

TEST(BootLine, SaysHowOftenAKeyIsGiven) {
  const Words words{"--http-port=1", "--quiet", "--http-port=1"};
  auto line = BootLine::parse(words, keys);
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->count("http-port"), 2U);
  EXPECT_EQ(line->count("quiet"), 1U);
  EXPECT_EQ(line->count("hostname"), 0U);
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
      {{"--http-port"}, "option --http-port needs a value: --http-port=PORT"},
      {{"--http-port=65536"},
       "option --http-port cannot be '65536'; it takes a port from 0 to 65535"},
      {{"--http-port=80x"}, "option --http-port cannot be '80x'; it takes a port from 0 to 65535"},
      {{"--http-port="}, "option --http-port cannot be ''; it takes a port from 0 to 65535"},
      {{"--threads=0"}, "option --threads cannot be '0'; it takes a whole number from 1 to 64"},
      {{"--threads=-1"}, "option --threads cannot be '-1'; it takes a whole number from 1 to 64"},
      {{"--quiet=maybe"}, "option --quiet cannot be 'maybe'; it takes true or false"},
      {{"--colour=pink"}, "option --colour cannot be 'pink'; it takes red, green or blue"},
      {{"--colour=gren"},
       "option --colour cannot be 'gren'; it takes red, green or blue; did you mean green?"},
      {{"--store"}, "option --store is chosen when the image is built: crunch build --set store"},
  };
  for (const Bad& bad : table) {
    auto line = BootLine::parse(bad.words, keys);
    ASSERT_FALSE(line) << bad.sentence;
    EXPECT_EQ(line.error(), bad.sentence);
  }
}

constexpr Setting built_in[] = {{"http-port", "8080"}, {"colour", "blue"}, {nullptr, nullptr}};

char* environment(const char* name) {
  static char five[] = "5";
  static char six[] = "6";
  const std::string_view text = name;
  return text == "CRUNCH_THREADS" ? five : text == "CRUNCH_HTTP_PORT" ? six : nullptr;
}
char* bad_environment(const char* name) {
  static char none[] = "none";
  return std::string_view(name) == "CRUNCH_THREADS" ? none : nullptr;
}

TEST(BootLine, TheBuildIsBelowTheEnvironmentAndThatBelowTheBootLine) {
  const Words words{"--threads=9"};
  const auto line = BootLine::parse(words, keys, built_in, environment);
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->value(colour), Colour::blue);
  EXPECT_EQ(line->value(port), 6);
  EXPECT_EQ(line->text(port), "6");
  EXPECT_EQ(line->value(threads), 9U);
  EXPECT_EQ(line->text(host), "localhost");
  EXPECT_TRUE(line->has("threads"));
  EXPECT_FALSE(line->has("http-port"));
  EXPECT_EQ(line->default_of(info_of(port)), "8080");
}

// A machine's host must not hide what the build set.
TEST(BootLine, TheHostIsBelowTheBootLineAndAboveTheEnvironmentAndTheBuild) {
  const Words words{"--threads=9"};
  const auto given = BootLine::parse(words, keys, built_in, environment);
  ASSERT_TRUE(given) << given.error();
  const std::vector<std::string> host_words{"--http-port=7", "--threads=3", "--hostname=guest"};
  const auto line = given->with_host(host_words);
  ASSERT_TRUE(line) << line.error();
  EXPECT_EQ(line->value(colour), Colour::blue) << "the build's";
  EXPECT_EQ(line->value(port), 7);
  EXPECT_EQ(line->value(threads), 9U);
  EXPECT_EQ(line->value(host), "guest");
  const std::vector<std::string> bad{"--threads=65"};
  EXPECT_EQ(given->with_host(bad).error(),
            "option --threads cannot be '65'; it takes a whole number from 1 to 64");
}

TEST(BootLine, BadValuesFromElsewhereAreSentencesToo) {
  EXPECT_EQ(BootLine::parse({}, keys, nullptr, bad_environment).error(),
            "CRUNCH_THREADS in the environment cannot be 'none'; it takes a whole number from 1 to "
            "64");
  constexpr Setting foreign[] = {{"no-key", "1"}, {nullptr, nullptr}};
  EXPECT_EQ(BootLine::parse({}, keys, foreign).error(),
            "the image has a setting 'no-key' that it cannot use");
}

TEST(BootLine, HelpIsAPageBySection) {
  const Words words{"--help"};
  const auto line = BootLine::parse(words, keys, built_in);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->wants_help());
  const std::string help = help_text("/bin/site", keys, *line);
  EXPECT_TRUE(
      help.starts_with("NAME\n"
                       "       site - an appliance made by crunch\n"
                       "\nSYNOPSIS\n"
                       "       site [--KEY=VALUE]...\n"
                       "\nNETWORK\n"
                       "       --http-port=PORT\n"
                       "              The port (default 8080)\n"
                       "       --hostname=TEXT\n"
                       "              The name (default localhost)\n"
                       "\nUNIX\n"
                       "       --threads=N\n"
                       "              Threads (default 1)\n"
                       "       --quiet[=true|false]\n"
                       "              Say nothing (default false)\n"
                       "       --colour=red|green|blue\n"
                       "              A colour (default blue)\n"
                       "\nHELP\n"))
      << help;
  EXPECT_EQ(help.find("store"), help.npos) << "no boot gives it";
}

TEST(BootLine, AKeyThatNobodyListedIsNoValue) {
  constexpr Key<unsigned> unlisted{.name = "unlisted", .section = "UNIX", .doc = "None"};
  const auto line = BootLine::parse({}, keys);
  ASSERT_TRUE(line);
  try {
    static_cast<void>(line->value(unlisted));
    FAIL() << "it has a value";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(),
                 "the key 'unlisted' is read by a connect that does not list it in its `keys`");
  }
}

// A person may take the option for the secret's own place.
TEST(BootLine, WhatIsGivenForASecretIsNotShown) {
  static constexpr Key<Secret> secret{
      .name = "token", .section = "S", .doc = "D", .fallback = "", .stage = Stage::boot};
  const KeyInfo of_secret[] = {info_of(secret)};
  const std::string_view words[] = {"--token=hunter2"};
  const auto refused = BootLine::parse(words, of_secret);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            "option --token cannot be what was given (it is not shown); it takes file:PATH or "
            "vault:KEY, where the secret is, and not the secret");
  const auto environment = [](const char*) {
    static char value[] = "hunter2";
    return value;
  };
  const auto other = BootLine::parse({}, of_secret, nullptr, environment);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().find("hunter2"), std::string::npos);
  const std::string_view good[] = {"--token=vault:acme/eab"};
  const auto boot = BootLine::parse(good, of_secret);
  ASSERT_TRUE(boot.has_value());
  EXPECT_EQ(boot->value(secret).from, Secret::From::vault);
  EXPECT_EQ(boot->value(secret).name, "acme/eab");
}

}  // namespace
