// SPDX-License-Identifier: ISC
// http/counters.hpp: what the servers of one thread have done, in numbers.
//
// States:  Protocol, Refusal, Counters, DurationTally.
// Used by: http/common.hpp; http/metrics shows them.
// Rules:   1. The thread of the servers counts, any thread reads (base/counter.hpp).
//          2. An answer is counted when a log has its line: when it was put together, or when it
//             broke off, with as much of its body as was taken.
// Cost:    bench/instructions, at most 60 instructions a request, and one reading of the clock for
//          each turn of the loop in which there was an answer.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/loop.hpp"
#include "http/status.hpp"

namespace http {

// The version of HTTP that a request came in.
enum class Protocol : std::uint8_t { http_1_0, http_1_1, http_2 };
inline constexpr std::size_t protocol_count = 3;

// Why a connection was refused.
enum class Refusal : std::uint8_t {
  busy,     // no room for it: it was told 503
  dropped,  // no room, and too many are being told 503: it was closed
  buffers,  // no buffers for its request: it was closed
  memory,   // no memory for the connection: it was closed
};
inline constexpr std::size_t refusal_count = 4;

struct Counters {
  static constexpr std::size_t class_count = 5;  // 1xx to 5xx
  // Upper bounds; above the last one there is one bucket more.
  static constexpr std::array bounds = [] {
    using std::chrono::microseconds;
    return std::array<base::Duration, 14>{
        microseconds{500},       microseconds{1'000},     microseconds{2'500},
        microseconds{5'000},     microseconds{10'000},    microseconds{25'000},
        microseconds{50'000},    microseconds{100'000},   microseconds{250'000},
        microseconds{500'000},   microseconds{1'000'000}, microseconds{2'500'000},
        microseconds{5'000'000}, microseconds{10'000'000}};
  }();

  std::array<std::array<base::Counter, class_count>, protocol_count> requests;
  base::Counter body_bytes;
  std::array<base::Counter, bounds.size() + 1> durations;  // how many in each bucket alone
  base::Counter duration_ns;                               // the sum
  base::Counter connections;                               // admitted
  base::Counter evictions;                                 // of these, those that gave way
  std::array<base::Counter, refusal_count> refusals;

  void answered(Protocol protocol, Status status, std::uint64_t bytes) noexcept {
    const auto digit = static_cast<unsigned>(code_of(status)) / 100;
    requests[static_cast<std::size_t>(protocol)][digit - 1].add();
    body_bytes.add(bytes);
  }
  void refused(Refusal why) noexcept { refusals[static_cast<std::size_t>(why)].add(); }
  // So many answers took so long.
  void took(base::Duration duration, std::uint64_t count = 1) noexcept;
};

// Measures answers without a clock of their own. One whose request came in this turn of the loop
// counts as having taken until the turn's work is done; another one, from turn to turn.
class DurationTally final : private base::Work {
 public:
  // Both outlive it.
  DurationTally(base::Loop& loop, Counters& counters) noexcept : loop_(loop), counters_(counters) {}

  void answered(base::Instant started) noexcept {
    if (started < loop_.now()) {
      counters_.took(loop_.now() - started);
      return;
    }
    if (count_++ == 0) loop_.schedule(*this);
  }

 private:
  void run() override;

  base::Loop& loop_;
  Counters& counters_;
  std::uint32_t count_ = 0;  // in this turn
};

}  // namespace http
