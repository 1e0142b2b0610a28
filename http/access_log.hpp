// SPDX-License-Identifier: ISC
// http/access_log.hpp: one line for each answer.
//
// Owns:    a buffer that is written when it is full, when the loop has run what was due, and at the
//          end: a busy server makes one write a turn, an idle one has nothing left unwritten.
// Formats: combined (Apache's: host, user, time, request, status, bytes, referer, user agent), JSON
//          (one object a line), brief (for a person before a terminal).
// Rule:    what a peer sent is escaped; no request can end a line or forge a field.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/loop.hpp"
#include "http/status.hpp"
#include "net/endpoint.hpp"

namespace http {

enum class LogFormat : std::uint8_t { off, combined, json, brief };

// What a line says of who asked.
enum class LogPrivacy : std::uint8_t {
  full,       // the address, and targets as they were asked
  shortened,  // its network: /24 of IPv4, /48 of IPv6; no queries, nor those of referers
  none,       // no address; no queries
};

// Texts are the peer's, as received; empty where there was none.
struct LogEntry {
  net::Endpoint peer;
  bool has_peer = true;
  std::int64_t wall_s = 0;
  std::string_view method;
  std::string_view target;
  std::string_view version;  // "HTTP/1.1"
  std::string_view referer;
  std::string_view user_agent;
  Status status = Status::ok;
  std::uint64_t body_bytes = 0;
  base::Duration duration{};  // from the request's first byte until the answer was put together
};

class AccessLog final : private base::Work {
 public:
  // Both must outlive the log.
  AccessLog(base::Console& console, base::Loop& loop, LogFormat format,
            LogPrivacy privacy = LogPrivacy::full)
      : console_(console), loop_(loop), format_(format), privacy_(privacy) {}
  ~AccessLog() { flush(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  [[nodiscard]] bool is_on() const noexcept { return format_ != LogFormat::off; }
  // Without memory for the line it is left out.
  void write(const LogEntry& entry) noexcept;
  void flush() noexcept;

  static constexpr std::size_t buffer_bytes_max = std::size_t{16} * 1024;

 private:
  void run() override { flush(); }

  base::Console& console_;
  base::Loop& loop_;
  LogFormat format_;
  LogPrivacy privacy_;
  std::string buffer_;
};

// What may be said of `entry`.
[[nodiscard]] LogEntry reduced(LogEntry entry, LogPrivacy privacy) noexcept;

// One line, with its newline, appended to `out`.
void append_log_line(std::string& out, LogFormat format, const LogEntry& entry);

}  // namespace http
