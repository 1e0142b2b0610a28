// SPDX-License-Identifier: ISC
#include "targets/libos/services.hpp"

#include <chrono>
#include <stdexcept>

#include "targets/libos/clock.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/random.hpp"

extern "C" {
extern const char __executable_start[];
}

namespace libos {

namespace {

constexpr std::uint64_t mib = 1U << 20U;

// "9.9"
std::string tenths(std::uint64_t value, std::uint64_t unit) {
  const std::uint64_t in_tenths = (value * 10 + unit / 2) / unit;
  return std::to_string(in_tenths / 10) + "." + std::to_string(in_tenths % 10);
}

std::string memory_text() {
  return "memory " + tenths(pages::used_bytes(), mib) + " of " + tenths(pages::total_bytes(), mib) +
         " MiB";
}

}  // namespace

void Console::write(std::string_view text) noexcept {
  lost_.write(text, [](std::string_view part) noexcept {
    return machine::console(part.data(), part.size());
  });
}

void MemoryLine::expired() {
  constexpr base::Duration every = std::chrono::seconds(5);
  log_.debug({memory_text_most()});
  arm(loop_.now() + every);
}

base::Instant Clock::now() noexcept { return base::Instant(base::Duration(clock::now_ns())); }

std::int64_t Clock::wall_s() noexcept {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  return static_cast<std::int64_t>(clock::wall_ns() / second_ns);
}

Entropy::Entropy(const char* nor) {
  if (random::is_seeded()) return;
  throw std::runtime_error(
      std::string("nothing here gives random bytes: the processor has neither RDSEED nor RDRAND, "
                  "and ") +
      nor);
}

void Entropy::fill(base::MutableBytes out) noexcept { random::fill(out.data(), out.size()); }

std::string boot_line() {
  constexpr std::uint64_t ms = 1'000'000;
  return "ready " + tenths(clock::now_ns(), ms) + " ms after entry; image " +
         tenths(image_end() - reinterpret_cast<std::uint64_t>(__executable_start), mib) + " MiB, " +
         memory_text();
}

std::uint64_t free_memory_bytes() noexcept { return pages::total_bytes() - pages::used_bytes(); }

std::string memory_text_most() {
  return memory_text() + ", at most " + tenths(pages::used_bytes_most(), mib);
}

}  // namespace libos
