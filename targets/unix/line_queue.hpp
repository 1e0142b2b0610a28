// SPDX-License-Identifier: ISC
// targets/unix/line_queue.hpp: lines that wait for a writer, in memory that is set aside once.
//
// States:  taking -> dropping (a line does not fit, or the medium failed) -> taking (the medium has
//          taken half of what waited, or a whole piece after it failed).
// Owns:    its memory. Nothing is allocated after construction.
// Rule:    1. a text is taken whole or not at all, so no line is cut here;
//          2. every line is written or counted as lost, once.
// No locks: targets/unix/console.hpp has one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace unix_target {

class LineQueue {
 public:
  static constexpr std::size_t bytes_max = std::size_t{256} * 1024;
  // What notices about this queue itself may take beyond that.
  static constexpr std::size_t notice_bytes_max = 512;

  LineQueue();

  // What became of a text: `began` is the first one that was lost.
  enum class Taken : std::uint8_t { whole, lost, began };
  // `text` is whole lines.
  Taken put(std::string_view text) noexcept;
  // A line about the queue: taken even while others are dropped.
  void put_notice(std::string_view line) noexcept;

  // Takes the next bytes out: whole lines where they fit `piece`, else a part of one.
  [[nodiscard]] std::span<const char> take(std::span<char> piece) noexcept;
  // The medium took a whole piece. True: dropping ends with this; lost_count() says how much was
  // lost, and begins at 0 again with forget_lost().
  [[nodiscard]] bool was_written() noexcept;
  // The medium failed; `rest` of the piece is lost. True: dropping begins with this.
  [[nodiscard]] bool was_refused(std::string_view rest) noexcept;
  // What still waits will not be written.
  void give_up() noexcept;

  [[nodiscard]] bool is_dropping() const noexcept { return dropping_; }
  [[nodiscard]] bool is_empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::uint64_t lost_count() const noexcept { return lost_count_; }
  void forget_lost() noexcept { lost_count_ = 0; }

 private:
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  void append(std::string_view text) noexcept;

  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t lost_count_ = 0;
  bool dropping_ = false;
};

}  // namespace unix_target
