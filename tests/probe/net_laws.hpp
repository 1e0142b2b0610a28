// SPDX-License-Identifier: ISC
// tests/probe/net_laws.hpp: the laws of net::NetDevice, by number, on a real device.
//
// States:  NetLaws.
// Method:  no test framework: this runs in a guest. On the wire is a mirror (tests/image/probe.py),
//          which answers frames of the experimental EtherType 0x88b5: the byte behind the header
//          says how. Whoever waits for a frame waits for `on_frames` alone, so law 6 is tried by
//          all of them.

#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "net/device.hpp"

namespace probe {

template <net::NetDevice Device>
class NetLaws {
 public:
  NetLaws(base::Loop& loop, Device& device) : loop_(loop), device_(device) {}
  NetLaws(const NetLaws&) = delete;
  NetLaws& operator=(const NetLaws&) = delete;

  // A sentence for each law that does not hold; and what was seen, for whoever reads the console.
  base::Task<std::vector<std::string>> broken() {
    const net::Mac mac = device_.mac();
    const std::size_t mtu_bytes = device_.mtu_bytes();
    expect(mac != net::Mac{} && (mac[0] & 1U) == 0, 1, "its address is none");
    expect(mtu_bytes >= 68, 1, "its largest packet is none");
    const net::Offload offload = device_.offload();
    expect(offload.send || offload.segmentation_bytes == 0, 4, "it cuts and does not sum");
    device_.listen(&on_frames_, &on_space_);
    co_await find_the_mirror();
    if (broken_.empty()) {
      co_await frames_arrive_whole();
      co_await too_large_is_dropped();
      co_await order_is_kept();
      co_await frames_that_come_are_told();
      co_await space_is_told();
    }
    co_await nobody_is_told();
    expect(device_.mac() == mac && device_.mtu_bytes() == mtu_bytes, 1, "mac or mtu changed");
    device_.listen(nullptr, nullptr);
    co_return std::move(broken_);
  }
  [[nodiscard]] std::string seen() const {
    return std::to_string(sent_) + " sent, " + std::to_string(received_) + " received, " +
           std::to_string(refused_) + " refused";
  }

 private:
  enum class Answer : char { echo = 'E', none = 'N', burst = 'B' };
  static constexpr std::size_t header_bytes = net::ethernet_header_bytes;
  static constexpr std::size_t frame_bytes_min = 60;
  static constexpr base::Duration patience = std::chrono::seconds(10);

  struct Flag final : base::Work {
    void run() override { ++count; }
    unsigned count = 0;
  };
  struct Releases {
    unsigned count = 0;
    static void add(void* to) noexcept { ++static_cast<Releases*>(to)->count; }
    [[nodiscard]] net::Release one() noexcept { return {add, this}; }
  };

  void expect(bool holds, int law, const std::string& what) {
    if (!holds) broken_.push_back("law " + std::to_string(law) + ": " + what);
  }

  // To everybody; the mirror answers to us. `number` and the size make the content.
  [[nodiscard]] std::string frame(Answer answer, std::size_t bytes, unsigned number) const {
    std::string out(6, '\xff');
    for (const std::uint8_t byte : device_.mac()) out += static_cast<char>(byte);
    out += {'\x88', '\xb5', static_cast<char>(answer), static_cast<char>(number >> 8U),
            static_cast<char>(number)};
    while (out.size() < bytes) out += static_cast<char>(number + out.size() * 7);
    out.resize(bytes);
    return out;
  }
  [[nodiscard]] static unsigned number_of(std::string_view frame) {
    const auto byte = [frame](std::size_t at) {
      return unsigned{static_cast<unsigned char>(frame[header_bytes + at])};
    };
    return byte(1) << 8U | byte(2);
  }

  // In so many pieces, some of them empty.
  bool send(const std::string& frame, Releases& releases, std::size_t pieces = 1) {
    std::vector<base::Bytes> parts;
    const base::Bytes whole = base::bytes_of(frame);
    for (std::size_t i = 0, done = 0; i < pieces; ++i) {
      const std::size_t end = whole.size() * (i + 1) / pieces;
      parts.push_back(whole.subspan(done, end - done));
      done = end;
    }
    const bool is_taken = device_.send({parts}, releases.one());
    ++(is_taken ? sent_ : refused_);
    return is_taken;
  }

  // The next frame of the mirror's to us; nothing: none came in time.
  base::Task<std::optional<std::string>> next(base::Duration within = patience) {
    const base::Instant deadline = loop_.now() + within;
    for (;;) {
      const unsigned told = on_frames_.count;
      while (const std::optional<net::FrameIn> got = device_.receive()) {
        const std::string copy(base::text_of(got->bytes));
        if (!is_ours(copy)) continue;
        ++received_;
        co_return copy;
      }
      while (on_frames_.count == told) {
        if (loop_.now() >= deadline) co_return std::nullopt;
        co_await loop_.sleep_for(std::chrono::milliseconds(1));
      }
    }
  }
  [[nodiscard]] bool is_ours(std::string_view frame) const {
    const net::Mac mac = device_.mac();
    const std::string_view address(reinterpret_cast<const char*>(mac.data()), mac.size());
    return frame.size() >= frame_bytes_min - 4 && frame.starts_with(address) &&
           frame.substr(12, 2) == "\x88\xb5";
  }
  // What the mirror makes of `frame`: our address in front. It may be filled up to the least.
  [[nodiscard]] bool is_echo(std::string_view got, std::string_view frame) const {
    return got.size() >= frame.size() && got.size() <= std::max(frame.size(), frame_bytes_min) &&
           got.substr(12).starts_with(frame.substr(12));
  }
  base::Task<bool> is_released(const Releases& releases, unsigned count) {
    const base::Instant deadline = loop_.now() + patience;
    while (releases.count < count && loop_.now() < deadline) {
      co_await loop_.sleep_for(std::chrono::milliseconds(1));
    }
    co_return releases.count == count;
  }

