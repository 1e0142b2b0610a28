// SPDX-License-Identifier: ISC
#include "base/log.hpp"

#include <new>

namespace base {

void append_escaped(std::string& out, std::string_view text, std::string_view also) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && also.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

void Log::write(LogLevel level, std::initializer_list<std::string_view> parts) noexcept try {
  if (level > level_) return;
  std::string line;
  if (level == LogLevel::error) line = "error: ";
  if (level == LogLevel::warning) line = "warning: ";
  for (std::string_view part : parts) append_escaped(line, part);
  line += '\n';
  console_.write(line);
} catch (const std::bad_alloc&) {
  console_.write("error: no memory for a line of the log\n");
}

}  // namespace base
