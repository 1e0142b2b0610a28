// SPDX-License-Identifier: ISC
// tests/net/fuzz/frames_fuzz.cpp: any Ethernet frames, in any order, into the whole stack.
//
// Input:  a byte (odd: addresses by DHCP and SLAAC, even: fixed ones), then frames, each after two
// bytes: its length (11 bits), then what is done for it, so that
//         mutation gets past what is only arithmetic: 0x0800 time passes first, 0x1000 it
//         acknowledges what the stack last sent, 0x2000 its checksums are made good, 0x4000 the
//         device vouches for it, 0x8000 it is addressed to us.
// Held:   nothing but what sanitizers and lwIP's own assertions find; and afterwards all that was
//         taken is given back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/net/frames.hpp"
#include "tests/net/lwip_world.hpp"

namespace {

using namespace std::chrono_literals;
using net::frames::put_long;
using net::frames::put_word;
using net::frames::sum_of;

base::Task<void> echo(net::Lwip::Flow flow) {
  for (;;) {
    auto bytes = co_await flow.read(4096, 20s);
    if (!bytes) break;
    const std::string copy(base::text_of(*bytes));
    const net::Piece piece{base::bytes_of(copy)};
    auto written = co_await flow.write({&piece, 1}, 20s);
    if (!written) co_return;
  }
  auto down = co_await flow.shutdown(1s);
  static_cast<void>(down);
}

base::Task<void> serve(base::Loop& loop, net::Lwip::Listener& listener) {
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    loop.spawn(echo(std::move(*flow)));
  }
}

unsigned word_at(std::string_view frame, std::size_t at) {
  return unsigned{static_cast<unsigned char>(frame[at])} << 8U |
         static_cast<unsigned char>(frame[at + 1]);
}

void make_sums_good(std::string& frame) {
  if (frame.size() < 54) return;
  if (word_at(frame, 12) == 0x0800) {
    const std::size_t head = (static_cast<unsigned char>(frame[14]) & 0xfU) * std::size_t{4};
    if (head < 20 || frame.size() < 14 + head + 4) return;
    put_word(frame, 24, 0);
    put_word(frame, 24, ~sum_of(std::string_view(frame).substr(14, head)) & 0xffffU);
    const std::size_t total = std::min<std::size_t>(word_at(frame, 16), frame.size() - 14);
    if (frame[23] != 1 || total < head + 4) return;
    put_word(frame, 14 + head + 2, 0);
    const unsigned sum = sum_of(std::string_view(frame).substr(14 + head, total - head));
    put_word(frame, 14 + head + 2, ~sum & 0xffffU);
  } else if (word_at(frame, 12) == 0x86dd && frame[20] == 58 && frame.size() >= 58) {
    const std::size_t size = std::min<std::size_t>(word_at(frame, 18), frame.size() - 54);
    if (size < 4) return;
    put_word(frame, 56, 0);
    const unsigned pseudo =
        sum_of(std::string_view(frame).substr(22, 32), 58 + static_cast<unsigned>(size));
    put_word(frame, 56, ~sum_of(std::string_view(frame).substr(54, size), pseudo) & 0xffffU);
  }
}

// Where TCP begins in a frame of its own; 0: none.
std::size_t tcp_at(std::string_view frame) {
  if (frame.size() < 54) return 0;
  if (word_at(frame, 12) == 0x0800 && frame[23] == 6) {
    const std::size_t at = 14 + (static_cast<unsigned char>(frame[14]) & 0xfU) * std::size_t{4};
    return at + 20 <= frame.size() ? at : 0;
  }
  return word_at(frame, 12) == 0x86dd && frame[20] == 6 && frame.size() >= 74 ? 54 : 0;
}

bool is_dhcp(std::string_view frame, unsigned port) {
  return frame.size() >= 50 && word_at(frame, 12) == 0x0800 && frame[14] == 0x45 &&
         frame[23] == 17 && word_at(frame, 36) == port;
}

class Fuzzed {
 public:
  explicit Fuzzed(bool asks)
      : world_(1, 1500, asks ? net::lwip::Options{} : net::mirror_options()) {
    world_.on_frame = [this](const std::string& frame) {
      if (is_dhcp(frame, 67)) transaction_ = frame.substr(46, 4);
      const std::size_t at = tcp_at(frame);
      if (at == 0) return;
      const unsigned flags = static_cast<unsigned char>(frame[at + 13]);
      const std::size_t head = (static_cast<unsigned char>(frame[at + 12]) >> 4U) * std::size_t{4};
      next_ = word_at(frame, at + 4) << 16U | word_at(frame, at + 6);
      next_ += static_cast<std::uint32_t>(frame.size() - at - head) + ((flags & 3U) != 0 ? 1 : 0);
    };
    world_.loop().on_exception = [](std::string_view) noexcept {
      base::panic(__FILE__, __LINE__, "a task threw");
    };
    auto listener = world_.stack().listen(80);
    CHECK(listener.has_value());
    listener_.emplace(std::move(*listener));
    world_.loop().spawn(serve(world_.loop(), *listener_));
    pass(4s);
  }
  ~Fuzzed() {
    listener_->close();
    for (int i = 0; i < 200 && world_.loop().spawned_count() > 0; ++i) pass(1s);
    CHECK(world_.loop().spawned_count() == 0);
    CHECK(world_.stack().flow_count() == 0);
  }

  void take(std::string frame, unsigned what) {
    if ((what & 0x0800U) != 0) pass(300ms);
    if ((what & 0x8000U) != 0 && frame.size() >= 6 && (frame[0] & 1) == 0) {
      frame.replace(0, 6, net::frames::our_mac);
    }
    const std::size_t at = tcp_at(frame);
    if ((what & 0x1000U) != 0 && at != 0) put_long(frame, at + 8, next_);
    // And answers what it last asked a DHCP server.
    if ((what & 0x1000U) != 0 && is_dhcp(frame, 68)) frame.replace(46, 4, transaction_);
    if ((what & 0x2000U) != 0) make_sums_good(frame);
    world_.device().vouches = (what & 0x4000U) != 0;
    world_.device().arrive(frame);
    pass(1ms);
  }

 private:
  void pass(base::Duration time) {
    const base::Instant end = world_.loop().now() + time;
    while (world_.loop().now() < end) world_.loop().turn(end);
  }

  net::LwipWorld world_;
  std::optional<net::Lwip::Listener> listener_;
  std::uint32_t next_ = 0;
  std::string transaction_ = std::string(4, '\0');
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20'000) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Fuzzed fuzzed((data[0] & 1U) != 0);
  input.remove_prefix(1);
  while (input.size() >= 2) {
    const unsigned what = word_at(input, 0);
    input.remove_prefix(2);
    const std::size_t count = std::min<std::size_t>(what & 0x7ffU, input.size());
    fuzzed.take(std::string(input.substr(0, count)), what);
    input.remove_prefix(count);
  }
  return 0;
}
