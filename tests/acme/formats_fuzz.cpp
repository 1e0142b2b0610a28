// SPDX-License-Identifier: ISC
// tests/acme/formats_fuzz.cpp: texts and certificates of a CA, and what a vault gives back.
//
// The first byte chooses: 0 JSON, whose texts are read again as they were when they are written; 1
// times; 2 a certificate; 3 base64url, which has one form for each text of bytes; 4 a key.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "acme/json.hpp"
#include "acme/keys.hpp"
#include "acme/text.hpp"

namespace {

void require_that(bool good) {
  if (!good) std::abort();
}

void check(const acme::Json& json) {
  const auto again = acme::parse_json(acme::json_text(json.text));
  require_that(!again || again->text == json.text);
  for (const acme::Json& one : json.values) check(one);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 0:
      if (const auto json = acme::parse_json(text)) check(*json);
      break;
    case 1:
      static_cast<void>(acme::rfc3339_seconds(text));
      static_cast<void>(acme::retry_after_seconds(text, 1'800'000'000));
      break;
    case 2:
      static_cast<void>(acme::certificate_id(text));
      break;
    case 3:
      if (const auto bytes = acme::decode_base64url(text)) {
        require_that(acme::decode_base64url(acme::base64url(*bytes)) == bytes);
      }
      break;
    case 4:
      if (const auto key = acme::Key::from_pem(text)) {
        require_that(text.find(key->pem()) != std::string_view::npos);
      }
      break;
    default:
      break;
  }
  return 0;
}
