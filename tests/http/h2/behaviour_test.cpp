// SPDX-License-Identifier: ISC
// tests/http/h2/behaviour_test.cpp: what is HTTP/2's own: streams side by side, priorities, its
// share of memory, prior knowledge, its end.
//
// Method:  nghttp2's client and a server in memory, on simulated time.

#include <gtest/gtest.h>

#include <cstdio>

#include "http/h2/framing.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/h2/client.hpp"
#include "tests/http/h2/raw_frames.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using namespace std::chrono_literals;
using h2_test::Client;
using h2_test::talk;

using World = http_test::World<http_test::ScriptedStore>;

std::shared_ptr<net::MemoryWire> dial(World& world) {
  auto wire = world.stack.dial(80);
  wire->protocol = "h2";
  return wire;
}

TEST(Http2, AnIdleConnectionIsSmall) {
  World world;
  const auto wire = dial(world);
  Client client;
  client.get("/a.txt");
  talk(world, *wire, client);
  std::printf("of an idle connection: %zu bytes are ours, %zu all that HTTP/2 takes\n",
              http::h2::Framing::state_bytes(), world.server.http2_bytes());
  EXPECT_LE(http::h2::Framing::state_bytes(), 1024U);
  EXPECT_LE(world.server.http2_bytes(), http::h2::Budget::session_bytes);
  wire->end();
  world.settle();
  EXPECT_EQ(world.server.http2_bytes(), 0U);
}

TEST(Http2, ManySmallAnswersLeaveInFewWrites) {
  World world;
  const auto wire = dial(world);
  Client client;
  for (int i = 0; i < 100; ++i) client.get("/a.txt");
  talk(world, *wire, client);
  for (const auto& [id, response] : client.responses) {
    if (id > 0) {
      EXPECT_EQ(response.body, http_test::alphabet());
    }
  }
  std::printf("a hundred answers: %llu writes\n", static_cast<unsigned long long>(wire->writes));
  EXPECT_LE(wire->writes, 4U);
  wire->end();
}

// A DATA frame and its head are as large as a TLS record may be.
TEST(Http2, LargeBodiesFillRecords) {
  constexpr std::size_t record_bytes_max = 16384, frame_head_bytes = 9;
  World world;
  const auto wire = dial(world);
  Client client;
  const auto id = client.get("/large.bin");
  talk(world, *wire, client);
  const auto& response = client.responses[id];
  EXPECT_TRUE(response.body == http_test::large());
  for (std::size_t i = 0; i + 1 < response.data_frames.size(); ++i) {
    EXPECT_EQ(response.data_frames[i] + frame_head_bytes, record_bytes_max) << i;
  }
  EXPECT_LE(wire->writes, 4U);
  wire->end();
}

TEST(Http2, UrgentStreamsGoFirstAndEqualOnesShare) {
  World world;
  world.store.put("large.html", http_test::large(), http_test::site_modified_s);
  world.store.put("large.png", http_test::large(), http_test::site_modified_s);
  const auto wire = dial(world);
  wire->pipes[1].capacity = 20'000;
  Client client;
  const auto image = client.get("/large.png");
  const auto page = client.get("/large.html");
  const auto last = client.get("/large.html", {{"priority", "u=7"}});
  const auto first = client.get("/large.png", {{"priority", "u=0"}});
  const auto raised = client.get("/large.png");
  client.prioritize(raised, "u=0");
  talk(world, *wire, client);
  std::vector<std::int32_t> ends;
  for (const std::int32_t id : client.order) std::erase(ends, id), ends.push_back(id);
  const auto place = [&](std::int32_t id) { return std::ranges::find(ends, id) - ends.begin(); };
  EXPECT_LT(place(first), place(page));
  EXPECT_LT(place(raised), place(page));
  EXPECT_LT(place(page), place(image));
  EXPECT_EQ(ends.back(), last);
  for (const auto id : {image, page, last, first, raised}) {
    EXPECT_EQ(client.responses[id].body, http_test::large());
  }
  // Incremental ones of one urgency take turns.
  client.order.clear();
  const auto one = client.get("/large.png"), other = client.get("/large.png");
  talk(world, *wire, client);
  int switches = 0;
  for (std::size_t i = 1; i < client.order.size(); ++i) {
    switches += client.order[i] != client.order[i - 1] ? 1 : 0;
  }
  EXPECT_GE(switches, 5) << one << " and " << other;
  wire->end();
}

TEST(Http2, AHostThatTheCertificateDoesNotCoverIsMisdirected) {
  for (const bool has_hosts : {false, true}) {
    http::Options options;
    if (has_hosts) options.hosts = {"example.org"};
    World world(options);
    const auto wire = dial(world);
    wire->served_host = "other.example";
    Client client;
    const auto id = client.get("/a.txt");
    talk(world, *wire, client);
    EXPECT_EQ(client.responses[id].status, has_hosts ? "421" : "200");
    wire->end();
  }
}

