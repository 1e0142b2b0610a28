// SPDX-License-Identifier: ISC
// tests/net/congestion_test.cpp: the laws of net/lwip/congestion.hpp, and CUBIC's and HyStart++'s
// own rules.
//
// Method:  the laws run on every model and on an archetype, through seeded sequences of what can
//          happen; then CUBIC alone against figures from its RFC, and flows that share a modelled
//          bottleneck: a queue of packets with a drop at its end, stepped by the millisecond.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "net/lwip/congestion.hpp"
#include "net/lwip/cubic.hpp"
#include "tests/net/chance.hpp"

namespace {

using namespace std::chrono_literals;
using net::Chance;
using net::lwip::Acknowledged;
using net::lwip::Congestion;
using net::lwip::Cubic;
using net::lwip::initial_segments;

constexpr std::uint32_t segment = 1460;

// Reno (RFC 5681): an archetype, and a rival.
class Reno {
 public:
  explicit Reno(std::uint32_t segment_bytes) : segment_(segment_bytes) {}
  void on_acknowledged(const Acknowledged& acknowledged) noexcept {
    if (!acknowledged.was_used) return;
    if (window_ < threshold_) {
      window_ += std::min<double>(acknowledged.bytes, 8.0 * segment_);
    } else {
      window_ += std::min<double>(acknowledged.bytes, segment_ * acknowledged.bytes / window_);
    }
  }
  void on_loss() noexcept {
    before_ = window_;
    window_ = threshold_ = std::max(window_ / 2, 2.0 * segment_);
  }
  void on_timeout(bool is_repairing) noexcept {
    if (!is_repairing) before_ = window_;
    threshold_ = std::max(window_ / 2, 2.0 * segment_);
    window_ = segment_;
  }
  void on_undo() noexcept { window_ = std::max(window_, before_); }
  void on_idle(base::Duration, base::Duration) noexcept {
    window_ = std::min<double>(window_, initial_segments * segment_);
  }
  void set_segment_bytes(std::uint32_t bytes) noexcept {
    segment_ = bytes;
    window_ = std::max<double>(window_, bytes);
  }
  [[nodiscard]] std::uint32_t window() const noexcept {
    return static_cast<std::uint32_t>(window_);
  }

