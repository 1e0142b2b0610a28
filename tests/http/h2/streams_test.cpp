// SPDX-License-Identifier: ISC
// tests/http/h2/streams_test.cpp: what a stream is after its end and before its beginning, and what
// streams of one connection do not share.
//
// Method:  as attacks_test.cpp: frames by hand into a server in memory, on simulated time.
// Source:  RFC 9113 sections 3.4, 5.1 and 5.1.1; RFC 9218 section 7.1; h2spec asks the same.

#include <gtest/gtest.h>

#include "http/h2/recent_streams.hpp"
#include "tests/http/h2/attack_world.hpp"

namespace http_test {

// A site that may be replaced by another one as a whole. What began with the first keeps to it.
class TwoVersions {
 public:
  using Value = OwnedValue;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 7000;
  struct Reading {
    ScriptedStore* version;
  };

  ScriptedStore site, replacement;
  bool is_replaced = false;

  Reading reading() { return {is_replaced ? &replacement : &site}; }
  static base::Ready<kv::Result<kv::Stat>> stat(Reading& reading, kv::Key key) {
    return {reading.version->stat_now(key)};
  }
  static base::Ready<kv::Result<Value>> get_partial(Reading& reading, kv::Key key,
                                                    kv::Encoding encoding, std::uint64_t offset,
                                                    std::uint64_t length) {
    kv::Result<kv::Bytes> bytes = reading.version->get_now(key, encoding, offset, length);
    if (!bytes) return {base::failure(bytes.error())};
    return {OwnedValue(*bytes)};
  }
  base::Ready<kv::Result<kv::Stat>> stat(kv::Key key) {
    Reading now = reading();
    return stat(now, key);
  }
  base::Ready<kv::Result<Value>> get_partial(kv::Key key, kv::Encoding encoding,
                                             std::uint64_t offset, std::uint64_t length) {
    Reading now = reading();
    return get_partial(now, key, encoding, offset, length);
  }
};
static_assert(kv::Versioned<TwoVersions>);

inline ScriptedStore& site_of(TwoVersions& store) { return store.site; }

}  // namespace http_test

