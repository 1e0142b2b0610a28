// SPDX-License-Identifier: ISC
#include "http/client/parser.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>
#include <new>

#include <boost/beast/http/basic_parser.hpp>

#include "http/scan.hpp"
#include "http/syntax.hpp"

namespace http::client {

namespace beast = boost::beast;
using std::string_view;

// Beast's parser, which fills in a Response.
class ResponseParser::Beast final : public beast::http::basic_parser<false> {
 public:
  Beast(Response& response, const Limits& limits, Method method)
      : response_(response), limits_(limits) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // heads are given as a whole
    // Chunks and bodies without a length are counted where they are stored; a length is a promise
    // that is refused before.
    body_limit(std::numeric_limits<std::uint64_t>::max());
    skip(method == Method::head);
  }

  [[nodiscard]] bool is_too_large() const { return is_too_large_; }

 private:
  using Code = beast::error_code;
  using Text = beast::string_view;

  static string_view view(Text text) { return {text.data(), text.size()}; }
  static Code refused() { return beast::http::make_error_code(beast::http::error::bad_field); }
  Code too_large() {
    is_too_large_ = true;
    return beast::http::make_error_code(beast::http::error::body_limit);
  }

  void on_request_impl(beast::http::verb, Text, Text, int, Code&) override {}
  void on_response_impl(int status, Text reason, int version, Code& error) override {
    is_http_1_0_ = version == 10;
    response_.status = static_cast<std::uint16_t>(status);
    if (status < 100 || status > 599 || has_control(reason.data(), reason.data() + reason.size())) {
      error = refused();
    }
  }
  void on_field_impl(beast::http::field known, Text name, Text value, Code& error) override {
    if (!is_plain(name, value)) {
      error = refused();
      return;
    }
    if (is_header_over_) return;  // a trailer
    if (response_.fields.size() >= limits_.fields_max) {
      error = too_large();
      return;
    }
    // Beast takes a list of equal lengths, and codings that end in anything.
    if (known == beast::http::field::content_length) {
      if (has_length_ || has_coding_ || !parse_decimal(view(value))) error = refused();
      has_length_ = true;
    }
    if (known == beast::http::field::transfer_encoding) {
      if (is_http_1_0_ || has_length_ || has_coding_ ||
          !equals_ignoring_case(view(value), "chunked")) {
        error = refused();
      }
      has_coding_ = true;
    }
    response_.fields.push_back({std::string(view(name)), std::string(view(value))});
  }
  // A folded value stands in a buffer of Beast's, or a line further down.
  static bool is_plain(Text name, Text value) {
    if (value.empty()) return true;
    const char* const colon = name.data() + name.size();
    const char* const start = value.data();
    return !std::less<>{}(start, colon) && start - colon <= 65536 &&
           !has_control(colon, start + value.size());
  }
  void on_header_impl(Code& error) override {
    is_header_over_ = true;
    const auto length = content_length();
    if (!is_done() && length && *length > limits_.body_bytes_max) error = too_large();
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text text, Code& error) override {
    if (text.size() > limits_.body_bytes_max - response_.body.size()) {
      error = too_large();
      return 0;
    }
    response_.body.append(view(text));
    return text.size();
  }
  void on_chunk_header_impl(std::uint64_t size, Text extension, Code& error) override {
    if (has_control(extension.data(), extension.data() + extension.size())) {
      error = refused();
    } else if (size > limits_.body_bytes_max - response_.body.size()) {
      error = too_large();
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text text, Code& error) override {
    return on_body_impl(text, error);
  }
  void on_finish_impl(Code&) override {}

  Response& response_;
  const Limits& limits_;
  bool is_http_1_0_ = false;
  bool is_header_over_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool is_too_large_ = false;
};

ResponseParser::ResponseParser(Method method, const Limits& limits)
    : method_(method), limits_(limits) {}
ResponseParser::~ResponseParser() = default;

base::Result<bool, Error> ResponseParser::fail(Error error) noexcept {
  state_ = State::failed;
  failed_ = error;
  return base::failure(error);
}

base::Result<bool, Error> ResponseParser::feed(string_view bytes) noexcept {
  if (state_ == State::failed) return base::failure(failed_);
  if (state_ == State::whole) return true;
  try {
    pending_.append(bytes);
    if (state_ == State::body) wire_bytes_ += bytes.size();
    return read_some();
  } catch (const std::exception&) {
    return fail(Error::no_memory);
  }
}

base::Result<bool, Error> ResponseParser::read_some() {
  while (state_ == State::head) {
    const std::size_t end = pending_.find("\r\n\r\n", scanned_);
    const std::size_t head_bytes = end == std::string::npos ? pending_.size() : end + 4;
    if (head_bytes > limits_.head_bytes_max) return fail(Error::too_large);
    if (end == std::string::npos) {
      // Something else than HTTP is told before it has filled the buffer.
      constexpr string_view start = "HTTP/1.";
      const std::size_t known = std::min(start.size(), pending_.size());
      if (string_view(pending_).substr(0, known) != start.substr(0, known)) {
        return fail(Error::malformed_response);
      }
      scanned_ = pending_.size() - std::min<std::size_t>(pending_.size(), 3);
      return false;
    }
    if (auto read = read_head(head_bytes); !read) return read;
  }
  return state_ == State::whole ? true : read_body();
}

base::Result<bool, Error> ResponseParser::read_head(std::size_t head_bytes) {
  response_ = {};
  beast_ = std::make_unique<Beast>(response_, limits_, method_);
  beast::error_code error;
  const std::size_t taken = beast_->put({pending_.data(), head_bytes}, error);
  if (error || taken != head_bytes || !beast_->is_header_done()) {
    return fail(beast_->is_too_large() ? Error::too_large : Error::malformed_response);
  }
  pending_.erase(0, taken);
  scanned_ = 0;
  wire_bytes_ = pending_.size();
  if (response_.status < 200) {
    // "101 Switching Protocols" answers a question that was not asked.
    if (response_.status == 101) return fail(Error::malformed_response);
    if (++interim_count_ > limits_.interim_max) return fail(Error::too_large);
    return true;
  }
  state_ = beast_->is_done() ? State::whole : State::body;
  return true;
}

base::Result<bool, Error> ResponseParser::read_body() {
  constexpr std::uint64_t wire_bytes_per_byte = 8;  // "1\r\nx\r\n" are six
  if (wire_bytes_ > limits_.head_bytes_max &&
      (wire_bytes_ - limits_.head_bytes_max) / wire_bytes_per_byte > limits_.body_bytes_max) {
    return fail(Error::too_large);
  }
  std::size_t consumed = 0;
  while (!beast_->is_done() && consumed < pending_.size()) {
    beast::error_code error;
    consumed += beast_->put({pending_.data() + consumed, pending_.size() - consumed}, error);
    if (error == beast::http::error::need_more) break;
    if (error) {
      return fail(beast_->is_too_large() ? Error::too_large : Error::malformed_response);
    }
  }
  pending_.erase(0, consumed);
  if (beast_->is_done()) {
    state_ = State::whole;
    return true;
  }
  // What is left is the line of a chunk, or a trailer.
  if (pending_.size() > limits_.head_bytes_max) return fail(Error::too_large);
  return false;
}

base::Result<bool, Error> ResponseParser::finish() noexcept {
  if (state_ == State::failed) return base::failure(failed_);
  if (state_ == State::whole) return true;
  if (state_ == State::head || !beast_->need_eof()) return fail(Error::broken);
  state_ = State::whole;
  return true;
}

}  // namespace http::client