 private:
  std::uint32_t segment_;
  double window_ = initial_segments * segment_;
  double threshold_ = 1e12;
  double before_ = window_;
};
static_assert(Congestion<Reno>);

// The least that a model can be.
class Archetype {
 public:
  explicit Archetype(std::uint32_t) noexcept {}
  Archetype(const Archetype&) = delete;
  Archetype& operator=(const Archetype&) = delete;
  void on_acknowledged(const Acknowledged&) noexcept {}
  void on_loss() noexcept {}
  void on_timeout(bool) noexcept {}
  void on_undo() noexcept {}
  void on_idle(base::Duration, base::Duration) noexcept {}
  void set_segment_bytes(std::uint32_t) noexcept {}
  [[nodiscard]] std::uint32_t window() const noexcept { return segment; }
};
static_assert(Congestion<Archetype>);

// ---- The laws

template <class Control>
class Laws : public ::testing::Test {};
using Models = ::testing::Types<Cubic, Reno>;
TYPED_TEST_SUITE(Laws, Models);

Acknowledged some_acknowledgement(Chance& chance, base::Instant now, std::uint32_t window) {
  Acknowledged said{.now = now};
  said.bytes = static_cast<std::uint32_t>(1 + chance.below(std::max(window, 2U)));
  said.round_trip = std::chrono::microseconds(chance.below(200'000));
  said.smoothed = std::chrono::microseconds(1 + chance.below(200'000));
  said.was_used = chance.below(3) != 0;
  said.begins_round = chance.below(10) == 0;
  return said;
}

TYPED_TEST(Laws, HoldWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    TypeParam control(segment);
    base::Instant now{1s};
    bool is_repairing = false;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::microseconds(chance.below(100'000));
      const std::uint32_t before = control.window();
      switch (chance.below(12)) {
        case 0:
          control.on_loss();
          is_repairing = true;
          ASSERT_LE(control.window(), std::max(before, 2 * segment)) << "law 4";
          ASSERT_GE(control.window(), 2 * segment) << "law 4";
          break;
        case 1:
          control.on_timeout(is_repairing);
          is_repairing = false;
          ASSERT_EQ(control.window(), segment) << "law 5";
          break;
        case 2: {
          control.on_loss();
          if (chance.below(2) == 0) control.on_timeout(true);
          control.on_undo();
          ASSERT_GE(control.window(), before) << "law 6";
          break;
        }
        case 3:
          control.on_idle(std::chrono::milliseconds(chance.below(100'000)), 300ms);
          ASSERT_LE(control.window(), before) << "law 7";
          ASSERT_GE(control.window(), std::min(before, initial_segments * segment)) << "law 7";
          break;
        default: {
          const Acknowledged said = some_acknowledgement(chance, now, before);
          control.on_acknowledged(said);
          ASSERT_GE(control.window(), before) << "law 3";
          ASSERT_LE(control.window(), std::uint64_t{before} + said.bytes + 1) << "law 3";
          if (!said.was_used) {
            ASSERT_EQ(control.window(), before) << "law 2";
          }
        }
      }
      ASSERT_GE(control.window(), segment) << "law 1";
    }
  }
}

// ---- CUBIC

// A window's worth of acknowledgements, one a segment, at the end of a round trip.
void round(Cubic& control, base::Instant& now, base::Duration trip, bool was_used = true) {
  now += trip;
  const std::uint32_t count = std::max(control.window() / segment, 1U);
  for (std::uint32_t i = 0; i < count; ++i) {
    control.on_acknowledged({now, segment, trip, trip, was_used, i == 0});
  }
}

TEST(CubicRules, SlowStartDoublesEachRound) {
  Cubic control(segment);
  base::Instant now{1s};
  EXPECT_EQ(control.window(), 10 * segment);
  for (const std::uint32_t expected : {20U, 40U, 80U, 160U}) {
    round(control, now, 100ms);
    EXPECT_EQ(control.window(), expected * segment);
  }
}

// RFC 9438 sections 4.2 and 4.6: 0.7 of it is left, and it is back after K = cbrt(0.3 W / C).
TEST(CubicRules, TheWindowIsBackAfterTheTimeOfTheRfc) {
  Cubic control(segment);
  base::Instant now{1s};
  for (int i = 0; i < 6; ++i) round(control, now, 100ms);
  const double window = control.window() / segment;
  ASSERT_EQ(window, 640);
  control.on_loss();
  EXPECT_NEAR(control.window(), 0.7 * window * segment, segment);
  const double k = std::cbrt(0.3 * window / 0.4);
  const base::Instant begin = now;
  while (control.window() < 0.99 * window * segment && now - begin < 60s) {
    round(control, now, 100ms);
  }
  const double took = std::chrono::duration<double>(now - begin).count();
  EXPECT_GT(took, 0.6 * k);
  EXPECT_LT(took, 1.2 * k);
  // Around it the window hardly moves, and then grows faster again.
  const std::uint32_t at_plateau = control.window();
  for (int i = 0; i < 5; ++i) round(control, now, 100ms);
  EXPECT_LT(control.window(), 1.03 * at_plateau);
  for (int i = 0; i < 80; ++i) round(control, now, 100ms);
  EXPECT_GT(control.window(), 1.08 * at_plateau);
}

TEST(CubicRules, TimeWithoutUseDoesNotCount) {
  Cubic control(segment);
  base::Instant now{1s};
  for (int i = 0; i < 5; ++i) round(control, now, 100ms);
  control.on_loss();
  for (int i = 0; i < 5; ++i) round(control, now, 100ms);
  const std::uint32_t before = control.window();
  for (int i = 0; i < 600; ++i) round(control, now, 100ms, false);
  EXPECT_EQ(control.window(), before);
  round(control, now, 100ms);
  EXPECT_LT(control.window(), 1.05 * before) << "a minute later it has not jumped";
}

// RFC 9406: delays that grow by an eighth end the doubling before anything is lost.
TEST(CubicRules, SlowStartEndsWhenDelaysGrow) {
  Cubic control(segment);
  base::Instant now{1s};
  for (int i = 0; i < 4; ++i) round(control, now, 40ms);
  EXPECT_EQ(control.window(), 160 * segment);
  base::Duration trip = 40ms;
  int rounds = 0;
  for (; control.is_in_slow_start() && rounds < 30; ++rounds) round(control, now, trip += 8ms);
  EXPECT_LE(rounds, 8);
  EXPECT_LT(control.window(), 1200 * segment) << "and not 160 times two for each round";
}

// ---- Fairness

struct Flow {
  std::uint32_t in_flight = 0;
  double delivered = 0;
  base::Instant reacted{};
  bool is_repairing = false;
};

// Two flows over one link, in steps of a packet's time; what does not fit the queue is lost and
// found a round trip later.
template <class A, class B>
std::pair<double, double> share(A& a, B& b, base::Duration trip, double packets_per_second,
                                std::size_t queue_max, base::Duration duration) {
  struct Packet {
    base::Instant at;
    int of;
    bool is_lost;
  };
  std::vector<Packet> acks;  // in order of time
  std::size_t head = 0;
  Flow flows[2];
  const base::Duration each(static_cast<std::int64_t>(1e9 / packets_per_second));
  base::Instant now{1s};
  base::Instant free_at = now;
  const base::Instant end = now + duration;
  auto window = [&](int i) { return i == 0 ? a.window() : b.window(); };
  auto on_packet = [&](const Packet& packet) {
    Flow& flow = flows[packet.of];
    const Acknowledged said{now, segment, trip, trip, true, false};
    flow.in_flight -= segment;
    if (!packet.is_lost) {
      if (now > end - duration / 2) flow.delivered += 1;
      packet.of == 0 ? a.on_acknowledged(said) : b.on_acknowledged(said);
    } else if (now - flow.reacted > trip) {
      flow.reacted = now;
      packet.of == 0 ? a.on_loss() : b.on_loss();
    }
  };
  int turn = 0;
  while (now < end) {
    while (head < acks.size() && acks[head].at <= now) on_packet(acks[head++]);
    for (int tries = 0; tries < 2; ++tries, turn ^= 1) {
      Flow& flow = flows[turn];
      if (flow.in_flight + segment > window(turn)) continue;
      flow.in_flight += segment;
      const bool is_lost = free_at - now > each * static_cast<std::int64_t>(queue_max);
      if (!is_lost) free_at = std::max(free_at, now) + each;
      // Losses are found when what follows has come through.
      acks.push_back({std::max(free_at, now) + trip, turn, is_lost});
    }
    now += each / 4;
  }
  return {flows[0].delivered, flows[1].delivered};
}

double jain(double x, double y) { return (x + y) * (x + y) / (2 * (x * x + y * y)); }

TEST(Fairness, TwoAlikeShareTheLink) {
  Cubic a(segment);
  Cubic b(segment);
  for (int i = 0; i < 200; ++i) {
    // The second one comes to a link that the first has filled.
    a.on_acknowledged({base::Instant{1s}, segment, 40ms, 40ms, true, false});
  }
  const auto [x, y] = share(a, b, 40ms, 2000, 100, 120s);
  EXPECT_GE(jain(x, y), 0.9) << x << " and " << y;
  EXPECT_GT(x + y, 0.9 * 2000 * 60) << "the link is full";
}

TEST(Fairness, RenoKeepsAQuarter) {
  Cubic cubic(segment);
  Reno reno(segment);
  const auto [x, y] = share(cubic, reno, 40ms, 2000, 100, 120s);
  EXPECT_GE(y / (x + y), 0.25) << x << " and " << y;
}

}  // namespace
