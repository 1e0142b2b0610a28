// SPDX-License-Identifier: ISC
// tests/net/peer.hpp: a host on the wire whose TCP is in the test's hands, segment by segment, over
// IPv4 or IPv6; and a server on the stack that it talks to.
//
// Method:  what the stack sends arrives here instead of in a mirror. ARP requests and neighbour
//          solicitations for this host are answered; probes for the stack's own addresses are not,
//          so nobody else has those.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/net/frames.hpp"
#include "tests/net/lwip_world.hpp"
#include "tests/net/worlds.hpp"

namespace net {

inline constexpr unsigned fin = 1;
inline constexpr unsigned syn = 2;
inline constexpr unsigned rst = 4;
inline constexpr unsigned psh = 8;
inline constexpr unsigned ack = 16;

// A segment from the stack.
struct Sent {
  unsigned to_port = 0;
  unsigned flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  unsigned window = 0;
  std::string options;
  std::string payload;
};

class Peer {
 public:
  explicit Peer(LwipWorld& world, bool is_ipv6 = false) : world_(world) {
    next.is_ipv6 = is_ipv6;
    next.sequence = 1000;
    world.device().carry = [this](const std::string& frame) { see(frame); };
    turn(is_ipv6 ? 4s : 10ms);
  }
  ~Peer() { world_.device().carry = {}; }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  void turn(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) world_.loop().turn(end);
  }
  // Sends a segment as `next` has it, and lets the stack work on it.
  void send(unsigned flags, std::string_view payload = {}, std::string_view options = {}) {
    frames::Tcp segment = next;
    segment.flags = flags;
    segment.options = options;
    world_.device().arrive(frames::tcp(segment, payload));
    turn(2ms);
  }
  // The same, and what follows comes after it.
  void say(unsigned flags, std::string_view payload = {}, std::string_view options = {}) {
    send(flags, payload, options);
    const unsigned ends = (flags & (syn | fin)) != 0 ? 1 : 0;
    next.sequence += static_cast<std::uint32_t>(payload.size()) + ends;
  }
  // A connection to a port of the stack.
  void open(unsigned port, std::string_view options = {}) {
    next.to_port = port;
    say(syn, {}, options);
    ASSERT_FALSE(sent.empty());
    ASSERT_EQ(last().flags, syn | ack);
    ASSERT_EQ(last().acknowledged, next.sequence);
    next.acknowledged = last().sequence + 1;
    send(ack);
  }
  // Acknowledges all that came in order.
  void acknowledge() {
    for (const Sent& each : std::exchange(sent, {})) {
      const std::uint32_t known = next.acknowledged - each.sequence;
      if (known >= each.payload.size()) continue;
      received += each.payload.substr(known);
      next.acknowledged += static_cast<std::uint32_t>(each.payload.size()) - known;
    }
    send(ack);
  }
  [[nodiscard]] const Sent& last() const { return sent.back(); }
  [[nodiscard]] std::size_t count(unsigned flags) const {
    std::size_t found = 0;
    for (const Sent& each : sent) found += each.flags == flags ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::size_t longest() const {
    std::size_t bytes = 0;
    for (const Sent& each : sent) bytes = std::max(bytes, each.payload.size());
    return bytes;
  }

  frames::Tcp next;
  std::vector<Sent> sent;           // by the stack, segments only
  std::vector<std::string> others;  // and all other frames
  std::string received;

 private:
  static std::uint32_t long_of(const std::string& frame, std::size_t at) {
    return offload::get_word(frame, at) << 16U | offload::get_word(frame, at + 2);
  }
  void see(const std::string& frame) {
    const unsigned type = offload::get_word(frame, 12);
    if (type == 0x0806 && frame[21] == 1) {
      if (frame.substr(28, 4) != frame.substr(38, 4)) answer_arp(frame);
      return;
    }
    const bool is_ipv6 = type == 0x86dd;
    const std::size_t tcp = is_ipv6 ? 54 : 34;
    if ((type != 0x0800 && !is_ipv6) || frame.size() < tcp + 20 || frame[is_ipv6 ? 20 : 23] != 6) {
      others.push_back(frame);
      if (is_ipv6 && frame.size() >= 78 && frame[54] == '\x87') answer_solicitation(frame);
      return;
    }
    const std::size_t end = tcp + offload::get_word(frame, is_ipv6 ? 18 : 16) - (is_ipv6 ? 0 : 20);
    const std::size_t data = tcp + (static_cast<unsigned char>(frame[tcp + 12]) >> 4U) * 4U;
    sent.push_back({offload::get_word(frame, tcp + 2), static_cast<unsigned char>(frame[tcp + 13]),
                    long_of(frame, tcp + 4), long_of(frame, tcp + 8),
                    offload::get_word(frame, tcp + 14), frame.substr(tcp + 20, data - tcp - 20),
                    frame.substr(data, end - data)});
  }
  void answer_arp(const std::string& question) {
    std::string answer = question;
    answer.replace(0, 6, frames::our_mac);
    answer.replace(6, 6, frames::other_mac);
    answer[21] = 2;
    answer.replace(22, 6, frames::other_mac);
    answer.replace(28, 4, question.substr(38, 4));
    answer.replace(32, 6, frames::our_mac);
    answer.replace(38, 4, question.substr(28, 4));
    world_.device().arrive(answer);
  }
  void answer_solicitation(const std::string& question) {
    const std::string target = question.substr(62, 16);
    const std::string asking = question.substr(22, 16);
    if (asking == std::string(16, '\0')) return;  // is the address taken? No
    std::string message("\x88\0\0\0\x60\0\0\0", 8);
    message += target;
    message += "\x02\x01";
    message += frames::other_mac;
    const frames::Ipv6 head{.from = target, .to = asking, .protocol = 58, .hop_limit = 255};
    frames::put_word(message, 2,
                     ~frames::sum_of(message, frames::pseudo_sum(head, message.size())) & 0xffffU);
    world_.device().arrive(frames::ipv6(head, message));
  }

  LwipWorld& world_;
};

// Takes connections on port 80, and writes `text` on each when its first byte has come; it reads
// nothing more.
class Answering {
 public:
  Answering(LwipWorld& world, std::string text, bool lasting = true)
      : world_(world), text_(std::move(text)), lasting_(lasting) {
    auto listener = world.stack().listen(80);
    REQUIRE(listener.has_value());
    listener_.emplace(std::move(*listener));
    world.loop().on_exception = [](std::string_view what) noexcept { ADD_FAILURE() << what; };
    world.loop().spawn(serve());
  }
  ~Answering() {
    listener_->close();
    flows.clear();
    const base::Instant end = world_.loop().now() + 5min;
    while (world_.loop().now() < end && world_.loop().spawned_count() > 0) world_.loop().turn(end);
    EXPECT_EQ(world_.loop().spawned_count(), 0U);
  }
  std::vector<std::unique_ptr<net::Lwip::Flow>> flows;
  std::vector<net::Error> ended;  // of the answers, how those ended that did not succeed

 private:
  Task<void> serve() {
    for (;;) {
      auto accepted = co_await listener_->accept();
      if (!accepted) co_return;
      flows.push_back(std::make_unique<net::Lwip::Flow>(std::move(*accepted)));
      world_.loop().spawn(answer(*flows.back()));
    }
  }
  Task<void> answer(net::Lwip::Flow& flow) {
    auto asked = co_await flow.read(1, 2min);
    if (!asked || text_.empty()) co_return;
    const net::Piece piece{bytes_of(text_), lasting_};
    auto written = co_await flow.write({&piece, 1}, 2min);
    if (!written) ended.push_back(written.error());
  }

  LwipWorld& world_;
  std::string text_;
  bool lasting_;
  std::optional<net::Lwip::Listener> listener_;
};

}  // namespace net
