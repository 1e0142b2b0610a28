// SPDX-License-Identifier: ISC
#include "http/access_log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>

#include "base/log.hpp"
#include "http/date.hpp"

namespace http {

namespace {

using std::string_view;

// "06/Nov/1994:08:49:37 +0000", cut from "Sun, 06 Nov 1994 08:49:37 GMT".
void append_combined_time(std::string& out, std::int64_t wall_s) {
  DateText date = date_text(wall_s);
  string_view text(date.data(), date.size());
  out.append(text.substr(5, 2)).append("/").append(text.substr(8, 3)).append("/");
  out.append(text.substr(12, 4)).append(":").append(text.substr(17, 8)).append(" +0000");
}

// What would end the quotes, and what is not ASCII: a log is read by programs that take it for
// UTF-8, and by terminals.
constexpr std::array<char, 130> make_escaped_bytes() {
  std::array<char, 130> bytes{'"', '\\'};
  for (std::size_t i = 2; i < bytes.size(); ++i) bytes[i] = static_cast<char>(0x80 + i - 2);
  return bytes;
}
constexpr std::array<char, 130> escaped_bytes = make_escaped_bytes();

// What a peer sent; controls are escaped, too.
void append_peer_text(std::string& out, string_view text) {
  base::append_escaped(out, text, {escaped_bytes.data(), escaped_bytes.size()});
}

// "-" where there is nothing.
void append_quoted(std::string& out, string_view text) {
  out += '"';
  if (text.empty()) out += '-';
  append_peer_text(out, text);
  out += '"';
}

void append_json_text(std::string& out, string_view name, string_view text) {
  out.append(",\"").append(name).append("\":\"");
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      // Not everything that a peer sends is UTF-8, so that each byte stands for itself.
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(byte));
      out += code;
    }
  }
  out += '"';
}

void append_combined(std::string& out, const LogEntry& entry) {
  out.append(entry.has_peer ? net::address_text(entry.peer) : "-").append(" - - [");
  append_combined_time(out, entry.wall_s);
  out.append("] \"");
  if (entry.method.empty()) {
    out += '-';
  } else {
    append_peer_text(out, entry.method);
    out += ' ';
    append_peer_text(out, entry.target);
    out.append(" ").append(entry.version);
  }
  out.append("\" ").append(std::to_string(code_of(entry.status))).append(" ");
  out.append(std::to_string(entry.body_bytes)).append(" ");
  append_quoted(out, entry.referer);
  out += ' ';
  append_quoted(out, entry.user_agent);
}

long long microseconds(const LogEntry& entry) {
  return std::chrono::duration_cast<std::chrono::microseconds>(entry.duration).count();
}

void append_json(std::string& out, const LogEntry& entry) {
  out.append("{\"time\":").append(std::to_string(entry.wall_s));
  append_json_text(out, "peer", entry.has_peer ? net::address_text(entry.peer) : "");
  append_json_text(out, "method", entry.method);
  append_json_text(out, "target", entry.target);
  append_json_text(out, "version", entry.version);
  out.append(",\"status\":").append(std::to_string(code_of(entry.status)));
  out.append(",\"bytes\":").append(std::to_string(entry.body_bytes));
  out.append(",\"duration_us\":").append(std::to_string(microseconds(entry)));
  append_json_text(out, "referer", entry.referer);
  append_json_text(out, "user_agent", entry.user_agent);
  out += '}';
}

// "GET  /docs/ 200 5.3 kB 0.2 ms"
void append_brief(std::string& out, const LogEntry& entry) {
  append_peer_text(out, entry.method.empty() ? string_view{"-"} : entry.method);
  out += ' ';
  append_peer_text(out, entry.target);
  char text[80];
  std::snprintf(text, sizeof text, " %d %llu B %.1f ms", code_of(entry.status),
                static_cast<unsigned long long>(entry.body_bytes),
                static_cast<double>(microseconds(entry)) / 1000.0);
  out += text;
}

}  // namespace

LogEntry reduced(LogEntry entry, LogPrivacy privacy) noexcept {
  if (privacy == LogPrivacy::full) return entry;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  auto& address = entry.peer.address;
  const bool is_ipv4 = std::equal(mapped.begin(), mapped.end(), address.begin());
  std::fill(address.begin() + (is_ipv4 ? 15 : 6), address.end(), std::uint8_t{0});
  if (privacy == LogPrivacy::none) {
    entry.has_peer = false;
    entry.peer = {};
  }
  entry.target = entry.target.substr(0, entry.target.find('?'));
  entry.referer = entry.referer.substr(0, entry.referer.find_first_of("?#"));
  return entry;
}

void append_log_line(std::string& out, LogFormat format, const LogEntry& entry) {
  switch (format) {
    case LogFormat::off:
      return;
    case LogFormat::combined:
      append_combined(out, entry);
      break;
    case LogFormat::json:
      append_json(out, entry);
      break;
    case LogFormat::brief:
      append_brief(out, entry);
      break;
  }
  out += '\n';
}

void AccessLog::write(const LogEntry& entry) noexcept {
  if (!is_on()) return;
  const std::size_t size = buffer_.size();
  try {
    append_log_line(buffer_, format_, reduced(entry, privacy_));
  } catch (const std::bad_alloc&) {
    buffer_.resize(size);  // half a line would be worse than none
    if (size == 0) return;
  }
  if (buffer_.size() >= buffer_bytes_max) {
    flush();
  } else {
    loop_.schedule(*this);
  }
}

void AccessLog::flush() noexcept {
  if (buffer_.empty()) return;
  console_.write(buffer_);
  buffer_.clear();
}

}  // namespace http
