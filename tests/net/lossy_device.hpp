// SPDX-License-Identifier: ISC
// tests/net/lossy_device.hpp: a device around a device, whose wire is bad: it loses, doubles,
// delays, reorders, changes and lengthens frames that are sent, by a seed; and one that writes
// every frame to a pcap file.
//
// Models:  net::NetDevice.   Both count what they did, so that a test can show that it happened.
// Used by: the simulation, bench/stack's wire between two taps.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/loop.hpp"
#include "net/device.hpp"
#include "tests/net/chance.hpp"

namespace net {

struct WireFaults {
  double loss = 0;  // of frames; in bursts, if `burst` is above 1: so many in a row on average
  double burst = 1;
  double duplicate = 0;
  double corrupt = 0;   // one byte of it is changed
  double trailing = 0;  // up to 30 bytes are added
  base::Duration delay{};
  base::Duration jitter{};             // more delay, by chance: frames overtake one another
  std::uint64_t bytes_per_second = 0;  // 0: without limit; else frames wait in a queue of 256
};

struct WireCounts {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t lengthened = 0;
  std::uint64_t overtaken = 0;

  bool operator==(const WireCounts&) const = default;
};

template <NetDevice Inner>
class LossyDevice final : private base::Timer {
 public:
  LossyDevice(base::Loop& loop, Inner& inner, const WireFaults& faults, std::uint64_t seed)
      : Timer(loop), loop_(loop), inner_(inner), faults_(faults), chance_(seed) {}

  [[nodiscard]] Mac mac() const { return inner_.mac(); }
  [[nodiscard]] std::size_t mtu_bytes() const { return inner_.mtu_bytes(); }
  // What is changed on the way must be found out by the receiver: nobody sums for it.
  [[nodiscard]] static Offload offload() { return {}; }
  std::optional<FrameIn> receive() { return inner_.receive(); }
  void listen(base::Work* on_frames, base::Work* on_space) { inner_.listen(on_frames, on_space); }

  bool send(const FrameOut& frame, Release release) {
    std::string bytes;
    for (base::Bytes piece : frame.pieces) bytes += base::text_of(piece);
    release();
    ++counts.sent;
    if (is_lost()) {
      ++counts.lost;
      return true;
    }
    const bool twice = chance_.happens(faults_.duplicate);
    if (twice) {
      ++counts.duplicated;
      depart(bytes);
    }
    depart(std::move(bytes));
    return true;
  }

  WireCounts counts;

 private:
  bool is_lost() {
    if (faults_.burst <= 1) return chance_.happens(faults_.loss);
    // Gilbert: in a burst all is lost; its mean length and the share of time in it are as asked.
    const double leave = 1 / faults_.burst;
    const double enter = leave * faults_.loss / (1 - faults_.loss);
    // And it is over soon: who sends again later is not in it.
    if (loop_.now() - last_sent_ > std::chrono::milliseconds(20)) in_burst_ = false;
    last_sent_ = loop_.now();
    in_burst_ = in_burst_ ? !chance_.happens(leave) : chance_.happens(enter);
    return in_burst_;
  }

  void depart(std::string bytes) {
    if (chance_.happens(faults_.trailing)) {
      ++counts.lengthened;
      bytes.append(1 + chance_.below(30), '\x5a');
    }
    if (chance_.happens(faults_.corrupt)) {
      ++counts.corrupted;
      bytes[chance_.below(bytes.size())] ^= static_cast<char>(1U << chance_.below(8));
    }
    base::Instant at = loop_.now() + faults_.delay;
    if (faults_.bytes_per_second > 0) {
      const auto ns =
          static_cast<std::int64_t>(bytes.size() * 1'000'000'000U / faults_.bytes_per_second);
      free_at_ = std::max(free_at_, loop_.now()) + base::Duration(ns);
      if (under_way_.size() > 256) {
        ++counts.lost;
        return;
      }
      at = free_at_ + faults_.delay;
    }
    if (faults_.jitter.count() > 0) {
      at += base::Duration(chance_.below(static_cast<std::uint64_t>(faults_.jitter.count())));
    }
    if (!under_way_.empty() && at < under_way_.rbegin()->first.first) ++counts.overtaken;
    under_way_.emplace(std::pair(at, number_++), std::move(bytes));
    const base::Instant first = under_way_.begin()->first.first;
    if (first <= loop_.now()) {
      expired();
    } else {
      arm(first);
    }
  }

  void expired() override {
    while (!under_way_.empty() && under_way_.begin()->first.first <= loop_.now()) {
      const base::Bytes piece = base::bytes_of(under_way_.begin()->second);
      if (piece.size() <= inner_.mtu_bytes() + ethernet_header_bytes) {
        // A device without room loses it, as any wire may.
        static_cast<void>(inner_.send({{&piece, 1}}, {}));
      }
      under_way_.erase(under_way_.begin());
    }
    if (!under_way_.empty()) arm(under_way_.begin()->first.first);
  }

  base::Loop& loop_;
  Inner& inner_;
  WireFaults faults_;
  Chance chance_;
  bool in_burst_ = false;
  base::Instant last_sent_{};
  base::Instant free_at_{};
  std::uint64_t number_ = 0;
  std::map<std::pair<base::Instant, std::uint64_t>, std::string> under_way_;
};

// Source: draft-ietf-opsawg-pcap. Times are the loop's.
template <NetDevice Inner>
class PcapDevice final {
 public:
  // Throws nothing: a file that cannot be written is one without frames.
  PcapDevice(base::Loop& loop, Inner& inner, const std::string& path)
      : loop_(loop), inner_(inner), file_(std::fopen(path.c_str(), "wb")) {
    const std::array<std::uint32_t, 6> head{0xa1b2c3d4, 0x00040002, 0, 0, 0x40000, 1};
    write(head.data(), sizeof head);
  }
  ~PcapDevice() {
    if (file_ != nullptr) std::fclose(file_);
  }
  PcapDevice(const PcapDevice&) = delete;
  PcapDevice& operator=(const PcapDevice&) = delete;

  [[nodiscard]] Mac mac() const { return inner_.mac(); }
  [[nodiscard]] std::size_t mtu_bytes() const { return inner_.mtu_bytes(); }
  [[nodiscard]] Offload offload() const { return inner_.offload(); }
  void listen(base::Work* on_frames, base::Work* on_space) { inner_.listen(on_frames, on_space); }
  bool send(const FrameOut& frame, Release release) {
    std::string bytes;
    for (base::Bytes piece : frame.pieces) bytes += base::text_of(piece);
    const bool taken = inner_.send(frame, release);
    if (taken) note(bytes);
    return taken;
  }
  std::optional<FrameIn> receive() {
    std::optional<FrameIn> frame = inner_.receive();
    if (frame) note(base::text_of(frame->bytes));
    return frame;
  }

 private:
  void note(std::string_view frame) {
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(loop_.now().time_since_epoch());
    const auto size = static_cast<std::uint32_t>(frame.size());
    const std::array<std::uint32_t, 4> head{static_cast<std::uint32_t>(now.count() / 1'000'000),
                                            static_cast<std::uint32_t>(now.count() % 1'000'000),
                                            size, size};
    write(head.data(), sizeof head);
    write(frame.data(), frame.size());
  }
  void write(const void* bytes, std::size_t count) {
    if (file_ != nullptr) std::fwrite(bytes, 1, count, file_);
  }
  base::Loop& loop_;
  Inner& inner_;
  std::FILE* file_;
};

}  // namespace net
