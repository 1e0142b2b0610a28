// SPDX-License-Identifier: ISC
#include "http/parser.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>

#include "base/check.hpp"
#include "http/authority.hpp"
#include "http/scan.hpp"
#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

// One coding of a Transfer-Encoding: a name, which it answers, and parameters. Empty: malformed.
string_view coding_name(string_view coding, bool& has_parameters) {
  std::size_t end = 0;
  while (end < coding.size() && is_token_char(coding[end])) ++end;
  string_view rest = trimmed(coding.substr(end));
  has_parameters = !rest.empty();
  return rest.empty() || (rest[0] == ';' && rest.size() > 1) ? coding.substr(0, end)
                                                             : string_view{};
}

// Why a Transfer-Encoding other than "chunked" is refused. Codings that end in one "chunked" are
// well framed, only not spoken here; after any others nobody knows where the body ends (RFC 9112
// sections 6.1 and 6.3).
Status refusal_of_codings(const Request& request) {
  bool is_chunked = false;
  FieldLines lines(request, Field::transfer_encoding);
  for (string_view line; lines.next(line);) {
    for (bool more = true; more;) {
      std::size_t comma = line.find(',');
      more = comma != string_view::npos;
      bool has_parameters = false;
      string_view name = coding_name(trimmed(line.substr(0, comma)), has_parameters);
      if (more) line.remove_prefix(comma + 1);
      if (is_chunked || name.empty()) return Status::bad_request;
      is_chunked = equals_ignoring_case(name, "chunked");
      if (is_chunked && has_parameters) return Status::bad_request;
    }
  }
  return is_chunked ? Status::not_implemented : Status::bad_request;
}

// What a request line may have beside its target and still not be called too long: so a method is
// shorter than this.
constexpr std::size_t request_line_slack = 64;
constexpr std::size_t method_bytes_max = request_line_slack - 10;  // two spaces, "HTTP/1.1"

}  // namespace

// False: refused. Inlined, so that what it compares with is loaded once a head.
[[gnu::always_inline]] inline bool HeadParser::read_field(string_view line,
                                                          const char* received_end) noexcept {
  // The CR behind the line stops it, if nothing else does. A line that starts with white space
  // would be the fold of the one before it.
  const char* name_end = skip_name(line.data(), received_end);
  auto colon = static_cast<std::size_t>(name_end - line.data());
  const bool is_field = colon != 0 && *name_end == ':';
  if (!is_field || fields_left_ == 0) {
    refusal_ = is_field ? Status::fields_too_large : Status::bad_request;
    return false;
  }
  --fields_left_;
  if (colon > field_name_bytes_max) return true;
  Field field = field_of({line.data(), colon});
  if (field == Field::other) return true;
  std::uint16_t bit = Request::bit(field);
  if ((request_.present & bit) != 0) {
    request_.repeated = static_cast<std::uint16_t>(request_.repeated | bit);
  } else {
    request_.present = static_cast<std::uint16_t>(request_.present | bit);
    request_.values[static_cast<std::size_t>(field)] =
        trimmed({name_end + 1, line.size() - colon - 1});
  }
  return true;
}

Parse HeadParser::parse(string_view received) noexcept {
  const char* const begin = received.data();
  const char* const end = begin + received.size();
  const char* line = begin + at_;
  ControlScan controls(line, end);
  for (;;) {
    const char* stop = controls.next();
    if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') [[unlikely]] {
      if (stop != end && *stop == '\t' && state_ == State::fields) continue;
      return end_without_line(received, {stop, static_cast<std::size_t>(end - stop)});
    }
    controls.skip_lf();
    const string_view text(line, static_cast<std::size_t>(stop - line));
    line = stop + 2;
    at_ = static_cast<std::size_t>(line - begin);
    if (state_ == State::fields) {
      if (text.empty()) {
        request_.head = received.substr(start_, at_ - start_);
        return finish();
      }
      if (!read_field(text, end)) return Parse::refused;
      continue;
    }
    if (is_long_request_line(text)) return refuse_long_line(text);
    // Some clients send a blank line after a body (RFC 9112 section 2.2).
    if (text.empty() && at_ <= 4) continue;
    start_ = at_ - text.size() - 2;
    if (read_request_line(text) == Parse::refused) return Parse::refused;
    state_ = State::fields;
  }
}

// The line that starts at at_ has no CRLF behind it: `rest`, which starts with a control or is
// empty, comes first.
Parse HeadParser::end_without_line(string_view received, string_view rest) noexcept {
  if (rest.starts_with('\t')) return refuse(Status::bad_request);  // in the request line
  const string_view line = received.substr(at_, received.size() - rest.size() - at_);
  if (state_ == State::before && is_long_request_line(line)) return refuse_long_line(line);
  if (!rest.empty() && rest != "\r") return refuse(Status::bad_request);
  if (received.size() < options_.header_bytes_max) return Parse::need_more;
  if (state_ == State::before) return refuse_long_line(received.substr(at_));
  return refuse(Status::fields_too_large);
}