  // A bridge may not pass frames on yet.
  base::Task<void> find_the_mirror() {
    Releases releases;
    const std::string hello = frame(Answer::echo, frame_bytes_min, 0);
    for (int i = 0; i < 30; ++i) {
      send(hello, releases);
      const std::optional<std::string> got = co_await next(std::chrono::seconds(1));
      if (got) co_return;
    }
    broken_.emplace_back("no mirror answers on the wire, or law 6: nobody is told of frames");
  }

  base::Task<void> frames_arrive_whole() {
    const std::size_t most = device_.mtu_bytes() + header_bytes;
    unsigned number = 1;
    for (const std::size_t bytes :
         {frame_bytes_min, std::size_t{61}, std::size_t{64}, std::size_t{333}, most - 1, most}) {
      for (const std::size_t pieces : {1U, 2U, 5U, 40U}) {
        const std::string out = frame(Answer::echo, bytes, ++number);
        const std::string name =
            "a frame of " + std::to_string(bytes) + " bytes in " + std::to_string(pieces);
        Releases releases;
        const bool is_taken = send(out, releases, pieces);
        expect(is_taken, 2, name + " pieces is refused by an idle device");
        std::optional<std::string> got = co_await next();
        // An echo of the greeting may be late.
        while (got && number_of(*got) == 0) got = co_await next();
        expect(got && is_echo(*got, out), 2, name + " pieces does not arrive whole");
        const bool once = co_await is_released(releases, 1);
        expect(once, 2, name + " pieces is not released once");
      }
    }
  }

  base::Task<void> too_large_is_dropped() {
    const std::size_t most = device_.mtu_bytes() + header_bytes;
    Releases releases;
    const std::string large = frame(Answer::echo, most + 1, 1000);
    const std::string small = frame(Answer::echo, frame_bytes_min, 1001);
    expect(send(large, releases), 4, "a frame that is too large is refused, not dropped");
    const bool once = co_await is_released(releases, 1);
    expect(once, 4, "a frame that is too large is not released once");
    send(small, releases);
    const std::optional<std::string> got = co_await next();
    expect(got && number_of(*got) == 1001, 4,
           "a frame that is too large was sent, whole or in part");
  }

  base::Task<void> order_is_kept() {
    constexpr unsigned count = 24;
    Releases releases;
    std::vector<std::string> frames;
    for (unsigned i = 0; i < count; ++i) {
      frames.push_back(frame(Answer::echo, frame_bytes_min + i * 20, 2000 + i));
    }
    for (const std::string& out : frames) send(out, releases, 2);
    for (unsigned i = 0; i < count; ++i) {
      const std::optional<std::string> got = co_await next();
      expect(got && is_echo(*got, frames[i]), 5,
             "frame " + std::to_string(i) + " of " + std::to_string(count) + " is not the next");
      if (!got) co_return;
    }
    const bool all = co_await is_released(releases, count);
    expect(all, 2, "of frames sent together some are not released once");
  }

  // The mirror sends them on its own, some together, some a while after one another.
  base::Task<void> frames_that_come_are_told() {
    Releases releases;
    const std::string ask = frame(Answer::burst, frame_bytes_min, burst_count);
    send(ask, releases);
    for (unsigned i = 0; i < burst_count; ++i) {
      const std::optional<std::string> got = co_await next();
      expect(got && number_of(*got) == i, 6,
             "frame " + std::to_string(i) + " of " + std::to_string(burst_count) +
                 " that came is not the next, or nobody was told");
      if (!got) co_return;
    }
  }

  // As fast as can be, until there is no room: not every device says so.
  base::Task<void> space_is_told() {
    constexpr unsigned most = 4000;
    Releases releases;
    const std::string out = frame(Answer::none, 1000, 3000);
    const unsigned told = on_space_.count;
    unsigned taken = 0;
    while (taken < most && send(out, releases, 3)) ++taken;
    if (taken < most) {
      const base::Instant deadline = loop_.now() + patience;
      while (on_space_.count == told && loop_.now() < deadline) {
        co_await loop_.sleep_for(std::chrono::milliseconds(1));
      }
      expect(on_space_.count == told + 1, 3,
             "of room again it is told " + std::to_string(on_space_.count - told) + " times");
      const bool is_taken = send(out, releases, 3);
      expect(is_taken, 3, "there is no room after all");
      if (is_taken) ++taken;
    }
    const bool all = co_await is_released(releases, taken);
    expect(all, 2,
           "of " + std::to_string(taken) + " frames in a row, " + std::to_string(releases.count) +
               " are released");
    co_await loop_.sleep_for(std::chrono::milliseconds(50));
    expect(releases.count == taken, 2, "frames are released more than once");
  }

  base::Task<void> nobody_is_told() {
    while (device_.receive()) {
    }
    device_.listen(nullptr, nullptr);
    const unsigned told = on_frames_.count;
    Releases releases;
    const std::string out = frame(Answer::echo, frame_bytes_min, 4000);
    send(out, releases);
    co_await loop_.sleep_for(std::chrono::milliseconds(200));
    expect(on_frames_.count == told, 7, "who does not listen is told of frames");
  }

  static constexpr unsigned burst_count = 60;  // as the mirror has it

  base::Loop& loop_;
  Device& device_;
  Flag on_frames_;
  Flag on_space_;
  std::vector<std::string> broken_;
  unsigned sent_ = 0;
  unsigned received_ = 0;
  unsigned refused_ = 0;
};

}  // namespace probe
