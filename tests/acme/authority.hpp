// SPDX-License-Identifier: ISC
// tests/acme/authority.hpp: a CA that is played: RFC 8555 and 9773, in simulated time.
//
// States:  PlayedCa.   It checks nonces, keys and URLs of each request, and that the answer to a
// challenge is there. `fault` is asked before each request and may answer in its place.

#pragma once

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "acme/client.hpp"
#include "acme/text.hpp"
#include "base/calendar.hpp"
#include "tests/tls/authority.hpp"

namespace acme_test {

using http::client::Method;
using http::client::Response;

inline std::string decoded(std::string_view text) {
  return acme::decode_base64url(text).value_or("not base64url");
}

class PlayedCa {
 public:
  explicit PlayedCa(std::int64_t lifetime_s) : lifetime_s_(lifetime_s) {
    root_key_ = authority::make_key("P-256");
    root_ = authority::make_certificate(
        root_key_, {.subject = "root", .valid_to_s = 864'000'000, .is_authority = true});
  }

  std::string meta = R"("termsOfService":"https://ca/terms")";
  std::string renewal_info = {};               // the answer's body; empty: the CA has none
  std::map<std::string, std::string> answers;  // by token
  std::function<std::optional<Response>(const acme::Ask&, const std::string& path)> fault =
      [](const acme::Ask&, const std::string&) { return std::nullopt; };
  int polls_pending = 1;
  bool wrong_names = false;
  unsigned issued = 0;
  std::string last_order, last_account;

  Response answer(const acme::Ask& ask, std::int64_t now_s) {
    const std::string path = ask.url.substr(std::string("https://ca").size());
    if (auto instead = fault(ask, path)) return *instead;
    if (path == "/dir") return reply(200, directory());
    if (path.starts_with("/ari/")) return reply(200, renewal_info);
    if (ask.method == Method::head) return with_nonce(reply(200, ""));
    const acme::Json body = acme::parse_json(ask.body).value_or(acme::Json{});
    const auto header = acme::parse_json(decoded(body["protected"].string()));
    EXPECT_TRUE(header) << ask.body;
    EXPECT_EQ((*header)["url"].string(), ask.url);
    if (nonces_.erase(std::string((*header)["nonce"].string())) == 0) return bad_nonce();
    const bool by_key = path == "/acct";
    EXPECT_EQ((*header)["kid"].string(), by_key ? "" : "https://ca/acct/1");
    return with_nonce(post(path, decoded(body["payload"].string()), now_s));
  }

  Response bad_nonce() {
    return with_nonce(
        reply(400, R"({"type":"urn:ietf:params:acme:error:badNonce","detail":"bad"})"));
  }
  static Response reply(std::uint16_t status, std::string body) {
    return {status, {}, std::move(body)};
  }

 private:
  [[nodiscard]] std::string directory() const {
    std::string out = R"({"newNonce":"https://ca/nonce","newAccount":"https://ca/acct",)"
                      R"("newOrder":"https://ca/order","meta":{)" +
                      meta + "}";
    if (!renewal_info.empty()) out += R"(,"renewalInfo":"https://ca/ari")";
    return out + '}';
  }

  Response with_nonce(Response out) {
    const std::string nonce = "nonce" + std::to_string(++nonce_);
    nonces_.insert(nonce);
    out.fields.push_back({"replay-nonce", nonce});
    return out;
  }

  Response post(const std::string& path, const std::string& payload, std::int64_t now_s) {
    if (path == "/acct") {
      last_account = payload;
      Response out = reply(201, R"({"status":"valid"})");
      out.fields.push_back({"location", "https://ca/acct/1"});
      return out;
    }
    if (path == "/order") {
      last_order = payload;
      names_.clear();
      const acme::Json order = acme::parse_json(payload).value_or(acme::Json{});
      for (const acme::Json& one : order["identifiers"].values) {
        names_.emplace_back(one["value"].string());
      }
      authorized_.assign(names_.size(), false);
      chain_.clear();
      pending_ = polls_pending;
      Response out = reply(201, order_text());
      out.fields.push_back({"location", "https://ca/order/1"});
      return out;
    }
    if (path == "/order/1") {
      if (pending_ > 0) --pending_;
      return reply(200, order_text());
    }
    if (path.starts_with("/authz/")) return reply(200, authorization(index(path)));
    if (path.starts_with("/chal/")) {
      const std::size_t at = index(path);
      const std::string token = "token" + std::to_string(at);
      authorized_[at] = answers.contains(token) && answers[token].starts_with(token + '.');
      EXPECT_TRUE(authorized_[at]) << "nothing answers the challenge";
      return reply(200, "{}");
    }
    if (path == "/final") {
      issue(decoded((*acme::parse_json(payload))["csr"].string()), now_s);
      return reply(200, order_text());
    }
    EXPECT_EQ(path, "/cert");
    return reply(200, chain_);
  }

  static std::size_t index(const std::string& path) {
    return static_cast<std::size_t>(std::stoi(path.substr(path.rfind('/') + 1)));
  }

  [[nodiscard]] std::string order_text() const {
    const bool is_ready =
        std::find(authorized_.begin(), authorized_.end(), false) == authorized_.end();
    const bool is_valid = !chain_.empty() && pending_ == 0;
    std::string out = R"({"status":")";
    out += is_valid ? "valid" : !chain_.empty() ? "processing" : is_ready ? "ready" : "pending";
    out += R"(","finalize":"https://ca/final","authorizations":[)";
    for (std::size_t i = 0; i < names_.size(); ++i) {
      out += (i == 0 ? "\"" : ",\"") + ("https://ca/authz/" + std::to_string(i)) + '"';
    }
    return out + (is_valid ? R"(],"certificate":"https://ca/cert"})" : "]}");
  }

  [[nodiscard]] std::string authorization(std::size_t at) const {
    const std::string number = std::to_string(at);
    return R"({"status":")" + std::string(authorized_[at] ? "valid" : "pending") +
           R"(","identifier":{"type":"dns","value":")" + names_[at] +
           R"("},"challenges":[{"type":"dns-01","token":"x"},{"type":"http-01","token":"token)" +
           number + R"(","url":"https://ca/chal/)" + number + R"("}]})";
  }

  void issue(const std::string& csr, std::int64_t now_s) {
    const auto* at = reinterpret_cast<const unsigned char*>(csr.data());
    const std::shared_ptr<X509_REQ> request(
        d2i_X509_REQ(nullptr, &at, static_cast<long>(csr.size())), X509_REQ_free);
    ASSERT_TRUE(request);
    const authority::Key key(X509_REQ_get_pubkey(request.get()), EVP_PKEY_free);
    ASSERT_EQ(X509_REQ_verify(request.get(), key.get()), 1);
    authority::Wanted wanted;
    wanted.names.clear();
    for (const auto& name : names_) wanted.names.push_back("DNS:" + (wrong_names ? "x.y" : name));
    wanted.valid_from_s = now_s - std::time(nullptr);
    wanted.valid_to_s = wanted.valid_from_s + lifetime_s_;
    wanted.issuer_key = root_key_;
    wanted.issuer = root_;
    chain_ = authority::pem(authority::make_certificate(key, wanted));
    ++issued;
  }

  const std::int64_t lifetime_s_;
  authority::Key root_key_;
  authority::Certificate root_;
  unsigned nonce_ = 0;
  std::set<std::string> nonces_;
  std::vector<std::string> names_;
  std::vector<bool> authorized_;
  std::string chain_;
  int pending_ = 0;
};

}  // namespace acme_test
