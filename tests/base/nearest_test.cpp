// SPDX-License-Identifier: ISC
// tests/base/nearest_test.cpp: which word was meant, and when to be silent.

#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace {

constexpr std::array<std::string_view, 5> known{"http-port", "https-port", "threads", "log",
                                                "help"};

struct Case {
  std::string_view word;
  std::string_view meant;
};
constexpr Case cases[] = {
    {"http-prot", "http-port"},
    {"http-ports", "http-port"},
    {"https-prot", "https-port"},
    {"thread", "threads"},
    {"theards", "threads"},
    {"lgo", "log"},
    {"hepl", "help"},
    {"log", "log"},
    {"HTTP-PORT", "http-port"},
    {"HTTPS_PROT", "https-port"},
    {"Log", "log"},
    {"", ""},
    {"certificate", ""},
    {"x", ""},
    {"port", ""},
};

TEST(Nearest, Table) {
  for (const Case& c : cases) EXPECT_EQ(base::nearest(c.word, known), c.meant) << c.word;
}

TEST(Nearest, LongWordsAndNoKnownWords) {
  EXPECT_EQ(base::nearest(std::string(1'000'000, 'a'), known), "");
  EXPECT_EQ(base::nearest("log", {}), "");
}

}  // namespace