bool HeadParser::is_long_request_line(string_view line) const noexcept {
  return line.size() > options_.target_bytes_max + request_line_slack;
}

// Which part of the request line is too long (RFC 9112 section 3)?
Parse HeadParser::refuse_long_line(string_view line) noexcept {
  std::size_t method = 0;
  while (method < line.size() && is_token_char(line[method])) ++method;
  return refuse(method > method_bytes_max ? Status::not_implemented : Status::uri_too_long);
}

// method SP request-target SP HTTP-version, with one space each (RFC 9112 section 3).
Parse HeadParser::read_request_line(string_view line) noexcept {
  std::size_t method_end = 0;
  while (method_end < line.size() && is_token_char(line[method_end])) ++method_end;
  if (method_end == 0 || method_end == line.size() || line[method_end] != ' ') {
    return refuse(Status::bad_request);
  }
  std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == string_view::npos || target_end == method_end + 1) {
    return refuse(Status::bad_request);
  }
  request_.method_text = line.substr(0, method_end);
  request_.target = line.substr(method_end + 1, target_end - method_end - 1);
  string_view version = line.substr(target_end + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7])) {
    return refuse(Status::bad_request);
  }
  if (request_.target.size() > options_.target_bytes_max) return refuse(Status::uri_too_long);
  if (!is_ascii(request_.target)) return refuse(Status::bad_request);
  if (version[5] != '1') return refuse(Status::version_not_supported);
  request_.is_http_1_0 = version[7] == '0';
  request_.method = method_of(request_.method_text);
  return Parse::complete;
}

Parse HeadParser::finish() noexcept {
  if (request_.repeats(Field::host) || !parse_authority(request_.value(Field::host)) ||
      (!request_.has(Field::host) && !request_.is_http_1_0)) {
    return refuse(Status::bad_request);
  }
  if (finish_framing() == Parse::refused) return Parse::refused;
  if (read_connection() == Parse::refused) return Parse::refused;
  read_expect();
  return Parse::complete;
}

// RFC 9112 section 6.3, strictly: what could be read in two ways is not read at all.
Parse HeadParser::finish_framing() noexcept {
  request_.body = BodyFraming::none;
  request_.content_length = 0;
  bool coded = request_.has(Field::transfer_encoding);
  if (request_.has(Field::content_length)) {
    auto length = parse_decimal(request_.value(Field::content_length));
    if (!length || coded || request_.repeats(Field::content_length)) {
      return refuse(Status::bad_request);
    }
    request_.content_length = *length;
    if (*length > 0) request_.body = BodyFraming::sized;
  }
  if (coded) {
    string_view coding = request_.value(Field::transfer_encoding);
    if (request_.is_http_1_0) return refuse(Status::bad_request);
    if (request_.repeats(Field::transfer_encoding) || !equals_ignoring_case(coding, "chunked")) {
      return refuse(refusal_of_codings(request_));
    }
    request_.body = BodyFraming::chunked;
  }
  return Parse::complete;
}

// RFC 9110 section 7.6.1: a list of tokens.
Parse HeadParser::read_connection() noexcept {
  bool close = false, keep_alive = !request_.is_http_1_0;
  if (!request_.has(Field::connection) ||
      (request_.value(Field::connection) == "keep-alive" && !request_.repeats(Field::connection))) {
    request_.keep_alive = keep_alive || request_.has(Field::connection);
    return Parse::complete;
  }
  FieldLines lines(request_, Field::connection);
  for (string_view line; lines.next(line);) {
    for (string_view element; next_element(line, element);) {
      if (!std::ranges::all_of(element, is_token_char)) return refuse(Status::bad_request);
      if (equals_ignoring_case(element, "close")) close = true;
      if (equals_ignoring_case(element, "keep-alive")) keep_alive = true;
    }
  }
  request_.keep_alive = keep_alive && !close;
  return Parse::complete;
}

// RFC 9110 section 10.1.1.
void HeadParser::read_expect() noexcept {
  request_.expects_continue = request_.expects_more = false;
  if (request_.is_http_1_0 || !request_.has(Field::expect)) return;
  FieldLines lines(request_, Field::expect);
  for (string_view line; lines.next(line);) {
    for (string_view element; next_element(line, element);) {
      bool known = equals_ignoring_case(element, "100-continue");
      (known ? request_.expects_continue : request_.expects_more) = true;
    }
  }
}

