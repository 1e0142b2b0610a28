// SPDX-License-Identifier: ISC
// acme/jws.hpp: the signed bodies of requests to a CA.
//
// States:  signed_body, account_binding.   Source: RFC 8555 sections 6.2 and 7.3.4, RFC 7515.
// May include: base, crypto, acme.

#pragma once

#include <string>
#include <string_view>

#include "acme/keys.hpp"
#include "base/bytes.hpp"
#include "base/entropy.hpp"

namespace acme {

struct Signed {
  std::string_view url;
  std::string_view nonce;
  std::string_view account_url;  // empty: the request has the public key instead
  std::string_view payload;      // JSON; empty: POST-as-GET
};
[[nodiscard]] std::string signed_body(const Key& key, const Signed& what, base::Entropy& entropy);

// External account binding: an object that says that the owner of `mac_key`, which the CA knows as
// `key_id`, wants the account of `key`. `url` is the CA's newAccount.
[[nodiscard]] std::string account_binding(const Key& key, std::string_view key_id,
                                          base::Bytes mac_key, std::string_view url);

}  // namespace acme
