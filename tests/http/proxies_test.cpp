// SPDX-License-Identifier: ISC
// tests/http/proxies_test.cpp: who asked, as proxies say it; and what a log says of that.
//
// Method: a table of peers, fields and the visitor that they come to; servers in memory whose peer
// is trusted or not.

#include "http/proxies.hpp"

#include <gtest/gtest.h>

#include "http/access_log.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using http::Visitor;
using Scheme = Visitor::Scheme;

net::Endpoint address(const char* text) { return net::address_of(text).value(); }

http::TrustedProxies trusted() {
  return http::TrustedProxies(
      {{address("10.0.0.0"), 96 + 8}, {address("192.0.2.1"), 128}, {address("2001:db8:1::"), 48}});
}

struct Row {
  const char* peer;
  const char* fields;
  const char* visitor;
  Scheme scheme = Scheme::unknown;
};
const Row rows[] = {
    // Nobody is believed who is not trusted.
    {"198.51.100.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n",
     "198.51.100.1"},
    {"11.0.0.1", "Forwarded: for=203.0.113.9;proto=https\r\n", "11.0.0.1"},
    {"10.255.255.255", "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"},
    {"2001:db8:1:ffff::1", "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"},
    {"2001:db8:2::1", "X-Forwarded-For: 203.0.113.9\r\n", "2001:db8:2::1"},
    // The rightmost that is not trusted; what is left of it is the visitor's own.
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.0.0.2\r\n", "203.0.113.9"},
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"},
    {"10.0.0.1", "x-forwarded-for:  203.0.113.9 ,\t\r\n", "203.0.113.9"},
    {"10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3"},
    {"10.0.0.1", "", "10.0.0.1"},
    {"10.0.0.1", "X-Forwarded-For: \r\n", "10.0.0.1"},
    // Ports, brackets.
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9:4711\r\n", "203.0.113.9"},
    {"10.0.0.1", "X-Forwarded-For: [2001:db8::7]:4711\r\n", "2001:db8::7"},
    {"10.0.0.1", "X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"},
    {"10.0.0.1", "X-Forwarded-For: ::ffff:203.0.113.9\r\n", "203.0.113.9"},
    // What cannot be read: the last that is known.
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, unknown\r\n", "10.0.0.1"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, 999.1.1.1, 10.0.0.2\r\n", "10.0.0.2"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, [2001:db8::7, 10.0.0.2\r\n", "10.0.0.2"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, [2001:db8::7]x\r\n", "10.0.0.1"},
    // Forwarded goes before, if it is there at all.
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=203.0.113.9\r\n", "203.0.113.9"},
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=_hidden\r\n", "10.0.0.1"},
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\r\nForwarded: proto=https\r\n", "10.0.0.1",
     Scheme::https},
    {"10.0.0.1", "Forwarded: For=\"[2001:db8::7]:4711\"; Proto=HTTPS;by=x\r\n", "2001:db8::7",
     Scheme::https},
    {"10.0.0.1", "Forwarded: for=1.1.1.1;proto=https, for=203.0.113.9;proto=http\r\n",
     "203.0.113.9", Scheme::http},
    {"10.0.0.1", "Forwarded: for=203.0.113.9;proto=https, for=10.0.0.2;proto=http\r\n",
     "203.0.113.9", Scheme::https},
    {"10.0.0.1", "Forwarded: for=203.0.113.9;host=\"a,b;for=1.1.1.1\"\r\n", "203.0.113.9"},
    {"10.0.0.1", "Forwarded: host=\"\\\",for=1.1.1.1\";for=203.0.113.9\r\n", "203.0.113.9"},
    {"10.0.0.1", "Forwarded: for=\"203.0.113.9\r\n", "10.0.0.1"},
    // How it came.
    {"10.0.0.1", "X-Forwarded-Proto: https\r\n", "10.0.0.1", Scheme::https},
    {"10.0.0.1", "X-Forwarded-Proto: gopher\r\n", "10.0.0.1"},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, 10.0.0.2\r\nX-Forwarded-Proto: https, http\r\n",
     "203.0.113.9", Scheme::https},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n",
     "203.0.113.9", Scheme::https},
    {"10.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https, http\r\n",
     "203.0.113.9", Scheme::http},
};

