// SPDX-License-Identifier: ISC
#include "acme/jws.hpp"

#include <array>

#include "acme/json.hpp"
#include "acme/text.hpp"
#include "crypto/hash.hpp"

namespace acme {
namespace {

using std::string_view;

std::string flattened(string_view header, string_view payload, string_view signature) {
  return R"({"protected":")" + std::string(header) + R"(","payload":")" + std::string(payload) +
         R"(","signature":")" + base64url(signature) + R"("})";
}

}  // namespace

std::string signed_body(const Key& key, const Signed& what, base::Entropy& entropy) {
  std::string header = R"({"alg":"ES256",)";
  if (what.account_url.empty()) {
    header += R"("jwk":)" + key.jwk();
  } else {
    header += R"("kid":)" + json_text(what.account_url);
  }
  header += R"(,"nonce":)" + json_text(what.nonce) + R"(,"url":)" + json_text(what.url) + '}';
  const std::string first = base64url(header);
  const std::string payload = base64url(what.payload);
  return flattened(first, payload, key.sign(first + '.' + payload, entropy));
}

std::string account_binding(const Key& key, string_view key_id, base::Bytes mac_key,
                            string_view url) {
  const std::string header = base64url(R"({"alg":"HS256","kid":)" + json_text(key_id) +
                                       R"(,"url":)" + json_text(url) + '}');
  const std::string payload = base64url(key.jwk());
  std::array<std::byte, 32> mac;
  crypto::hmac(crypto::Hash::sha256, mac_key, base::bytes_of(header + '.' + payload), mac);
  return flattened(header, payload, base::text_of(mac));
}

}  // namespace acme
