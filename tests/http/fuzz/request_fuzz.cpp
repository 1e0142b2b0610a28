// SPDX-License-Identifier: ISC
// tests/http/fuzz/request_fuzz.cpp: any bytes as a request's head, a target, a list, a date.
//
// Held:  a head is read the same whole and byte by byte; Beast takes every head that we take and
//        frames it the same; a key is in normal form, whatever the target was.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "http/conditions.hpp"
#include "http/date.hpp"
#include "http/parser.hpp"
#include "http/ranges.hpp"
#include "http/syntax.hpp"
#include "http/target.hpp"

namespace {

void check_key(std::string_view key) {
  while (!key.empty()) {
    std::string_view segment = key.substr(0, key.find('/'));
    CHECK(!segment.empty());
    CHECK(segment != "." && segment != "..");
    CHECK(segment.find('\0') == std::string_view::npos);
    if (segment.size() == key.size()) return;
    key.remove_prefix(segment.size() + 1);
    CHECK(!key.empty());
  }
}

void check_target(std::string_view text) {
  std::array<char, 512> buffer;
  http::Target target = http::parse_target(text, buffer);
  if (target.error == http::TargetError::none) check_key(target.key);
}

// Beast knows no HTTP/1.2 and up, takes no length of more than 64 bits (it is too large for us),
// and obeys Proxy-Connection, which is no field of HTTP.
bool beast_reads_what_we_read(const http::Request& request) {
  std::string_view line = request.head.substr(0, request.head.find('\r'));
  if (!line.ends_with("1.0") && !line.ends_with("1.1")) return false;
  if (request.content_length == ~std::uint64_t{0}) return false;
  constexpr std::string_view obeyed = "proxy-connection";
  for (std::size_t at = 0; at + obeyed.size() <= request.head.size(); ++at) {
    if (http::equals_ignoring_case(request.head.substr(at, obeyed.size()), obeyed)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that a read past the end is seen.
  const std::string input(reinterpret_cast<const char*>(data), size);
  static const http::Options options;
  if (size > options.header_bytes_max) return 0;
  http::HeadParser whole(options), bytewise(options);
  http::Parse parse = whole.parse(input);
  http::Parse cut = http::Parse::need_more;
  for (std::size_t n = 1; n <= size && cut == http::Parse::need_more; ++n) {
    cut = bytewise.parse(std::string_view(input).substr(0, n));
  }
  if (size > 0) CHECK(parse == cut);
  if (parse == http::Parse::refused) CHECK(whole.refusal() == bytewise.refusal());
  if (parse == http::Parse::complete) {
    const http::Request& request = whole.request();
    CHECK(whole.head_bytes() == bytewise.head_bytes());
    CHECK(request.target == bytewise.request().target);
    if (beast_reads_what_we_read(request)) CHECK(http::beast_agrees(request));
    check_target(request.target);
  }
  check_target(input);
  static_cast<void>(http::parse_ranges(input, size * 7, 16));
  static_cast<void>(http::parse_date(input, 1'700'000'000));
  std::string_view list = input, tag;
  bool is_weak = false;
  while (http::next_etag(list, tag, is_weak)) {
  }
  return 0;
}
