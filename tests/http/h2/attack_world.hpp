// SPDX-License-Identifier: ISC
// tests/http/h2/attack_world.hpp: a server, a peer that sends frames by hand, and an honest one.
//
// Method:  in memory, on simulated time. What HTTP/2 takes of memory is looked at after each step.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "http/h2/framing.hpp"
#include "tests/http/h2/client.hpp"
#include "tests/http/h2/raw_frames.hpp"
#include "tests/http/memory_world.hpp"

namespace h2_test {

using namespace std::chrono_literals;

constexpr std::uint32_t no_error = 0, protocol_error = 1, flow_control_error = 3,
                        frame_size_error = 6, refused_stream = 7, cancel = 8, compression_error = 9,
                        enhance_your_calm = 11;

// More than one connection may ever take.
constexpr std::size_t memory_max = http::h2::Framing::memory_bytes_max;

class AttackWorld : public ::testing::Test {
 protected:
  ~AttackWorld() override {
    wire_->end();
    world_.advance(1s);
  }

  std::shared_ptr<net::MemoryWire> dial() {
    auto wire = world_.stack.dial(80);
    wire->protocol = "h2";
    return wire;
  }
  // The attacker has another connection.
  void begin_again(std::string_view client_settings = "") {
    wire_ = dial();
    frames_.clear();
    came_.clear();
    send(preface(client_settings));
  }
  // It sends; what comes is kept.
  void send(std::string_view bytes) {
    wire_->push(bytes);
    world_.settle();
    collect();
  }
  void collect() {
    came_ += wire_->take();
    for (RawFrame& each : take_frames(came_)) frames_.push_back(std::move(each));
    most_ = std::max(most_, world_.server.http2_bytes());
  }
  void wait(base::Duration time) {
    world_.advance(time);
    collect();
  }
  // The code of the last GOAWAY; -1: none has come.
  std::int64_t goaway_code() const {
    std::int64_t code = -1;
    for (const RawFrame& each : frames_) {
      if (each.type == goaway) code = each.error_code();
    }
    return code;
  }
  // How a stream was reset; -1: it was not.
  std::int64_t reset_code(std::uint32_t stream) const {
    for (const RawFrame& each : frames_) {
      if (each.type == rst_stream && each.stream == stream) return each.error_code();
    }
    return -1;
  }
  std::size_t count(std::uint8_t type) const {
    return static_cast<std::size_t>(std::ranges::count(frames_, type, &RawFrame::type));
  }
  bool was_answered(std::uint32_t stream) const {
    return std::ranges::any_of(frames_, [stream](const RawFrame& each) {
      return each.stream == stream && (each.flags & end_stream) != 0;
    });
  }
  // Another client is served, and memory has stayed within bounds.
  void expect_others_are_well(const char* what, std::size_t bytes_max = memory_max) {
    Client honest;
    const auto wire = dial();
    const auto id = honest.get("/a.txt");
    talk(world_, *wire, honest);
    EXPECT_EQ(honest.responses[id].body, http_test::alphabet());
    most_ = std::max(most_, world_.server.http2_bytes());
    wire->end();
    world_.settle();
    std::printf("%s: at most %zu KiB, with the honest client's\n", what, most_ / 1024);
    EXPECT_LE(most_, bytes_max + 64 * 1024);
  }
  // The attacker's connection has ended by GOAWAY with this code.
  void expect_ended(std::uint32_t code) {
    wait(3s);
    EXPECT_EQ(goaway_code(), code);
    EXPECT_TRUE(wire_->is_ended());
    EXPECT_TRUE(wire_->is_closed());
  }

  http_test::World<http_test::ScriptedStore> world_;
  std::shared_ptr<net::MemoryWire> wire_ = dial();
  std::string came_;
  std::vector<RawFrame> frames_;
  std::size_t most_ = 0;
};

}  // namespace h2_test