namespace {

using namespace std::chrono_literals;
using namespace h2_test;

constexpr std::uint32_t stream_closed = 5;
constexpr std::uint8_t priority_update = 0x10;

class Http2Streams : public AttackWorld {
 protected:
  static std::string post_frame(std::uint32_t id, std::uint8_t flags = end_headers) {
    Pairs post = get_fields("/a.txt");
    post[0].second = "POST";
    return frame(headers, flags, id, block(post));
  }
};

TEST_F(Http2Streams, WhatComesAfterTheEndBreaksARule) {
  const std::string trailer = frame(headers, end_headers | end_stream, 1, literal("x", "y"));
  const std::string reset = frame(rst_stream, 0, 1, number(cancel, 4));
  const struct {
    const char* what;
    std::string before, after;
    std::uint32_t code;
  } rows[] = {
      {"DATA on an answered stream", get_frame(1, "/a.txt"), frame(data, end_stream, 1, "x"),
       stream_closed},
      {"HEADERS on an answered stream", get_frame(1, "/a.txt"), get_frame(1, "/a.txt"),
       stream_closed},
      {"trailers of an answered stream", get_frame(1, "/a.txt"), trailer, stream_closed},
      {"DATA after RST_STREAM", post_frame(1) + reset, frame(data, 0, 1, "x"), stream_closed},
      {"HEADERS after RST_STREAM", post_frame(1) + reset, trailer, stream_closed},
      {"DATA on a stream that waits", get_frame(1, "/a.txt") + frame(data, 0, 1, "x"), "",
       stream_closed},
      {"HEADERS on a stream that was skipped", get_frame(5, "/a.txt"), get_frame(3, "/a.txt"),
       protocol_error},
      {"DATA on a stream that was skipped", get_frame(5, "/a.txt"), frame(data, 0, 3, "x"),
       stream_closed},
      {"PRIORITY on stream 0", get_frame(1, "/a.txt"), frame(priority, 0, 0, number(3, 4) + "\x10"),
       protocol_error},
      {"PRIORITY_UPDATE for stream 0", get_frame(1, "/a.txt"),
       frame(priority_update, 0, 0, number(0, 4) + "u=1"), protocol_error},
      {"PRIORITY_UPDATE on a stream", get_frame(1, "/a.txt"),
       frame(priority_update, 0, 1, number(3, 4) + "u=1"), protocol_error},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    begin_again();
    send(row.before);
    if (!row.after.empty()) {
      ASSERT_EQ(goaway_code(), -1);
      send(row.after);
    }
    expect_ended(row.code);
  }
  expect_others_are_well("frames after the end");
}

// The peer may not have heard of the end yet, or may always send it.
TEST_F(Http2Streams, WhatMayStillBeOnItsWayIsDropped) {
  const std::string late_body = frame(data, 0, 1, std::string(16'000, 'x'));
  const std::string late_trailer = frame(headers, end_headers | end_stream, 1, literal("x", "y"));
  const struct {
    const char* what;
    std::string before, after;
  } rows[] = {
      {"a body that is too long",
       post_frame(1) + late_body + late_body + late_body + late_body + late_body,
       late_body + late_trailer},
      {"a malformed request", frame(headers, end_headers, 1, block(get_fields("none"))),
       late_body + late_trailer},
      {"RST_STREAM", get_frame(1, "/a.txt"), frame(rst_stream, 0, 1, number(cancel, 4))},
      {"WINDOW_UPDATE", get_frame(1, "/a.txt"), frame(window_update, 0, 1, number(9, 4))},
      {"PRIORITY", get_frame(1, "/a.txt"), frame(priority, 0, 1, number(3, 4) + "\x10")},
      {"PRIORITY_UPDATE", get_frame(1, "/a.txt"),
       frame(priority_update, 0, 0, number(1, 4) + "u=1")},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    begin_again();
    send(row.before);
    send(row.after);
    EXPECT_EQ(goaway_code(), -1);
    send(get_frame(3, "/a.txt"));
    EXPECT_TRUE(was_answered(3));
  }
  expect_others_are_well("frames on their way", 200 * 1024);
}

TEST(RecentStreams, KnowsTheLastOnes) {
  using http::h2::RecentStreams;
  using State = RecentStreams::State;
  RecentStreams recent;
  EXPECT_EQ(recent.state_of(1), State::unknown);
  recent.open(1);
  recent.open(7);
  recent.end(7);
  EXPECT_EQ(recent.state_of(1), State::open);
  EXPECT_EQ(recent.state_of(3), State::skipped);
  recent.end(3);
  EXPECT_EQ(recent.state_of(3), State::skipped);
  EXPECT_EQ(recent.state_of(7), State::ended);
  EXPECT_EQ(recent.state_of(9), State::unknown);
  recent.prioritize(9);
  recent.prioritize(13);
  recent.prioritize(7);  // has begun
  recent.open(11);
  EXPECT_FALSE(recent.last_was_prioritized());
  recent.open(13);
  EXPECT_TRUE(recent.last_was_prioritized());
  const std::int32_t last = 13 + 2 * RecentStreams::streams_max;
  recent.prioritize(last);
  recent.prioritize(last + 2);  // too far
  recent.open(last - 2);
  EXPECT_EQ(recent.state_of(11), State::unknown);
  EXPECT_EQ(recent.state_of(13), State::open);
  recent.open(last);
  EXPECT_TRUE(recent.last_was_prioritized());
  EXPECT_EQ(recent.state_of(13), State::unknown);
  recent.open(0x7fffffff);
  EXPECT_FALSE(recent.last_was_prioritized());
  EXPECT_EQ(recent.state_of(0x7fffffff), State::open);
  EXPECT_EQ(recent.state_of(last), State::unknown);
  EXPECT_EQ(recent.state_of(0x7fffffff - 2), State::skipped);
  RecentStreams first_is_last;  // seeds of the fuzz target: without signed overflow
  first_is_last.prioritize(0x7fffffff);
  first_is_last.open(0x7fffffff);
  EXPECT_FALSE(first_is_last.last_was_prioritized());
  EXPECT_EQ(first_is_last.state_of(0x7fffffff - 2), State::skipped);
}

// RFC 9218 section 7.1: a client may say what is urgent before it asks.
TEST_F(Http2Streams, APriorityMayComeBeforeItsStream) {
  world_.store.put("large.html", http_test::large(), http_test::site_modified_s);
  send(preface(setting(4, 1U << 24U)) + frame(priority_update, 0, 0, number(5, 4) + "u=0") +
       frame(priority_update, 0, 0, number(3, 4) + "u=7"));
  send(frame(window_update, 0, 0, number(1U << 24U, 4)) + get_frame(1, "/large.html") +
       get_frame(3, "/large.html") + get_frame(5, "/large.html"));
  std::vector<std::uint32_t> ends;
  for (const RawFrame& each : frames_) {
    if (each.type == data && (each.flags & end_stream) != 0) ends.push_back(each.stream);
  }
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{5, 1, 3}));
  EXPECT_EQ(goaway_code(), -1);
}

// The same section: priorities of streams to come count as streams do, up to the limit.
TEST_F(Http2Streams, PrioritiesBeforeTheirStreamsAreBounded) {
  send(preface() + frame(settings, ack, 0, ""));  // it knows the limit
  std::uint32_t id = 1;
  for (; id < 1000 && goaway_code() < 0; id += 2) {
    send(frame(priority_update, 0, 0, number(id, 4) + "u=1"));
  }
  EXPECT_EQ(id, 2 * 101U + 1) << "the 101st";
  expect_others_are_well("priorities without streams", 200 * 1024);
  expect_ended(protocol_error);
}

// Section 3.4. What cannot be HTTP/2 hears GOAWAY and an end in order.
TEST_F(Http2Streams, AWrongPrefaceIsTold) {
  send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect_ended(protocol_error);
  wire_ = dial();
  frames_.clear();
  send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(ping, 0, 0, "12345678"));
  expect_ended(protocol_error);
  expect_others_are_well("a wrong preface");
}