TEST(Http2, WithoutRoomStreamsAreRefusedAndConnectionsAreNot) {
  http::Options options;
  options.http2_bytes_max = 80 * 1024;
  World world(options);
  const auto wire = dial(world);
  Client client({.initial_window = 0, .auto_window = false});
  EXPECT_TRUE(world.server.has_room_for_http2(1));
  for (int i = 0; i < 100; ++i) client.get("/large.bin");
  talk(world, *wire, client);
  EXPECT_FALSE(world.server.has_room_for_http2(0));
  int refused = 0, waiting = 0;
  for (const auto& [id, response] : client.responses) {
    if (response.reset == NGHTTP2_REFUSED_STREAM) ++refused;
    if (response.reset < 0 && response.status == "200") ++waiting;
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(waiting, 5) << refused;
  EXPECT_TRUE(client.goaways.empty());
  // HTTP/1.1 has memory of its own.
  auto plain = world.dial();
  plain->push(http_test::get("/a.txt"));
  world.settle();
  EXPECT_EQ(http_test::statuses(plain->take()), "200 ");
  plain->end();
  // A peer that has ended its side may still read: its streams have their time.
  wire->end();
  world.advance(40s);
  EXPECT_TRUE(world.server.has_room_for_http2(1));
}

TEST(Http2, PriorKnowledgeOnAPlainPort) {
  http::Options options;
  options.http2_cleartext = true;
  World world(options);
  Client client;
  const auto id = client.get("/a.txt");
  const std::string bytes = client.give();
  for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
    Client again;
    auto wire = world.dial();
    static_cast<void>(again.get("/a.txt"));
    const std::string out = again.give();
    for (std::size_t at = 0; at < out.size(); at += step) {
      wire->push(std::string_view(out).substr(at, step));
      world.settle();
    }
    talk(world, *wire, again);
    EXPECT_EQ(again.responses[id].body, http_test::alphabet()) << step;
    wire->end();
    world.settle();
  }
  for (const char* request :
       {"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "P", "PRI * HTTP/2.0\r\n"}) {
    auto wire = world.dial();
    wire->push(request);
    world.settle();
    EXPECT_EQ(http_test::statuses(wire->take()), request[0] == 'G' ? "200 " : "");
    wire->end();
    world.advance(1s);
  }
  http::Options secure = options;  // there ALPN chooses
  secure.is_secure = true;
  for (const http::Options& others : {http::Options(), secure}) {
    World world_of_others(others);
    auto wire = world_of_others.dial();
    wire->push(bytes);
    world_of_others.settle();
    EXPECT_EQ(http_test::statuses(wire->take()), "505 ");
    wire->end();
  }
}

TEST(Http2, DrainSaysGoawayTwiceAndFinishesWhatWasAsked) {
  World world;
  const auto wire = dial(world);
  Client client({.initial_window = 1000, .auto_window = false});
  const auto id = client.get("/large.bin");
  talk(world, *wire, client);
  world.server.drain();
  world.settle();
  client.take(wire->take());
  ASSERT_EQ(client.goaways.size(), 1U);
  EXPECT_EQ(client.goaways[0].first, 0x7fffffff);
  // One that was on its way.
  talk(world, *wire, client);
  ASSERT_EQ(client.goaways.size(), 2U);
  EXPECT_EQ(client.goaways[1].first, id);
  EXPECT_EQ(client.goaways[1].second, 0U);
  EXPECT_FALSE(wire->is_ended());
  client.open_window(id, 1 << 20);
  client.open_window(0, 1 << 20);
  talk(world, *wire, client);
  EXPECT_EQ(client.responses[id].body, http_test::large());
  EXPECT_TRUE(wire->is_ended());
  wire->end();
  world.advance(3s);
  EXPECT_EQ(world.server.connection_count(), 0U);
}

// From the announcement until the drain itself streams are answered (--drain-delay).
TEST(Http2, AnAnnouncedDrainIsOneGoawayAndStreamsGoOn) {
  World world;
  const auto wire = dial(world);
  std::string came;
  std::vector<h2_test::RawFrame> goaways;
  std::string ping;
  std::size_t answer_count = 0;
  const auto exchange = [&](std::string_view bytes) {
    wire->push(bytes);
    world.settle();
    came += wire->take();
    for (const h2_test::RawFrame& each : h2_test::take_frames(came)) {
      if (each.type == h2_test::goaway) goaways.push_back(each);
      if (each.type == h2_test::ping) ping = each.payload;
      answer_count += each.type == h2_test::data && each.payload == http_test::alphabet() ? 1 : 0;
    }
  };
  exchange(h2_test::preface() + h2_test::get_frame(1, "/a.txt"));
  world.server.announce_drain();
  exchange(h2_test::get_frame(3, "/a.txt"));  // was on its way
  ASSERT_EQ(goaways.size(), 1U);
  EXPECT_EQ(goaways[0].payload, h2_test::number(0x7fffffff, 4) + h2_test::number(0, 4));
  exchange(h2_test::frame(h2_test::ping, h2_test::ack, 0, ping));
  world.advance(5s);
  exchange(h2_test::get_frame(5, "/a.txt"));
  EXPECT_EQ(goaways.size(), 1U);
  EXPECT_EQ(answer_count, 3U);
  // A newcomer hears it at once, and is answered.
  const auto second = dial(world);
  Client newcomer;
  const auto id = newcomer.get("/a.txt");
  talk(world, *second, newcomer);
  EXPECT_EQ(newcomer.responses[id].body, http_test::alphabet());
  EXPECT_EQ(newcomer.goaways.size(), 1U);
  world.server.drain();
  exchange("");
  ASSERT_EQ(goaways.size(), 2U);
  EXPECT_EQ(goaways[1].payload, h2_test::number(5, 4) + h2_test::number(0, 4));
  EXPECT_TRUE(wire->is_ended());
  wire->end();
  second->end();
  world.advance(3s);
  EXPECT_EQ(world.server.connection_count(), 0U);
}

TEST(Http2, TheLogSaysWhatWasAnswered) {
  World world({}, http::LogFormat::combined);
  const auto wire = dial(world);
  Client client({.initial_window = 10, .auto_window = false});
  client.get("/empty.txt");
  client.get("/nothing");
  const auto broken = client.get("/large.bin");
  talk(world, *wire, client);
  client.reset(broken);
  talk(world, *wire, client);
  wire->end();
  world.settle();
  const std::string& log = world.console.text;
  EXPECT_NE(log.find("\"GET /empty.txt HTTP/2.0\" 200 0 "), std::string::npos) << log;
  EXPECT_NE(log.find("\"GET /large.bin HTTP/2.0\" 200 10 "), std::string::npos) << log;
}

// Before the first byte there is another answer, as in HTTP/1.1; later the stream is reset.
template <class Store>
void expect_failures_of(const char* path, std::uint64_t call, const char* status) {
  http_test::World<Store> world;
  const auto wire = world.stack.dial(80);
  wire->protocol = "h2";
  Client client;
  const auto id = client.get(path);
  http_test::site_of(world.store).fail_from(call);
  talk(world, *wire, client);
  http_test::site_of(world.store).fail_from(0);
  EXPECT_EQ(client.responses[id].status, status) << path << " from call " << call;
  EXPECT_EQ(client.responses[id].is_whole, status != std::string_view("200")) << call;
  const bool is_broken = status == std::string_view("200");
  EXPECT_EQ(client.responses[id].reset, is_broken ? NGHTTP2_INTERNAL_ERROR : -1) << call;
  const auto next = client.get("/a.txt");
  talk(world, *wire, client);
  EXPECT_EQ(client.responses[next].body, http_test::alphabet());
  wire->end();
}

TEST(Http2, AStoreThatFailsIsA503OrEndsOneStream) {
  expect_failures_of<http_test::ScriptedStore>("/large.bin", 1, "503");
  expect_failures_of<http_test::ScriptedStore>("/large.bin", 2, "503");
  expect_failures_of<http_test::WaitingStore>("/large.bin", 1, "503");
  expect_failures_of<http_test::WaitingStore>("/large.bin", 2, "503");
  expect_failures_of<http_test::WaitingStore>("/large.bin", 3, "200");
}

TEST(Http2, AfterTheLastRequestOfAConnectionFurtherOnesAreForAnother) {
  http::Options options;
  options.requests_per_connection_max = 3;
  World world(options);
  const auto wire = dial(world);
  Client client;
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(client.get("/a.txt"));
  talk(world, *wire, client);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(client.responses[ids[i]].body, i < 3 ? http_test::alphabet() : "") << i;
  }
  ASSERT_EQ(client.goaways.size(), 1U);
  EXPECT_EQ(client.goaways[0].first, ids[2]);
  EXPECT_EQ(client.goaways[0].second, 0U);
  EXPECT_TRUE(wire->is_ended());
  wire->end();
}

TEST(Http2, ANewcomerThatThereIsNoRoomForIsToldSo) {
  http::Options options;
  options.connections_max = 1;
  World world(options);
  const auto wire = dial(world);
  Client client({.initial_window = 10, .auto_window = false});
  client.get("/large.bin");  // busy: it does not give way
  talk(world, *wire, client);
  const auto second = dial(world);
  Client newcomer;
  newcomer.get("/a.txt");
  talk(world, *second, newcomer);
  ASSERT_EQ(newcomer.goaways.size(), 1U);
  EXPECT_EQ(newcomer.goaways[0].first, 0);
  EXPECT_EQ(newcomer.goaways[0].second, std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM});
  EXPECT_TRUE(second->is_ended());
  second->end();
  world.settle();
  EXPECT_TRUE(second->is_closed());
  EXPECT_EQ(client.goaways.size(), 0U);
  wire->end();
}

}  // namespace
