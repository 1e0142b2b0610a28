// SPDX-License-Identifier: ISC
// tests/net/wire.cpp: a wire between two taps, as bad as asked for (this needs no netem).
//
//   wire fd:A fd:B [--loss P] [--burst N] [--duplicate P] [--corrupt P] [--trailing P]
//        [--delay-ms N] [--jitter-ms N] [--bytes-per-second N] [--seed N]
//
// Both descriptors are taps without a header (IFF_TAP | IFF_NO_PI), so that the kernel finishes
// checksums. On SIGTERM it prints what it did to the frames, in JSON, and ends.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/loop.hpp"
#include "targets/unix/platform.hpp"
#include "targets/unix/tap/tap.hpp"
#include "tests/net/lossy_device.hpp"

namespace {

using unix_target::Tap;

// Carries what comes in at one end to the other.
class Pump final : public base::Work {
 public:
  Pump(base::Loop& loop, Tap& from, net::LossyDevice<Tap>& to)
      : loop_(loop), from_(from), to_(to) {}
  void run() override {
    for (int i = 0; i < 256; ++i) {
      const auto frame = from_.receive();
      if (!frame) return;
      const base::Bytes piece = frame->bytes;
      static_cast<void>(to_.send({{&piece, 1}}, {}));
    }
    loop_.schedule(*this);
  }

 private:
  base::Loop& loop_;
  Tap& from_;
  net::LossyDevice<Tap>& to_;
};

base::Task<void> until_stopped(base::Loop& loop) { co_await loop.sleep_until(base::never); }

Tap open(unix_target::Platform& platform, const char* name) {
  auto open = unix_target::open_tap(name);
  if (!open) {
    platform.log.error({open.error()});
    std::exit(1);
  }
  return {platform.loop, platform.descriptors, platform.log, *open};
}

void print(const char* name, const net::WireCounts& counts, const char* after) {
  std::printf(
      "\"%s\": {\"sent\": %llu, \"lost\": %llu, \"duplicated\": %llu, \"corrupted\": %llu, "
      "\"lengthened\": %llu, \"overtaken\": %llu}%s",
      name, static_cast<unsigned long long>(counts.sent),
      static_cast<unsigned long long>(counts.lost),
      static_cast<unsigned long long>(counts.duplicated),
      static_cast<unsigned long long>(counts.corrupted),
      static_cast<unsigned long long>(counts.lengthened),
      static_cast<unsigned long long>(counts.overtaken), after);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  net::WireFaults faults;
  std::uint64_t seed = 1;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const double value = std::strtod(argv[i + 1], nullptr);
    const auto ms = std::chrono::microseconds(static_cast<std::int64_t>(value * 1000));
    if (name == "--loss") faults.loss = value;
    if (name == "--burst") faults.burst = value;
    if (name == "--duplicate") faults.duplicate = value;
    if (name == "--corrupt") faults.corrupt = value;
    if (name == "--trailing") faults.trailing = value;
    if (name == "--delay-ms") faults.delay = ms;
    if (name == "--jitter-ms") faults.jitter = ms;
    if (name == "--bytes-per-second") {
      faults.bytes_per_second = static_cast<std::uint64_t>(value);
    }
    if (name == "--seed") seed = static_cast<std::uint64_t>(value);
  }
  return unix_target::start(argc, argv, {}, [&](unix_target::Platform& platform) {
    Tap a = open(platform, argv[1]);
    Tap b = open(platform, argv[2]);
    net::LossyDevice<Tap> to_a(platform.loop, a, faults, seed);
    net::LossyDevice<Tap> to_b(platform.loop, b, faults, seed + 1);
    Pump from_a(platform.loop, a, to_b);
    Pump from_b(platform.loop, b, to_a);
    a.listen(&from_a, nullptr);
    b.listen(&from_b, nullptr);
    platform.loop.schedule(from_a);
    platform.loop.schedule(from_b);
    platform.loop.spawn(until_stopped(platform.loop));
    platform.loop.run();
    std::printf("{");
    print("to_a", to_a.counts, ", ");
    print("to_b", to_b.counts, "}\n");
    return 0;
  });
}
