// SPDX-License-Identifier: ISC
// tests/block/archetype.hpp: the least that models block::BlockDevice, and one that breaks a law on
// purpose.
//
// States:  Archetype, whose answers are awaitable as little as can be, by operator co_await of an
//          rvalue; Flawed.
// Used by: every test that instantiates a template over block::BlockDevice: what compiles on
//          Archetype uses nothing but the concept.

#pragma once

#include <utility>

#include "block/memory/memory.hpp"

namespace block {

class Archetype {
 public:
  class Answer {
   public:
    explicit Answer(Result<void> result) : result_(result) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    struct Awaiter {
      Result<void> result;
      static bool await_ready() { return true; }
      static void await_suspend(std::coroutine_handle<>) {}
      Result<void> await_resume() { return result; }
    };
    Awaiter operator co_await() && { return {result_}; }

   private:
    Result<void> result_;
  };
  // Converts to an Info and is none.
  struct Said {
    Info info;
    operator Info() const { return info; }  // NOLINT: as the concept has it
  };

  explicit Archetype(const Info& info) : memory_(info) {}
  Archetype(const Archetype&) = delete;
  Archetype& operator=(const Archetype&) = delete;

  [[nodiscard]] Said info() const { return {memory_.info()}; }
  Answer read(std::uint64_t sector, MutableBytes to) {
    return Answer(memory_.read(sector, to).await_resume());
  }
  Answer write(std::uint64_t sector, Bytes from) {
    return Answer(memory_.write(sector, from).await_resume());
  }
  Answer flush() { return Answer(block::Memory::flush().await_resume()); }

 private:
  Memory memory_;
};
static_assert(BlockDevice<Archetype>);

enum class Flaw {
  changes_info,            // law 1
  odd_sectors,             // law 1
  reads_past_the_end,      // law 2
  takes_parts_of_sectors,  // law 2
  offset_wraps,            // law 2
  refuses_none,            // law 2
  clears_before_refusing,  // law 2
  forgets_last_sector,     // law 3
  cuts_large_writes,       // law 3
  reads_one_too_far,       // law 3
  flush_fails,             // law 5
  flush_drops,             // law 5
  takes_writes,            // law 7
};

class Flawed {
 public:
  Flawed(const Info& info, Flaw flaw) : memory_(info), flaw_(flaw) {}

  [[nodiscard]] Info info() const {
    Info info = memory_.info();
    if (flaw_ == Flaw::changes_info && was_used_) ++info.sector_count;
    if (flaw_ == Flaw::odd_sectors) info.sector_bytes += 100;
    return info;
  }
  base::Ready<Result<void>> read(std::uint64_t sector, MutableBytes to);
  base::Ready<Result<void>> write(std::uint64_t sector, Bytes from);
  base::Ready<Result<void>> flush() {
    if (flaw_ == Flaw::flush_fails) return {base::failure(Error::unavailable)};
    if (flaw_ == Flaw::flush_drops) std::ranges::fill(memory_.bytes(), std::byte{0});
    return {{}};
  }

 private:
  [[nodiscard]] bool is_lenient(std::uint64_t sector, std::size_t bytes) const {
    const Info info = memory_.info();
    const bool is_whole = bytes % info.sector_bytes == 0;
    if (flaw_ == Flaw::takes_parts_of_sectors) return !is_whole;
    if (flaw_ == Flaw::offset_wraps) {
      return is_whole && sector * info.sector_bytes + bytes <= info.size_bytes();
    }
    return flaw_ == Flaw::reads_past_the_end && is_whole && sector <= info.sector_count;
  }

  Memory memory_;
  Flaw flaw_;
  bool was_used_ = false;
};
static_assert(BlockDevice<Flawed>);

inline base::Ready<Result<void>> Flawed::read(std::uint64_t sector, MutableBytes to) {
  was_used_ = true;
  if (to.empty() && flaw_ == Flaw::refuses_none) return {base::failure(Error::out_of_range)};
  if (is_lenient(sector, to.size())) return {{}};
  if (flaw_ == Flaw::clears_before_refusing) std::ranges::fill(to, std::byte{0});
  if (flaw_ == Flaw::reads_one_too_far && !to.empty() && sector + 1 < memory_.info().sector_count) {
    ++sector;
  }
  return memory_.read(sector, to);
}

inline base::Ready<Result<void>> Flawed::write(std::uint64_t sector, Bytes from) {
  const Info info = memory_.info();
  if (from.empty() && flaw_ == Flaw::refuses_none) return {base::failure(Error::out_of_range)};
  if (is_lenient(sector, from.size())) return {{}};
  if (flaw_ == Flaw::takes_writes && info.is_read_only) return {{}};
  if (flaw_ == Flaw::forgets_last_sector && sector + 1 == info.sector_count) return {{}};
  constexpr std::size_t large_bytes = 65'536;
  if (flaw_ == Flaw::cuts_large_writes) from = from.first(std::min(from.size(), large_bytes));
  return memory_.write(sector, from);
}

}  // namespace block
