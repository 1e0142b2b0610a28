// SPDX-License-Identifier: ISC
// targets/libos/services.hpp: what every bare target's Platform offers alike, over libos.
//
// States:  Console, Clock, Entropy, MemoryLine, the texts of the boot line.
// Models:  base::Console, base::Clock, base::Entropy.

#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "base/lost_lines.hpp"

namespace libos {

// What the medium does not take in time is dropped; once it takes lines again, one says how many.
class Console final : public base::Console {
 public:
  void write(std::string_view text) noexcept override;

 private:
  base::LostLines lost_;
};

class Clock final : public base::Clock {
 public:
  base::Instant now() noexcept override;
  std::int64_t wall_s() noexcept override;
};

class Entropy final : public base::Entropy {
 public:
  // Throws std::runtime_error unless libos::random is seeded; `nor` says which other source the
  // machine lacks.
  explicit Entropy(const char* nor);
  void fill(base::MutableBytes out) noexcept override;
};

// At debug level says how much memory is in use, so that an operator sees whether it stays level.
class MemoryLine final : public base::Timer {
 public:
  MemoryLine(base::Loop& loop, base::Log& log) noexcept : Timer(loop), loop_(loop), log_(log) {}
  // The first line; one every 5 s follows.
  void begin() noexcept { expired(); }
  void expired() override;

 private:
  base::Loop& loop_;
  base::Log& log_;
};

// What the host gave, without what the image and its devices have taken so far.
[[nodiscard]] std::uint64_t free_memory_bytes() noexcept;
// "ready 9.9 ms after entry; image 9.9 MiB, memory 9.9 of 9.9 MiB"
[[nodiscard]] std::string boot_line();
// "memory 9.9 of 9.9 MiB, at most 9.9"
[[nodiscard]] std::string memory_text_most();

}  // namespace libos
