// SPDX-License-Identifier: ISC
// bench/disk/config.hpp: an appliance that reads its first block device from beginning to end, as a
// store does, and says how long that took; then it ends.
//
//   --piece=KIB    what is asked for at once
//
// Used by: bench/disk/run.py.

#pragma once

#include CRUNCH_TARGET

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "block/block.hpp"
#include "config/key.hpp"
#include "config/parts/target_parts.hpp"

namespace {

using namespace config;

constexpr Key<unsigned> piece_kib{.name = "piece",
                                  .section = "BENCH",
                                  .doc = "KiB that are asked for at once",
                                  .fallback = 256,
                                  .least = 4,
                                  .most = 1024};

template <class Platform>
class Reader {
 public:
  Reader(Platform& platform, std::size_t piece_bytes)
      : platform_(platform), piece_bytes_(piece_bytes) {}

  base::Task<void> run() {
    auto device = platform_.block_devices.find(1, "disk");
    if (!device) {
      say(device.error());
      co_return;
    }
    const block::Info info = (*device)->info();
    const auto piece = std::make_unique<std::byte[]>(piece_bytes_);
    const base::Instant begin = platform_.clock.now();
    for (std::uint64_t at = 0; at < info.size_bytes(); at += piece_bytes_) {
      const auto bytes =
          static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes_, info.size_bytes() - at));
      const block::Result<void> result =
          co_await (*device)->read(at / info.sector_bytes, {piece.get(), bytes});
      if (!result) {
        say("the device fails");
        co_return;
      }
    }
    const auto spent =
        std::chrono::duration_cast<std::chrono::microseconds>(platform_.clock.now() - begin);
    say(std::to_string(info.size_bytes()) + " bytes in " + std::to_string(spent.count()) + " us");
  }
  void drain() {}

 private:
  void say(const std::string& what) { platform_.console.write("disk: " + what + "\n"); }

  Platform& platform_;
  std::size_t piece_bytes_;
};

struct ConnectReader {
  static constexpr std::tuple keys{&piece_kib};
  static constexpr std::size_t block_devices = 1;
  template <class Console>
  auto operator()(auto& context, Console&) const {
    return Reader(context.platform, std::size_t{context.boot.value(piece_kib)} * 1024);
  }
};

template <class>
using ReaderOf = Reader<target::Platform>;
constexpr auto read_all = foreign<ReaderOf>("Reader", console_type >> job, ConnectReader{});

constexpr auto app = jobs(read_all(default_console));

}  // namespace
