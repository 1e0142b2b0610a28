// SPDX-License-Identifier: ISC
// tests/http/h2/malformed_test.cpp: what breaks HTTP/2's rules: heads, fields, frames, deadlines.
//
// Method:  as attacks_test.cpp. Each row sees how the peer is told: a status, a stream's reset, or
//          the connection's end with the code that the RFC names.
// Source:  RFC 9113 by section, RFC 7541.

#include <gtest/gtest.h>

#include "tests/http/h2/attack_world.hpp"

namespace {

using namespace std::chrono_literals;
using namespace h2_test;

class Http2Malformed : public AttackWorld {};

// RFC 7541: what is decoded is larger than what came.
TEST_F(Http2Malformed, HpackBomb) {
  send(preface());
  std::string bomb = block(get_fields("/a.txt")) + indexed_literal("x", std::string(3000, 'a'));
  while (bomb.size() < 16'000) bomb += newest_entry();
  std::uint32_t id = 1;
  send(frame(headers, end_headers | end_stream, id, bomb));
  // Told that it is too much, and alive.
  bool is_431 = false;
  for (const RawFrame& each : frames_) {
    is_431 = is_431 || (each.type == headers && each.payload.find("431") != std::string::npos);
  }
  EXPECT_TRUE(is_431 || was_answered(1));
  expect_others_are_well("a bomb of HPACK", 200 * 1024);
}

TEST_F(Http2Malformed, TableChurn) {
  send(preface());
  for (std::uint32_t id = 1; id < 2000 && !wire_->is_ended(); id += 2) {
    std::string fields = block(get_fields("/a.txt"));
    for (int i = 0; i < 30; ++i) {
      fields += indexed_literal("x" + std::to_string(id + static_cast<unsigned>(i)),
                                std::string(100, 'a'));
    }
    send(frame(headers, end_headers | end_stream, id, fields));
    ASSERT_TRUE(was_answered(id)) << id;
  }
  expect_others_are_well("churn of the table", 200 * 1024);
}

TEST_F(Http2Malformed, FieldsWithoutEndAreAnsweredWith431) {
  send(preface());
  std::string fields = block(get_fields("/a.txt"));
  for (int i = 0; i < 101; ++i) fields += literal("x" + std::to_string(i), "1");
  send(frame(headers, end_headers | end_stream, 1, fields));
  EXPECT_TRUE(was_answered(1));
  send(get_frame(3, "/a.txt"));
  EXPECT_TRUE(was_answered(3));
  expect_others_are_well("101 fields", 200 * 1024);
}

// The same by bytes: more than SETTINGS_MAX_HEADER_LIST_SIZE, in fields of their own.
TEST_F(Http2Malformed, AHeaderListThatIsTooLongIsAnsweredWith431) {
  send(preface());
  const std::string first = block(get_fields("/a.txt"));
  send(frame(headers, end_stream, 1, first));
  for (int i = 0; i < 3; ++i) {
    send(frame(continuation, i == 2 ? end_headers : 0, 1,
               literal("x" + std::to_string(i), std::string(15'000, 'a'))));
  }
  EXPECT_TRUE(was_answered(1));
  EXPECT_TRUE(std::ranges::any_of(frames_, [](const RawFrame& each) {
    return each.type == headers && each.stream == 1 &&
           each.payload.starts_with(
               "\x48\x03"
               "431");
  }));
  send(get_frame(3, "/a.txt"));
  EXPECT_TRUE(was_answered(3));
  expect_others_are_well("45 KB of fields", 200 * 1024);
}

// Header leak: names without length (CVE-2019-9516).
TEST_F(Http2Malformed, EmptyNames) {
  send(preface());
  std::string fields = block(get_fields("/a.txt"));
  for (int i = 0; i < 1000; ++i) fields += literal("", "");
  send(frame(headers, end_headers | end_stream, 1, fields));
  EXPECT_EQ(reset_code(1), protocol_error);
  expect_others_are_well("empty names", 200 * 1024);
}

TEST_F(Http2Malformed, WindowOverflow) {
  send(preface());
  send(frame(window_update, 0, 0, number(0x7fffffff, 4)));
  expect_others_are_well("a window that overflows");
  expect_ended(flow_control_error);
}

TEST_F(Http2Malformed, MalformedRequestsAreReset) {
  struct Row {
    const char* what;
    Pairs fields;
  };
  const Pairs good = get_fields("/a.txt");
  auto without = [&](const char* name) {
    Pairs fields = good;
    std::erase_if(fields, [name](const auto& field) { return field.first == name; });
    return fields;
  };
  auto with = [&](const char* name, std::string value) {
    Pairs fields = good;
    fields.emplace_back(name, std::move(value));
    return fields;
  };
  auto path = [&](const char* value) { return get_fields(value); };
  const std::string nul("a\0b", 3);
  const Row rows[] = {
      {"an uppercase name", with("Accept", "x")},
      {"a pseudo-field after others",
       {{":method", "GET"},
        {":scheme", "https"},
        {"accept", "x"},
        {":authority", "example.org"},
        {":path", "/a.txt"}}},
      {"a pseudo-field twice", with(":path", "/b")},
      {"an unknown pseudo-field", with(":status", "200")},
      {"no :method", without(":method")},
      {"no :path", without(":path")},
      {"no :scheme", without(":scheme")},
      {"no :authority", without(":authority")},
      {"an empty :path", path("")},
      {"a :path that is none", path("a.txt")},
      {"* for GET", path("*")},
      {"a space in :path", path("/a b")},
      {"CR LF in :path", path("/a\r\nX: y")},
      {"connection", with("connection", "close")},
      {"keep-alive", with("keep-alive", "1")},
      {"proxy-connection", with("proxy-connection", "1")},
      {"transfer-encoding", with("transfer-encoding", "chunked")},
      {"upgrade", with("upgrade", "h2c")},
      {"te", with("te", "gzip")},
      {"CR in a value", with("x", "a\rb")},
      {"LF in a value", with("x", "a\nb")},
      {"NUL in a value", with("x", nul)},
      {"CR LF in a value", with("x", "a\r\nhost: b")},
      {"a space before a value", with("x", " a")},
      {"a space in a name", with("x y", "a")},
      {"a colon in a name", with("x:y", "a")},
      {"a length that is none", with("content-length", "x")},
      {"two lengths", with("content-length", "1")},
  };
  send(preface());
  std::uint32_t id = 1;
  for (const Row& row : rows) {
    send(frame(headers, end_headers | end_stream, id, block(row.fields)));
    EXPECT_EQ(reset_code(id), protocol_error) << row.what;
    id += 2;
  }
  send(get_frame(id, "/a.txt"));
  EXPECT_TRUE(was_answered(id));
  expect_others_are_well("malformed requests", 200 * 1024);
}

TEST_F(Http2Malformed, AuthorityAndHostMustAgree) {
  send(preface());
  send(get_frame(1, "/a.txt", {{"host", "other.example"}}));
  send(get_frame(3, "/a.txt", {{"host", "EXAMPLE.org"}}));
  Pairs user = get_fields("/a.txt");
  user[2].second = "me@example.org";
  send(frame(headers, end_headers | end_stream, 5, block(user)));
  const auto status_of = [this](std::uint32_t stream) {
    for (const RawFrame& each : frames_) {
      if (each.type == headers && each.stream == stream) return each.payload.substr(0, 1);
    }
    return std::string("none");
  };
  EXPECT_EQ(status_of(1), "\x8c") << "400, by HPACK's static table";
  EXPECT_EQ(status_of(3), "\x88") << "200";
  EXPECT_NE(status_of(5), "\x88");
  expect_others_are_well("authorities that are no host", 200 * 1024);
}

TEST_F(Http2Malformed, BodiesThatAreNotAsLongAsTheySay) {
  send(preface());
  Pairs post = get_fields("/a.txt", {{"content-length", "5"}});
  post[0].second = "POST";
  send(frame(headers, end_headers, 1, block(post)) + frame(data, end_stream, 1, "four"));
  send(frame(headers, end_headers, 3, block(post)) + frame(data, end_stream, 3, "sixsix"));
  EXPECT_EQ(reset_code(1), protocol_error);
  EXPECT_EQ(reset_code(3), protocol_error);
  expect_others_are_well("lying lengths", 200 * 1024);
}

TEST_F(Http2Malformed, PaddingLongerThanItsFrame) {
  send(preface());
  send(frame(headers, end_headers | end_stream | padded, 1, "\xff" + block(get_fields("/"))));
  expect_others_are_well("padding");
  expect_ended(protocol_error);
}

// A request that begins and does not go on holds up the connection, not for long.
TEST_F(Http2Malformed, HeadsInPiecesHaveADeadline) {
  send(preface());
  send(frame(headers, end_stream, 1, block(get_fields("/a.txt"))));
  wait(11s);
  expect_others_are_well("half a head");
  expect_ended(enhance_your_calm);
}

TEST_F(Http2Malformed, WhoeverSaysNothingIsEnded) {
  for (const std::string& bytes : {std::string(), std::string("PRI"), preface().substr(0, 24)}) {
    wire_ = dial();
    wire_->push(bytes);
    world_.settle();
    EXPECT_FALSE(wire_->is_closed());
    world_.advance(11s);
    EXPECT_TRUE(wire_->is_closed());
  }
  wire_ = dial();
  send(preface());
  wait(70s);
  EXPECT_FALSE(wire_->is_ended());
  wait(10s);
  expect_ended(no_error);
  expect_others_are_well("silence", 200 * 1024);
}

TEST_F(Http2Malformed, TheEndOfTheStreamIds) {
  send(preface());
  send(get_frame(0x7fffffff, "/a.txt"));
  EXPECT_TRUE(was_answered(0x7fffffff));
  send(get_frame(1, "/a.txt"));
  EXPECT_FALSE(was_answered(1));
  send(frame(ping, 0, 0, "12345678"));
  EXPECT_EQ(count(ping), 1U);
  expect_others_are_well("the last stream");
}

TEST_F(Http2Malformed, MoreStreamsThanAllowed) {
  send(preface(setting(4, 0)));
  for (std::uint32_t id = 1; id < 400; id += 2) send(get_frame(id, "/large.bin"));
  std::size_t refused = 0;
  for (const RawFrame& each : frames_) {
    refused += each.type == rst_stream && each.error_code() == refused_stream ? 1 : 0;
  }
  EXPECT_TRUE(refused == 100 || goaway_code() == protocol_error) << refused;
  expect_others_are_well("two hundred streams");
}

// Every violation of framing ends the connection with its code (RFC 9113 sections 4 to 6).
TEST_F(Http2Malformed, BrokenFramesEndTheConnection) {
  struct Row {
    const char* what;
    std::string bytes;
    std::uint32_t code;
  };
  const std::string open = frame(headers, end_headers, 1, block(get_fields("/a.txt")));
  const Row rows[] = {
      {"4.2: a frame over 16,384", frame(data, 0, 1, std::string(16'385, 'a')), frame_size_error},
      {"4.3: a block that is no HPACK", frame(headers, 5, 1, "\xff\xff\xff\xff\xff\xff"),
       compression_error},
      {"5.1: DATA on an idle stream", frame(data, 0, 1, "x"), protocol_error},
      {"5.1: RST_STREAM on an idle stream", frame(rst_stream, 0, 1, number(8, 4)), protocol_error},
      {"5.1: WINDOW_UPDATE on an idle stream", frame(window_update, 0, 1, number(1, 4)),
       protocol_error},
      {"5.1.1: an even stream", get_frame(2, "/"), protocol_error},
      {"6.1: DATA on stream 0", frame(data, 0, 0, "x"), protocol_error},
      {"6.2: HEADERS on stream 0", get_frame(0, "/"), protocol_error},
      {"6.4: RST_STREAM of 3 bytes", open + frame(rst_stream, 0, 1, "abc"), frame_size_error},
      {"6.5: SETTINGS on a stream", frame(settings, 0, 1, ""), protocol_error},
      {"6.5: SETTINGS of 3 bytes", frame(settings, 0, 0, "abc"), frame_size_error},
      {"6.5: an answer with content", frame(settings, ack, 0, setting(1, 1)), frame_size_error},
      {"6.5.2: ENABLE_PUSH 2", frame(settings, 0, 0, setting(2, 2)), protocol_error},
      {"6.5.2: a window over 2^31-1", frame(settings, 0, 0, setting(4, 0x80000000)),
       flow_control_error},
      {"6.5.2: a frame size of 1", frame(settings, 0, 0, setting(5, 1)), protocol_error},
      {"6.6: PUSH_PROMISE", open + frame(5, 4, 1, number(2, 4)), protocol_error},
      {"6.7: PING on a stream", frame(ping, 0, 1, "12345678"), protocol_error},
      {"6.7: PING of 7 bytes", frame(ping, 0, 0, "1234567"), frame_size_error},
      {"6.8: GOAWAY on a stream", frame(goaway, 0, 1, number(0, 8)), protocol_error},
      {"6.9: WINDOW_UPDATE of 0", frame(window_update, 0, 0, number(0, 4)), protocol_error},
      {"6.9: WINDOW_UPDATE of 3 bytes", frame(window_update, 0, 0, "abc"), frame_size_error},
      {"6.10: CONTINUATION without HEADERS", frame(continuation, 4, 1, ""), protocol_error},
      {"6.10: another frame within a head",
       frame(headers, end_stream, 1, block(get_fields("/"))) + frame(ping, 0, 0, "12345678"),
       protocol_error},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    begin_again();
    send(row.bytes);
    expect_ended(row.code);
  }
  expect_others_are_well("broken frames");
}

}  // namespace
