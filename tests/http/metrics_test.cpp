// SPDX-License-Identifier: ISC
// tests/http/metrics_test.cpp: the text of the numbers, and the store that serves it.
//
// Method: a registry with known numbers; the store's answers against the laws of kv/kv.hpp that are
// about a Source, and served by the server over the network in memory.

#include "http/metrics/metrics.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/server.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"
#include "tests/net/memory_flow.hpp"

namespace {

using namespace std::chrono_literals;
using http::metrics::Family;
using http::metrics::Kind;
using http::metrics::Registry;
using http_test::get;
using kv::Encoding;

constexpr Family things{"crunch_things_total", "Things."};
constexpr Family level{"crunch_level_seconds", "A level.", Kind::gauge, 1'000'000'000};

std::string text_of(const Registry& registry) {
  std::string text;
  registry.write(text);
  return text;
}

TEST(Registry, SamplesOfThreadsAreAddedUp) {
  Registry registry;
  base::Counter one, other, level_ns;
  registry.add(things, "of=\"a\"", one);
  registry.add(level, "", level_ns);
  registry.add(things, "of=\"b\"", other);
  registry.add(things, "of=\"a\"", other);
  one.add(40);
  other.add(2);
  level_ns.set(1'500'000'000);
  EXPECT_EQ(text_of(registry),
            "# HELP crunch_things_total Things.\n"
            "# TYPE crunch_things_total counter\n"
            "crunch_things_total{of=\"a\"} 42\n"
            "crunch_things_total{of=\"b\"} 2\n"
            "# HELP crunch_level_seconds A level.\n"
            "# TYPE crunch_level_seconds gauge\n"
            "crunch_level_seconds 1.5\n");
  level_ns.set(1);
  EXPECT_NE(text_of(registry).find("crunch_level_seconds 0.000000001\n"), std::string::npos);
}

TEST(Registry, BucketsOfAHistogramAreCumulative) {
  Registry registry;
  http::Counters& one = registry.add_counters();
  http::Counters& other = registry.add_counters();
  one.took(400us);
  one.took(2ms);
  other.took(2ms);
  other.took(1h);
  const std::string text = text_of(registry);
  const std::string name = "\ncrunch_http_request_duration_seconds";
  for (const char* line :
       {"_bucket{le=\"0.0005\"} 1\n", "_bucket{le=\"0.001\"} 1\n", "_bucket{le=\"0.0025\"} 3\n",
        "_bucket{le=\"10\"} 3\n", "_bucket{le=\"+Inf\"} 4\n", "_sum 3600.0044\n", "_count 4\n"}) {
    EXPECT_NE(text.find(name + line), std::string::npos) << line << text;
  }
}

TEST(Registry, ItsTextIsNeverLongerThanItSays) {
  Registry registry;
  http::Counters& counters = registry.add_counters();
  base::Counter large;
  registry.add(things, "", large);
  registry.add(level, "", large);
  const std::size_t most = registry.text_bytes_max();
  large.set(std::uint64_t(-1));
  counters.body_bytes.set(std::uint64_t(-1));
  counters.duration_ns.set(std::uint64_t(-1));
  for (base::Counter& each : counters.durations) each.set(std::uint64_t(-1) / 16);
  EXPECT_LE(text_of(registry).size(), most);
}

struct MetricsStore : ::testing::Test {
  Registry registry;
  http::Counters& counters = registry.add_counters();
  http::Metrics metrics{registry};

  auto stat(kv::Key key) { return base::run_now(metrics.stat(key)); }
  std::string get(kv::Key key, std::uint64_t offset = 0, std::uint64_t length = 1 << 20) {
    auto value = base::run_now(metrics.get_partial(key, Encoding::identity, offset, length));
    return value ? std::string(base::text_of(kv::Bytes(*value))) : "none";
  }
};

TEST_F(MetricsStore, SizesAreThoseOfTheBytes) {
  const std::uint64_t size = stat("metrics")->form(Encoding::identity).size_bytes;
  for (std::uint64_t number : {std::uint64_t{0}, std::uint64_t{12'345}, std::uint64_t(-1)}) {
    counters.body_bytes.set(number);
    const std::string text = get("metrics");
    EXPECT_EQ(text.size(), size);
    EXPECT_NE(text.find("_bytes_total " + std::to_string(number) + "\n"), std::string::npos);
    EXPECT_EQ(stat("metrics")->form(Encoding::identity).size_bytes, size);
  }
  EXPECT_EQ(get("healthz"), "ok\n");
  EXPECT_EQ(stat("healthz")->form(Encoding::identity).size_bytes, 3U);
}

TEST_F(MetricsStore, PartsAreOfOneMoment) {
  const std::string whole = get("metrics");
  counters.body_bytes.add(1'000'000'000);
  EXPECT_EQ(get("metrics", 100, 50), whole.substr(100, 50));
  EXPECT_EQ(get("metrics", whole.size() + 1, 50), "");
  EXPECT_EQ(get("metrics", 100, std::uint64_t(-1)), whole.substr(100));
  EXPECT_NE(get("metrics"), whole);
}

TEST_F(MetricsStore, HasNothingElse) {
  for (const char* key : {"metric", "metrics/", "metrics/x", ".crunch/plan", "index.html"}) {
    EXPECT_EQ(stat(key).error(), kv::Error::not_found) << key;
    EXPECT_EQ(get(key), "none") << key;
  }
  EXPECT_EQ(stat("").error(), kv::Error::value_expected);
  auto gzip = base::run_now(metrics.get_partial("metrics", Encoding::gzip, 0, 9));
  EXPECT_EQ(gzip.error(), kv::Error::not_found);
}

// Served: what a scraper and a health check see.
TEST_F(MetricsStore, Served) {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  http_test::TextConsole console;
  http::AccessLog log(console, loop, http::LogFormat::off);
  net::MemoryStack stack(loop);
  http::Server server(metrics, stack, loop, {}, log);
  ASSERT_TRUE(server.listen(9100).has_value());
  loop.spawn(server.run());
  loop.turn(time.now());
  auto wire = stack.dial(9100);
  const auto ask = [&](const std::string& request) {
    wire->push(request);
    for (int i = 0; i < 8; ++i) loop.turn(time.now());
    return wire->take();
  };
  const std::string all = ask(http_test::get("/metrics"));
  EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
  for (const char* field : {"\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
                            "\r\nCache-Control: no-store\r\n"}) {
    EXPECT_NE(all.find(field), std::string::npos) << all;
  }
  EXPECT_EQ(all.find("ETag"), std::string::npos);
  EXPECT_NE(all.find("\ncrunch_http_connections_total 0\n"), std::string::npos)
      << "this server's own connections are nobody's numbers";
  EXPECT_TRUE(ask(http_test::get("/healthz")).ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(ask(http_test::get("/readyz")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(http_test::get("/")).starts_with("HTTP/1.1 404 "));
  metrics.announce_drain();
  const std::string leaving = ask(http_test::get("/readyz"));
  EXPECT_TRUE(leaving.starts_with("HTTP/1.1 503 ")) << leaving;
  EXPECT_TRUE(ask(http_test::get("/healthz")).starts_with("HTTP/1.1 200 "));
  server.drain();
  for (int i = 0; i < 8; ++i) loop.turn(time.now());
  EXPECT_EQ(loop.spawned_count(), 0U);
}

}  // namespace
