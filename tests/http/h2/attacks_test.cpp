// SPDX-License-Identifier: ISC
// tests/http/h2/attacks_test.cpp: what a hostile peer of HTTP/2 can do, each beside an honest one.
//
// Method:  frames by hand into a server in memory, on simulated time. Each test sees that what
//          HTTP/2 took of memory stays below a figure, which it prints, that the attacker is told
//          why and ended where it must be, and that another connection is answered meanwhile.
// Source:  CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316, CVE-2025-8671; RFC 9113.

#include <gtest/gtest.h>

#include "tests/http/h2/attack_world.hpp"

namespace {

using namespace std::chrono_literals;
using namespace h2_test;

class Http2Attacks : public AttackWorld {};

TEST_F(Http2Attacks, RapidReset) {
  send(preface());
  std::uint32_t id = 1;
  for (int i = 0; i < 100 && !wire_->is_ended(); ++i) {
    std::string bytes;
    for (int j = 0; j < 50; ++j, id += 2) {
      bytes += get_frame(id, "/large.bin") + frame(rst_stream, 0, id, number(cancel, 4));
    }
    send(bytes);
  }
  EXPECT_LT(id, 1000U) << "requests that were heard";
  expect_others_are_well("rapid reset");
  expect_ended(enhance_your_calm);
}

// The peer makes us reset, in each way that is an error of one stream: CVE-2025-8671.
TEST_F(Http2Attacks, MadeYouReset) {
  using Bytes = std::string (*)(std::uint32_t);
  const struct {
    const char* name;
    Bytes bytes;
  } ways[] = {
      {"a window that overflows",
       [](std::uint32_t id) {
         return get_frame(id, "/large.bin") + frame(window_update, 0, id, number(0x7fffffff, 4));
       }},
      {"a malformed request",
       [](std::uint32_t id) {
         return get_frame(id, "/large.bin", {{"te", "gzip"}});
       }},
      {"a length that lies",
       [](std::uint32_t id) {
         return frame(headers, end_headers, id,
                      block(get_fields("/large.bin", {{"content-length", "5"}}))) +
                frame(data, end_stream, id, "four");
       }},
  };
  for (const auto& way : ways) {
    SCOPED_TRACE(way.name);
    begin_again();
    std::uint32_t id = 1;
    for (; id < 2000 && !wire_->is_ended(); id += 2) send(way.bytes(id));
    EXPECT_LT(id, 1000U);
    expect_others_are_well((std::string("made you reset: ") + way.name).c_str());
    expect_ended(enhance_your_calm);
  }
}

TEST_F(Http2Attacks, ContinuationFlood) {
  send(preface());
  send(frame(headers, end_stream, 1, block(get_fields("/a.txt"))));
  for (int i = 0; i < 1000 && !wire_->is_ended(); ++i) {
    send(frame(continuation, 0, 1, literal("x", std::string(16'000, 'a'))));
  }
  expect_others_are_well("continuation flood");
  expect_ended(enhance_your_calm);
}

TEST_F(Http2Attacks, EmptyContinuationFlood) {
  send(preface());
  send(frame(headers, end_stream, 1, block(get_fields("/a.txt"))));
  for (int i = 0; i < 5000 && !wire_->is_ended(); ++i) send(frame(continuation, 0, 1, ""));
  expect_others_are_well("empty continuation flood");
  expect_ended(enhance_your_calm);
}

// Each kind of frame that gives the peer nothing.
TEST_F(Http2Attacks, FloodsOfEveryKind) {
  struct Flood {
    const char* name;
    std::string bytes;
  };
  const Flood floods[] = {
      {"settings", frame(settings, 0, 0, setting(4, 65535))},
      {"empty settings", frame(settings, 0, 0, "")},
      {"ping", frame(ping, 0, 0, "12345678")},
      {"empty data", frame(data, 0, 1, "")},
      {"padding only", frame(data, padded, 1, std::string(1, '\x10') + std::string(16, '\0'))},
      {"priority", frame(priority, 0, 3, number(1, 4) + "\x10")},
      {"priority_update", frame(0x10, 0, 0, number(1, 4) + "u=1")},
      {"unknown frames", frame(0xfa, 0, 0, "x")},
      {"window update", frame(window_update, 0, 0, number(1, 4))},
  };
  for (const Flood& flood : floods) {
    SCOPED_TRACE(flood.name);
    begin_again();
    // A request whose body is to come.
    Pairs post = get_fields("/a.txt");
    post[0].second = "POST";
    send(frame(headers, end_headers, 1, block(post)));
    std::string many;
    for (int i = 0; i < 100; ++i) many += flood.bytes;
    int rounds = 0;
    for (; rounds < 1000 && !wire_->is_ended(); ++rounds) send(many);
    EXPECT_LT(rounds, 20);
    expect_others_are_well(flood.name);
    expect_ended(enhance_your_calm);
  }
}

// The same, by a peer that reads nothing of what it makes us say.
TEST_F(Http2Attacks, InternalBufferingIsBounded) {
  wire_->pipes[1].capacity = 1000;
  wire_->push(preface());
  world_.settle();
  std::string many;
  for (int i = 0; i < 100; ++i) many += frame(ping, 0, 0, "12345678");
  for (int i = 0; i < 200 && !wire_->is_closed(); ++i) {
    wire_->push(many);
    world_.settle();
    most_ = std::max(most_, world_.server.http2_bytes());
  }
  expect_others_are_well("pings whose answers are not read");
  wait(40s);
  EXPECT_TRUE(wire_->is_closed());
}

TEST_F(Http2Attacks, ResetsThatAreNotReadAreBounded) {
  wire_->pipes[1].capacity = 100;
  wire_->push(preface());
  std::uint32_t id = 1;
  for (int i = 0; i < 2000 && !wire_->is_closed(); ++i, id += 2) {
    wire_->push(get_frame(id, "/large.bin") + frame(window_update, 0, id, number(0x7fffffff, 4)));
    world_.settle();
    most_ = std::max(most_, world_.server.http2_bytes());
  }
  expect_others_are_well("resets that are not read");
  wait(40s);
  EXPECT_TRUE(wire_->is_closed());
}

// Large answers in frames of one byte.
TEST_F(Http2Attacks, DataDribble) {
  send(preface(setting(4, 0)));
  send(get_frame(1, "/large.bin"));
  int frames = 0;
  for (; frames < 5000 && !wire_->is_ended(); ++frames) {
    send(frame(window_update, 0, 1, number(1, 4)));
  }
  EXPECT_LT(frames, 1500);
  expect_others_are_well("data dribble");
  expect_ended(enhance_your_calm);
}

TEST_F(Http2Attacks, WindowsThatStayClosedEndTheirStreams) {
  for (const std::uint32_t window : {0U, 1U}) {
    begin_again(setting(4, window));
    for (std::uint32_t id = 1; id < 200; id += 2) send(get_frame(id, "/large.bin"));
    expect_others_are_well("a hundred closed windows");
    wait(31s);
    for (std::uint32_t id = 1; id < 200; id += 2) EXPECT_EQ(reset_code(id), cancel) << id;
    EXPECT_LT(world_.server.http2_bytes(), 100U * 1024);
    wait(80s);
    expect_ended(no_error);
  }
}

// One byte every now and then is no progress.
TEST_F(Http2Attacks, OneByteWindowsHeldForEver) {
  send(preface(setting(4, 1)));
  send(get_frame(1, "/large.bin"));
  int seconds = 0;
  for (; seconds < 300 && reset_code(1) < 0; ++seconds) {
    send(frame(window_update, 0, 1, number(1, 4)));
    wait(1s);
  }
  EXPECT_LE(seconds, 31);
  EXPECT_EQ(reset_code(1), cancel);
  expect_others_are_well("one-byte windows");
}

TEST_F(Http2Attacks, StreamsThatAreOpenedAndNeverRead) {
  wire_->pipes[1].capacity = 1000;
  wire_->push(preface(setting(4, 0x7fffffff)));
  for (std::uint32_t id = 1; id < 200; id += 2) wire_->push(get_frame(id, "/large.bin"));
  world_.settle();
  most_ = std::max(most_, world_.server.http2_bytes());
  expect_others_are_well("a hundred answers that are not read");
  world_.advance(31s);
  EXPECT_TRUE(wire_->is_closed());
}

}  // namespace
