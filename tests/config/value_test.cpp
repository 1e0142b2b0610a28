// SPDX-License-Identifier: ISC
// tests/config/value_test.cpp: texts that are values, and texts that are none.
//
// Method: one table of shapes with texts that fit and texts that do not, chosen at the edges of
// each type; then what is read from a few of them.

#include "config/value.hpp"

#include <gtest/gtest.h>

#include "config/key.hpp"

namespace {

using namespace config;
using Texts = std::vector<std::string_view>;

constexpr std::string_view colours[] = {"red", "green"};
enum class Colour : std::uint8_t { red, green };

constexpr Key<bool> toggle{.name = "k", .section = "S", .doc = "D"};
constexpr Key<int> number{
    .name = "k", .section = "S", .doc = "D", .fallback = 0, .least = -5, .most = 70};
constexpr Key<std::uint64_t> large{.name = "k", .section = "S", .doc = "D"};
constexpr Key<Port> port{.name = "k", .section = "S", .doc = "D", .fallback = 80};
constexpr Key<Colour> word{.name = "k", .section = "S", .doc = "D", .words = colours};
constexpr Key<Address> address{.name = "k", .section = "S", .doc = "D", .fallback = ""};
constexpr Key<Address> only4{.name = "k", .section = "S", .doc = "D", .fallback = "", .version = 4};
constexpr Key<Prefix> prefix{.name = "k", .section = "S", .doc = "D", .fallback = ""};
constexpr Key<Duration> duration{
    .name = "k", .section = "S", .doc = "D", .fallback = "30s", .least = "1s", .most = "7d"};
constexpr Key<Size> size{.name = "k", .section = "S", .doc = "D", .fallback = "64KiB"};
constexpr Key<Path> path{.name = "k", .section = "S", .doc = "D", .fallback = "/"};
constexpr Key<Secret> secret{.name = "k", .section = "S", .doc = "D", .fallback = ""};
constexpr Key<List<Port>> ports{.name = "k", .section = "S", .doc = "D", .fallback = "80,443"};
constexpr Key<List<Colour>> words{
    .name = "k", .section = "S", .doc = "D", .fallback = "", .words = colours};

struct Row {
  KeyInfo key;
  Texts good, bad;
  std::string_view takes, placeholder;
};

TEST(Value, TextsThatFitAndTextsThatDoNot) {
  const Row table[] = {
      {info_of(toggle), {"true", "false"}, {"", "yes", "1", "True"}, "true or false", ""},
      {info_of(number),
       {"-5", "0", "70", "007"},
       {"", "-", "-6", "71", "1.0", " 1", "1 ", "0x1", "99999999999999999999"},
       "a whole number from -5 to 70",
       "=N"},
      {info_of(large),
       {"0", "999999999999999999"},
       {"-1", "9999999999999999999"},
       "a whole number from 0 to 9223372036854775807",
       "=N"},
      {info_of(port), {"0", "65535"}, {"65536", "-1", ""}, "a port from 0 to 65535", "=PORT"},
      {info_of(word), {"red", "green"}, {"", "Red", "blue"}, "red or green", "=red|green"},
      {info_of(address),
       {"", "0.0.0.0", "192.0.2.255", "::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8",
        "1::", "1:2:3:4:5:6:7::", "::ffff:192.0.2.1", "FE80::A"},
       {"192.0.2", "192.0.2.256", "192.0.2.01", "1.2.3.4.5", ":", ":::", "1::2::3", "12345::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", "g::", "1:2:3:4:5:6:7:1.2.3.4",
        "1x2::", "::1.2.3", "fe80::1%eth0", "localhost"},
       "an IPv4 or IPv6 address, as in 192.0.2.1",
       "=ADDRESS"},
      {info_of(only4), {"", "192.0.2.1"}, {"::1"}, "an IPv4 address, as in 192.0.2.1", "=ADDRESS"},
      {info_of(prefix),
       {"", "192.0.2.2/24", "0.0.0.0/0", "192.0.2.2/32", "2001:db8::2/64", "::/128"},
       {"192.0.2.2", "192.0.2.2/", "/24", "192.0.2.2/33", "::/129", "::/-1", "::/6x"},
       "an IPv4 or IPv6 address and the bits of its network, as in 192.0.2.2/24",
       "=ADDRESS/N"},
      {info_of(duration),
       {"1s", "1000ms", "5m", "2h", "7d"},
       {"", "30", "999ms", "8d", "s", "1 s", "-1s", "1w", "99999999999999999d"},
       "a time like 250ms, 30s, 5m, 2h or 7d from 1000ms to 604800000ms",
       "=TIME"},
      {info_of(size),
       {"0", "512", "64KiB", "16MiB", "1GiB", "1TiB"},
       {"", "KiB", "1KB", "1.5MiB", "-1", "99999999999TiB"},
       "bytes, as in 512, 64KiB, 16MiB or 1GiB",
       "=BYTES"},
      {info_of(path), {"", "/srv/www", "a b"}, {}, "text", "=PATH"},
      {info_of(secret),
       {"", "file:/etc/key", "file:k", "vault:acme/key"},
       {"hunter2", "/etc/key", "file:", "vault:", "FILE:k"},
       "file:PATH or vault:KEY, where the secret is, and not the secret",
       "=file:PATH|vault:KEY"},
      {info_of(ports),
       {"", "80", "80,443"},
       {",", "80,", ",80", "80,,443", "80,65536"},
       "a list with commas, each a port from 0 to 65535",
       "=PORT,..."},
      {info_of(words),
       {"", "red", "green,red"},
       {"blue", "red,blue"},
       "a list with commas, each red or green",
       "=red|green,..."},
  };
  for (const Row& row : table) {
    EXPECT_EQ(takes(row.key.shape), row.takes);
    EXPECT_EQ(placeholder(row.key.shape), row.placeholder);
    EXPECT_TRUE(fits(row.key.shape, row.key.fallback())) << row.takes;
    for (const auto text : row.good) EXPECT_TRUE(fits(row.key.shape, text)) << text << row.takes;
    for (const auto text : row.bad) EXPECT_FALSE(fits(row.key.shape, text)) << text << row.takes;
  }
}

// Constant expressions, as for build keys.
static_assert(read<int>(info_of(number).shape, "-5") == -5);
static_assert(read<Colour>(info_of(word).shape, "green") == Colour::green);
static_assert(read<Duration>(info_of(duration).shape, "2m") == Duration(120'000));
static_assert(read<Size>(info_of(size).shape, "2KiB")->bytes == 2048);
static_assert(read<Prefix>(info_of(prefix).shape, "192.0.2.2/24")->bits == 24);
static_assert(read<Prefix>(info_of(prefix).shape, "")->address.version == 0);
static_assert(read<List<Port>>(info_of(ports).shape, "80,443")->at(1) == 443);
static_assert(fallback_of(duration) == Duration(30'000));

TEST(Value, Ipv6AddressesByTheirBytes) {
  const auto bytes = read<Address>(info_of(address).shape, "2001:db8::ffff:192.0.2.1")->bytes;
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xff,
                                                 0xff, 192, 0, 2, 1}));
}

}  // namespace
