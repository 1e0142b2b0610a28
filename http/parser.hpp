// SPDX-License-Identifier: ISC
// http/parser.hpp: parses requests: heads, and bodies, which are skipped.
//
// States:  HeadParser, BodyParser.   Used by: http/server.   Nothing here allocates or waits.
// Source:  RFC 9112 sections 2 to 7, with what it lets a server tolerate refused: every leniency
//          is a place where two parsers in a row may disagree (request smuggling).
// Why two: Boost.Beast's basic_parser reads every request that has a body: it frames it, and its
//          head is held against ours. A head without one is read by HeadParser alone: Beast takes
//          19,000 instructions for a browser's 514 bytes (callgrind: 7,900 look up names, 3,400
//          clear a buffer for folded lines) and HeadParser 1,900. The fuzz target holds them
//          against each other on every head.
// Refused: bare CR, bare LF, NUL and other controls, folded lines, space around a name, bytes in a
//          target that are not ASCII, a missing, second or malformed Host, Content-Length with
//          anything but one number, Transfer-Encoding with anything but "chunked", both of them,
//          Transfer-Encoding in HTTP/1.0.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/options.hpp"
#include "http/request.hpp"
#include "http/status.hpp"

namespace http {

enum class Parse : std::uint8_t { need_more, complete, refused };

// Reads one head. The bytes are given again from the request's first one each time that there are
// more of them, and must not move between calls; lines that were read are not read again. The
// answer does not depend on how the bytes were cut.
class HeadParser {
 public:
  explicit HeadParser(const Options& options) noexcept : options_(options) {}

  // Ready for another request.
  void reset() noexcept {
    at_ = 0;
    fields_left_ = options_.fields_max;
    state_ = State::before;
    request_.present = request_.repeated = 0;
    request_.method = Method::unknown;
    request_.is_http_1_0 = false;
  }

  // `received` holds at most header_bytes_max bytes; full and not complete is refused.
  [[nodiscard]] Parse parse(std::string_view received) noexcept;

  // Defined when complete. After a refusal, what was read until then: the request line, for the
  // log; `has_request_line` says whether it was.
  [[nodiscard]] const Request& request() const noexcept { return request_; }
  [[nodiscard]] bool has_request_line() const noexcept { return state_ != State::before; }
  // How many bytes the head took, blank lines before it included, when complete.
  [[nodiscard]] std::size_t head_bytes() const noexcept { return at_; }
  // Why it was refused.
  [[nodiscard]] Status refusal() const noexcept { return refusal_; }

 private:
  enum class State : std::uint8_t { before, fields };
  Parse refuse(Status why) noexcept {
    refusal_ = why;
    return Parse::refused;
  }
  Parse end_without_line(std::string_view received, std::string_view rest) noexcept;
  [[nodiscard]] bool is_long_request_line(std::string_view line) const noexcept;
  Parse refuse_long_line(std::string_view line) noexcept;
  Parse read_request_line(std::string_view line) noexcept;
  bool read_field(std::string_view line, const char* received_end) noexcept;
  Parse finish() noexcept;
  Parse finish_framing() noexcept;
  Parse read_connection() noexcept;
  void read_expect() noexcept;

  const Options& options_;
  std::size_t at_ = 0;                             // where the next line starts
  std::size_t start_ = 0;                          // where the request line starts
  std::size_t fields_left_ = options_.fields_max;  // how many more there may be
  State state_ = State::before;
  Status refusal_ = Status::bad_request;
  Request request_;
};

// Reads a body and drops it.
class BodyParser {
 public:
  BodyParser() noexcept = default;
  ~BodyParser() { end(); }
  BodyParser(const BodyParser&) = delete;
  BodyParser& operator=(const BodyParser&) = delete;

  // `request` is complete and has a body. Answers why it is refused, if it is.
  [[nodiscard]] std::optional<Status> begin(const Request& request,
                                            const Options& options) noexcept;

  // Takes what it can of `received`, and says how much in `consumed`; the rest is to be given
  // again, with more after it. Never takes a byte that follows the body.
  [[nodiscard]] Parse parse(std::string_view received, std::size_t& consumed) noexcept;
  [[nodiscard]] Status refusal() const noexcept { return refusal_; }

  void end() noexcept;

 private:
  static constexpr std::size_t storage_bytes = 160;
  Status refusal_ = Status::bad_request;
  bool begun_ = false;
  alignas(16) std::byte storage_[storage_bytes];  // Beast's parser, whose type is the .cpp's
};

// Does Beast take this complete head, frame it the same, and keep the connection if we do? For
// tests and fuzzing.
[[nodiscard]] bool beast_agrees(const Request& request) noexcept;

}  // namespace http