namespace {

namespace beast = boost::beast;

// Beast's parser with handlers that keep nothing. What it tolerates in chunk extensions and
// trailers is refused here, and the chunks' sizes are counted here: Beast counts a chunk again each
// time that it has only a part of its extension.
class Beast final : public beast::http::basic_parser<true> {
 public:
  explicit Beast(std::uint64_t chunks_bytes_max) : chunks_bytes_left_(chunks_bytes_max) {
    header_limit(~std::uint32_t{0});
    lift_body_limit();
  }
  // It is lowered by each chunk (and "none" is no limit but zero, in Boost 1.74).
  void lift_body_limit() { body_limit(~std::uint64_t{0}); }

 private:
  using Error = beast::error_code;
  using Text = beast::string_view;

  static Error refused() { return beast::http::make_error_code(beast::http::error::bad_field); }

  void on_request_impl(beast::http::verb, Text, Text, int, Error&) override {}
  void on_response_impl(int, Text, int, Error&) override {}
  void on_field_impl(beast::http::field, Text name, Text value, Error& error) override {
    // A folded value stands in a buffer of Beast's, or a line further down.
    const char* colon = name.data() + name.size();
    const char* start = value.data();
    if (value.empty()) return;
    if (std::less<>{}(start, colon) || start - colon > 65536 ||
        has_control(colon, start + value.size())) {
      error = refused();
    }
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(Text text, Error&) override { return text.size(); }
  void on_chunk_header_impl(std::uint64_t size, Text extension, Error& error) override {
    if (has_control(extension.data(), extension.data() + extension.size())) {
      error = refused();
    } else if (size > chunks_bytes_left_) {
      error = beast::http::make_error_code(beast::http::error::body_limit);
    } else {
      chunks_bytes_left_ -= size;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text text, Error&) override { return text.size(); }
  void on_finish_impl(Error&) override {}

  std::uint64_t chunks_bytes_left_;
};

// Puts the whole head; true when Beast reads the same framing as we do.
bool put_head(Beast& parser, const Request& request) {
  beast::error_code error;
  std::size_t taken = parser.put({request.head.data(), request.head.size()}, error);
  if (error || taken != request.head.size() || !parser.is_header_done()) return false;
  auto length = parser.content_length();
  switch (request.body) {
    case BodyFraming::none:
      return !parser.chunked() && (!length || *length == 0);
    case BodyFraming::sized:
      return length && *length == request.content_length;
    case BodyFraming::chunked:
      return parser.chunked();
  }
  return false;
}

// Lines, the last of which may not have ended: neither a bare CR, a bare LF nor another control.
bool is_line_text(string_view text) {
  const char* const end = text.data() + text.size();
  ControlScan scan(text.data(), end);
  for (const char* at = scan.next(); at != end; at = scan.next()) {
    if (*at == '\t') continue;
    if (*at != '\r') return false;
    if (at + 1 == end) break;
    if (at[1] != '\n') return false;
    scan.skip_lf();
  }
  return true;
}

}  // namespace

std::optional<Status> BodyParser::begin(const Request& request, const Options& options) noexcept {
  static_assert(sizeof(Beast) <= storage_bytes && alignof(Beast) <= 16);
  CHECK(request.body != BodyFraming::none);
  end();
  if (request.body == BodyFraming::sized && request.content_length > options.body_bytes_max) {
    return Status::content_too_large;
  }
  auto* parser = new (storage_) Beast(options.body_bytes_max);
  begun_ = true;
  if (!put_head(*parser, request)) return Status::bad_request;
  return std::nullopt;
}

Parse BodyParser::parse(string_view received, std::size_t& consumed) noexcept {
  CHECK(begun_);
  auto& parser = *std::launder(reinterpret_cast<Beast*>(storage_));
  consumed = 0;
  while (!parser.is_done()) {
    if (consumed == received.size()) return Parse::need_more;
    beast::error_code error;
    parser.lift_body_limit();
    std::size_t taken = parser.put({received.data() + consumed, received.size() - consumed}, error);
    consumed += taken;
    if (error == beast::http::error::need_more) {
      // Beast looks for the CRLF that ends a chunk's head or the trailer, and waits for it behind
      // whatever else there is.
      if (is_line_text(received.substr(consumed))) return Parse::need_more;
      refusal_ = Status::bad_request;
      return Parse::refused;
    }
    if (error) {
      refusal_ =
          error == beast::http::error::body_limit ? Status::content_too_large : Status::bad_request;
      return Parse::refused;
    }
  }
  return Parse::complete;
}

void BodyParser::end() noexcept {
  if (std::exchange(begun_, false))
    std::destroy_at(std::launder(reinterpret_cast<Beast*>(storage_)));
}

bool beast_agrees(const Request& request) noexcept {
  Beast parser(~std::uint64_t{0});
  if (!put_head(parser, request)) return false;
  // Of "keep-alive, close" in HTTP/1.0 Beast keeps the connection and we do not.
  return !request.keep_alive || parser.keep_alive();
}

}  // namespace http
