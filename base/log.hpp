// SPDX-License-Identifier: ISC
// base/log.hpp: lines for the operator, by level, on the console.
//
// Cost: a line below the level is one comparison; formatting is only for lines that are written.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/console.hpp"

namespace base {

enum class LogLevel : std::uint8_t { error, warning, info, debug };

class Log {
 public:
  // `console` must outlive the log.
  explicit Log(Console& console, LogLevel level = LogLevel::info) noexcept
      : console_(console), level_(level) {}

  // Writes one line: "error: ", "warning: " or nothing, the parts joined, and a newline.
  // Control characters in the parts are written as \xNN: a peer's bytes cannot forge lines.
  // Without memory for it the line is lost, and a fixed one says so.
  void write(LogLevel level, std::initializer_list<std::string_view> parts) noexcept;

  void error(std::initializer_list<std::string_view> parts) noexcept {
    write(LogLevel::error, parts);
  }
  void warning(std::initializer_list<std::string_view> parts) noexcept {
    write(LogLevel::warning, parts);
  }
  void info(std::initializer_list<std::string_view> parts) noexcept {
    write(LogLevel::info, parts);
  }
  void debug(std::initializer_list<std::string_view> parts) noexcept {
    write(LogLevel::debug, parts);
  }

  [[nodiscard]] Console& console() const noexcept { return console_; }
  void set_level(LogLevel level) noexcept { level_ = level; }

 private:
  Console& console_;
  LogLevel level_;
};

// Appends `text`, with each byte below 0x20 and 0x7F as \xNN, and each of `also` so too.
void append_escaped(std::string& out, std::string_view text, std::string_view also = {});

}  // namespace base