TEST(Proxies, SayWhoAsks) {
  for (const Row& row : rows) {
    const std::string head = std::string("GET / HTTP/1.1\r\nHost: h\r\n") + row.fields + "\r\n";
    http::Request request;
    request.head = head;
    const Visitor visitor = visitor_of(request, address(row.peer), trusted());
    EXPECT_EQ(net::address_text(visitor.address), row.visitor) << row.peer << " " << row.fields;
    EXPECT_EQ(visitor.scheme, row.scheme) << row.peer << " " << row.fields;
  }
}

// Long lists are bounded, and their right end is what counts.
TEST(Proxies, ListsAreBounded) {
  std::string list = "1.1.1.1";
  for (int i = 0; i < 1000; ++i) list += ", 203.0.113.9";
  list += ", 10.0.0.2";
  const std::string head = "GET / HTTP/1.1\r\nX-Forwarded-For: " + list + "\r\n\r\n";
  http::Request request;
  request.head = head;
  EXPECT_EQ(net::address_text(visitor_of(request, address("10.0.0.1"), trusted()).address),
            "203.0.113.9");
}

TEST(Proxies, NetworksEndAtAnyBit) {
  const http::TrustedProxies odd({{address("192.168.20.0"), 96 + 22}, {address("2001:db8::"), 33}});
  EXPECT_TRUE(odd.contains(address("192.168.23.255")));
  EXPECT_FALSE(odd.contains(address("192.168.24.0")));
  EXPECT_TRUE(odd.contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(odd.contains(address("2001:db8:8000::1")));
  EXPECT_TRUE(http::TrustedProxies({{{}, 0}}).contains(address("8.8.8.8")));
  EXPECT_FALSE(http::TrustedProxies().contains(address("8.8.8.8")));
}

std::string ask(const http::Options& options, const std::string& fields, std::string* log = nullptr,
                http::LogFormat format = http::LogFormat::off) {
  http_test::World<http_test::ScriptedStore> world(options, format);
  auto wire = world.dial();
  wire->push("GET /a.txt?q=1 HTTP/1.1\r\nHost: h.example\r\n" + fields + "\r\n");
  world.settle();
  std::string answer = wire->take();
  wire->end();
  if (log != nullptr) *log = world.console.text;
  return answer;
}

// The peer in memory is 192.0.2.1.
TEST(Proxies, DecideAboutHttps) {
  http::Options to_https;
  to_https.https_port = 443;
  to_https.proxied_hsts_s = 99;
  const std::string by_https = "X-Forwarded-Proto: https\r\n",
                    by_http = "X-Forwarded-Proto: http\r\n";
  EXPECT_EQ(ask(to_https, by_https).substr(9, 3), "308");  // nobody is trusted
  to_https.trusted_proxies = trusted();
  const std::string answer = ask(to_https, by_https);
  EXPECT_EQ(answer.substr(9, 3), "200");
  EXPECT_NE(answer.find("Strict-Transport-Security: max-age=99\r\n"), std::string::npos);
  EXPECT_EQ(ask(to_https, by_http).substr(9, 3), "308");
  EXPECT_EQ(ask(to_https, "").substr(9, 3), "308");

  http::Options secure;
  secure.is_secure = true;
  secure.hsts_s = 7;
  secure.trusted_proxies = trusted();
  EXPECT_NE(ask(secure, by_https).find("max-age=7\r\n"), std::string::npos);
  EXPECT_EQ(ask(secure, by_http).find("Strict-Transport"), std::string::npos);
}

// A certificate may come while the server runs, and be another one later.
TEST(Proxies, HttpsIsAskedForAtEachRequest) {
  std::atomic<bool> has_https = false;
  std::atomic<bool> may_pin = false;
  http::Options beside;
  beside.https_port = 443;
  beside.has_https = &has_https;
  http::Options secure;
  secure.is_secure = true;
  secure.hsts_s = 7;
  secure.may_pin = &may_pin;
  for (const bool is_there : {false, true, false}) {
    has_https = may_pin = is_there;
    EXPECT_EQ(ask(beside, "").substr(9, 3), is_there ? "308" : "200");
    EXPECT_EQ(ask(secure, "").find("max-age=7") != std::string::npos, is_there);
  }
  // One server, and one connection.
  http_test::World<http_test::ScriptedStore> world(beside, http::LogFormat::off);
  auto wire = world.dial();
  for (const bool is_there : {false, true, false}) {
    has_https = is_there;
    wire->push("GET /a.txt HTTP/1.1\r\nHost: h.example\r\n\r\n");
    world.settle();
    EXPECT_EQ(wire->take().substr(9, 3), is_there ? "308" : "200");
  }
  wire->end();
  world.settle();
}

TEST(Proxies, TheLogNamesTheVisitor) {
  http::Options options;
  std::string log;
  const std::string fields = "X-Forwarded-For: 203.0.113.9\r\n";
  ask(options, fields, &log, http::LogFormat::combined);
  EXPECT_TRUE(log.starts_with("192.0.2.1 - - ")) << log;
  options.trusted_proxies = trusted();
  ask(options, fields, &log, http::LogFormat::combined);
  EXPECT_TRUE(log.starts_with("203.0.113.9 - - ")) << log;
  ask(options, fields, &log, http::LogFormat::json);
  EXPECT_NE(log.find("\"peer\":\"203.0.113.9\""), std::string::npos) << log;
}

// ---- privacy

http::LogEntry entry_of(const char* peer) {
  http::LogEntry entry;
  entry.peer = address(peer);
  entry.method = "GET";
  entry.target = "/a?secret=1?2";
  entry.version = "HTTP/1.1";
  entry.referer = "https://r.example/x?secret#secret";
  entry.user_agent = "agent";
  return entry;
}
std::string line(const char* peer, http::LogPrivacy privacy, http::LogFormat format) {
  std::string out;
  append_log_line(out, format, reduced(entry_of(peer), privacy));
  return out;
}

TEST(LogPrivacy, ShortIsTheNetworkWithoutQueries) {
  using enum http::LogPrivacy;
  for (const auto format : {http::LogFormat::combined, http::LogFormat::json}) {
    EXPECT_NE(line("203.0.113.77", full, format).find("203.0.113.77"), std::string::npos);
    EXPECT_NE(line("203.0.113.77", full, format).find("secret=1?2"), std::string::npos);
    const std::string four = line("203.0.113.77", shortened, format);
    EXPECT_NE(four.find("203.0.113.0"), std::string::npos) << four;
    const std::string six = line("2001:db8:77:1:2:3:4:5", shortened, format);
    EXPECT_NE(six.find("2001:db8:77::"), std::string::npos) << six;
    EXPECT_EQ(six.find("2001:db8:77::1"), std::string::npos) << six;
    const std::string nobody = line("203.0.113.77", none, format);
    EXPECT_EQ(nobody.find("203."), std::string::npos) << nobody;
    EXPECT_EQ(nobody.find("::"), std::string::npos) << nobody;
    for (const std::string& text : {four, six, nobody}) {
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
      EXPECT_NE(text.find("https://r.example/x\""), std::string::npos) << text;
      EXPECT_NE(text.find("agent"), std::string::npos) << text;
    }
  }
  EXPECT_TRUE(line("203.0.113.77", none, http::LogFormat::combined).starts_with("- - - ["));
  EXPECT_EQ(line("203.0.113.77", none, http::LogFormat::brief).find('?'), std::string::npos);
}

}  // namespace
