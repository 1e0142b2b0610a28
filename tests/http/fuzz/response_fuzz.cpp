// SPDX-License-Identifier: ISC
// tests/http/fuzz/response_fuzz.cpp: any bytes as a response to a client, and as a URL.
//
// Held:  a response is read the same whole and byte by byte; no limit is passed; a URL that is read
//        leads to a request whose head has only the lines that it should have.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/check.hpp"
#include "http/client/parser.hpp"
#include "http/client/redirect.hpp"
#include "http/url.hpp"

namespace {

using http::client::Error;
using http::client::Limits;
using http::client::Method;
using http::client::Response;
using http::client::ResponseParser;

struct Outcome {
  std::optional<Error> error;
  Response response;
};

Outcome read(std::string_view input, Method method, const Limits& limits, std::size_t step) {
  ResponseParser parser(method, limits);
  base::Result<bool, Error> is_whole = false;
  while (!input.empty() && is_whole && !*is_whole) {
    // A copy of its own, so that a read past the end is seen.
    const std::string some(input.substr(0, step));
    input.remove_prefix(some.size());
    is_whole = parser.feed(some);
  }
  if (is_whole && !*is_whole) is_whole = parser.finish();
  if (!is_whole) return {is_whole.error(), {}};
  CHECK(*is_whole);
  return {std::nullopt, parser.take()};
}

void check_response(std::string_view input, Method method) {
  Limits limits;
  limits.head_bytes_max = 256;
  limits.body_bytes_max = 128;
  limits.fields_max = 10;
  limits.interim_max = 2;
  const Outcome whole = read(input, method, limits, std::string::npos);
  const Outcome cut = read(input, method, limits, 1);
  // Which of two limits is met first may depend on how the bytes come.
  CHECK(whole.error.has_value() == cut.error.has_value());
  if (whole.error) return;
  CHECK(whole.response.status == cut.response.status);
  CHECK(whole.response.status >= 200 && whole.response.status < 600);
  CHECK(whole.response.body == cut.response.body);
  CHECK(whole.response.body.size() <= limits.body_bytes_max);
  CHECK(whole.response.fields.size() == cut.response.fields.size());
  CHECK(whole.response.fields.size() <= limits.fields_max);
}

void check_url(std::string_view text) {
  http::client::Journey journey(text, {}, 2);
  auto step = journey.next();
  if (step) static_cast<void>(journey.is_redirect({302, {{"Location", std::string(text)}}, ""}));
  http::client::Journey redirected("https://example.org/a/b", {}, 1);
  if (redirected.is_redirect({302, {{"Location", std::string(text)}}, ""})) {
    step = redirected.next();
    if (step) CHECK(step->origin.is_secure);
  }
  if (!step) return;
  CHECK(step->origin.port != 0 && !step->origin.host.empty());
  const auto encoded = http::client::encode(step->request);
  if (encoded) CHECK(std::ranges::count(*encoded, '\n') == 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check_response(input, Method::get);
  check_response(input, Method::head);
  check_url(input);
  return 0;
}