// A peer that does not say that it knows the limit, and opens ever more streams, gets nothing for
// it; nor does it cost us more than any other frame.
TEST_F(Http2Streams, RefusedStreamsWithoutEndAreAFlood) {
  send(preface(setting(4, 0)));
  std::uint32_t id = 1;
  for (; id < 20'000 && !wire_->is_ended(); id += 2) send(get_frame(id, "/large.bin"));
  EXPECT_GT(id, 2U * 1000) << "an honest one has time to hear of the limit";
  EXPECT_LT(id, 2U * 1500);
  expect_others_are_well("streams beyond the limit");
  expect_ended(enhance_your_calm);
}

TEST(Http2Readings, EachStreamIsOfTheVersionThatItBeganWith) {
  http_test::World<http_test::TwoVersions> world;
  const std::string old_bytes(50'000, 'o'), new_bytes(50'000, 'n');
  world.store.site.put("page", old_bytes, http_test::site_modified_s);
  world.store.replacement.put("page", new_bytes, http_test::site_modified_s);
  const auto wire = world.stack.dial(80);
  wire->protocol = "h2";
  Client client({.initial_window = 1000, .auto_window = false});
  const auto first = client.get("/page");
  talk(world, *wire, client);
  world.store.is_replaced = true;
  const auto second = client.get("/page");
  talk(world, *wire, client);
  for (const auto id : {first, second, 0}) client.open_window(id, 200'000);
  talk(world, *wire, client);
  EXPECT_TRUE(client.responses[first].body == old_bytes);
  EXPECT_TRUE(client.responses[second].body == new_bytes);
  wire->end();
  world.settle();
}

}  // namespace
