// SPDX-License-Identifier: ISC
// tests/block/laws.hpp: the laws of block::BlockDevice, by number, on any device.
//
// States:  broken_laws: a sentence for each that does not hold.
// Method:  no test framework: a guest runs the same code on its real devices (tests/probe). The
//          first, the last and sectors in the middle are written; what they held is lost.

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "block/block.hpp"

namespace block::laws {

using Buffer = std::vector<std::byte>;

// What a sector holds after round `round`.
inline void fill(std::uint64_t sector, unsigned round, MutableBytes out) {
  std::uint64_t state = sector * 0x9e3779b97f4a7c15ULL + round + 1;
  for (std::byte& byte : out) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    byte = static_cast<std::byte>(state >> 32U);
  }
}

inline Buffer pattern(const Info& info, std::uint64_t sector, std::uint64_t count, unsigned round) {
  Buffer bytes(count * info.sector_bytes);
  for (std::uint64_t i = 0; i < count; ++i) {
    fill(sector + i, round, MutableBytes(bytes).subspan(i * info.sector_bytes, info.sector_bytes));
  }
  return bytes;
}

struct Range {
  std::uint64_t sector, count;
};

// Some of every device: its ends, and one in its middle that is too large for one request.
inline std::vector<Range> ranges(const Info& info) {
  constexpr std::uint64_t large_bytes = 300'000;
  const std::uint64_t large = std::min(info.sector_count, large_bytes / info.sector_bytes);
  return {{0, 1},
          {info.sector_count - 1, 1},
          {info.sector_count / 2, 1},
          {0, std::min<std::uint64_t>(info.sector_count, 3)},
          {(info.sector_count - large) / 2, large}};
}

class Findings {
 public:
  void expect(bool holds, int law, const std::string& what) {
    if (!holds) broken_.push_back("law " + std::to_string(law) + ": " + what);
  }
  void expect_error(const Result<void>& result, Error error, int law, const std::string& what) {
    expect(!result && result.error() == error, law, what);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(broken_); }

 private:
  std::vector<std::string> broken_;
};

// Ranges that are none, of a device with this `info`: a first sector and a size in bytes.
struct BadRange {
  std::uint64_t sector;
  std::size_t bytes;
};
inline std::vector<BadRange> bad_ranges(const Info& info) {
  const std::size_t one = info.sector_bytes;
  return {{info.sector_count, one},
          {info.sector_count - 1, 2 * one},
          {info.sector_count + 1, 0},
          {0, one - 1},
          {0, 1},
          {0, one + one / 2},
          {~std::uint64_t{0}, one},
          {~std::uint64_t{0} / one + 1, one},  // its offset in bytes would be 0 again
          {std::uint64_t{1} << 63U, one}};
}

template <BlockDevice D>
base::Task<void> check_bad_ranges(D& device, Findings& findings) {
  const Info info = device.info();
  for (const BadRange& bad : bad_ranges(info)) {
    const std::string name =
        std::to_string(bad.bytes) + " bytes from sector " + std::to_string(bad.sector);
    Buffer bytes(bad.bytes, std::byte{0x5a});
    const Result<void> was_read = co_await device.read(bad.sector, bytes);
    findings.expect_error(was_read, Error::out_of_range, 2, "reads " + name);
    const bool is_untouched =
        std::ranges::all_of(bytes, [](auto b) { return b == std::byte{0x5a}; });
    findings.expect(is_untouched, 2, "a read that is refused touches its bytes");
    const Result<void> was_written = co_await device.write(bad.sector, bytes);
    const Error error = info.is_read_only ? Error::read_only : Error::out_of_range;
    findings.expect_error(was_written, error, info.is_read_only ? 7 : 2, "writes " + name);
  }
  for (const std::uint64_t sector : {std::uint64_t{0}, info.sector_count}) {
    const Result<void> was_read = co_await device.read(sector, {});
    findings.expect(was_read.has_value(), 2, "a read of no sectors fails");
    if (info.is_read_only) continue;
    const Result<void> was_written = co_await device.write(sector, {});
    findings.expect(was_written.has_value(), 2, "a write of no sectors fails");
  }
}

template <BlockDevice D>
base::Task<bool> holds(D& device, Range range, unsigned round) {
  const Info info = device.info();
  Buffer bytes(range.count * info.sector_bytes);
  const Result<void> was_read = co_await device.read(range.sector, bytes);
  co_return was_read.has_value() && bytes == pattern(info, range.sector, range.count, round);
}

template <BlockDevice D>
base::Task<void> check_writing(D& device, Findings& findings) {
  const Info info = device.info();
  unsigned round = 0;
  for (const Range& range : ranges(info)) {
    const std::string name =
        std::to_string(range.count) + " sectors from " + std::to_string(range.sector);
    // Twice, so that nothing that was there before is taken for what was written.
    for (int again = 0; again < 2; ++again) {
      const Buffer bytes = pattern(info, range.sector, range.count, ++round);
      const Result<void> was_written = co_await device.write(range.sector, bytes);
      findings.expect(was_written.has_value(), 3, "does not write " + name);
      const bool at_once = co_await holds(device, range, round);
      findings.expect(at_once, 3, "does not read back " + name);
    }
    const Result<void> was_flushed = co_await device.flush();
    findings.expect(was_flushed.has_value(), 5, "does not flush after " + name);
    const Range last{range.sector + range.count - 1, 1};
    const bool after_flush = co_await holds(device, last, round);
    findings.expect(after_flush, 5, "a flush changes " + name);
  }
}

template <BlockDevice D>
base::Task<void> check_reading_only(D& device, Findings& findings) {
  const Info info = device.info();
  Buffer before(info.sector_bytes);
  Buffer after(info.sector_bytes);
  const Result<void> first = co_await device.read(0, before);
  const Buffer bytes = pattern(info, 0, 1, 1);
  const Result<void> was_written = co_await device.write(0, bytes);
  findings.expect_error(was_written, Error::read_only, 7, "is written");
  const Result<void> second = co_await device.read(0, after);
  findings.expect(first && second && before == after, 3, "what nobody wrote changes");
  const Result<void> was_flushed = co_await device.flush();
  findings.expect(was_flushed.has_value(), 7, "a flush fails");
}

// Laws 1 to 5 and 7, as far as they show while the power stays on.
template <BlockDevice D>
base::Task<std::vector<std::string>> broken_laws(D& device) {
  Findings findings;
  const Info info = device.info();
  findings.expect(is_possible(info), 1, "the device says what cannot be");
  co_await check_bad_ranges(device, findings);
  if (info.is_read_only) {
    co_await check_reading_only(device, findings);
  } else {
    co_await check_writing(device, findings);
  }
  const Info info_later = device.info();
  findings.expect(info == info_later, 1, "info() changes");
  co_return findings.take();
}

}  // namespace block::laws
