// SPDX-License-Identifier: ISC
// acme/client.hpp: gets a certificate from a CA and renews it; decides only, without I/O.
//
// States:  1 waiting        until `until_s_`; then 2. Also before the clock is set.
//          2 directory      GET; with a certificate that lasts: 11, else 3
//          3 account        newAccount: made, or found by its key; then 4
//          4 order          newOrder; then 5, or 8 if all names are authorized already
//          5 authorization  the next one of the order; valid: 5 or 8; pending: Answer, then 6
//          6 challenge      says that the answer is there; then 7
//          7 polling        the authorization, until it is valid (5, 8) or invalid (1)
//          8 finalize       with a new key; then 9
//          9 order polling  until there is a certificate; then 10
//          10 certificate   checked, Store, then 1
//          11 renewal info  its window, or two thirds of the lifetime; then 1
//          Each POST takes one nonce; without one it is asked for first.
// Failures: badNonce: again at once, nonces_max times. A lost account: 3, once. Retry-After is
//          kept. All others: 1, for a time that doubles, with jitter. The certificate that is there
//          stays.
// Source:  RFC 8555, RFC 8737, RFC 9773.
// Owns:    the keys of the account and of the order.
// May include: base, crypto, tls, http/client/message.hpp.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "acme/json.hpp"
#include "acme/keys.hpp"
#include "base/entropy.hpp"
#include "base/result.hpp"
#include "http/client/message.hpp"

namespace acme {

enum class ChallengeType : std::uint8_t { http_01, tls_alpn_01 };

struct Settings {
  std::string directory;  // URL
  std::vector<std::string> names;
  std::string email{};    // empty: none
  std::string profile{};  // empty: the CA's default
  bool agrees = false;    // to the CA's terms
  ChallengeType challenge = ChallengeType::http_01;
  std::string key_id{};          // external account binding; empty: none
  std::string mac_key{};         // its key, bytes
  std::int64_t clock_set_s = 0;  // earlier than this, the clock is not set
};

// "letsencrypt" and "letsencrypt-staging" are CAs whose directories are known; all else is a URL.
[[nodiscard]] std::string directory_of(std::string_view ca);

// What of `settings` no CA could serve, as a sentence; empty: nothing.
[[nodiscard]] std::string problem_of(const Settings& settings);

struct Ask {
  http::client::Method method = http::client::Method::get;
  std::string url;
  std::string body{};  // application/jose+json
};
struct Wait {
  enum class Kind : std::uint8_t {
    clock,    // is not set
    poll,     // the CA decides
    renewal,  // the certificate lasts
    failure,  // of what is tried again then
  };
  std::int64_t until_s = 0;
  std::string why;  // a sentence for the log
  Kind kind = Kind::renewal;
};
// From now until Withdraw, answer for `name`.
struct Answer {
  std::string name;
  std::string token;
  std::string key_authorization;
};
struct Withdraw {
  std::string name;
  std::string token;
};
// Durable before the next step; if that fails: failed().
struct Store {
  std::string_view name;  // account_entry or certificate_entry
  std::string bytes;
};
using Step = std::variant<Ask, Wait, Answer, Withdraw, Store>;

inline constexpr std::string_view account_entry = "account.pem";
inline constexpr std::string_view certificate_entry = "certificate.pem";  // its key, then its chain

class Client {
 public:
  static constexpr unsigned nonces_max = 8;  // in a row
  static constexpr unsigned polls_max = 60;
  static constexpr std::size_t url_bytes_max = 2048;

  // `account` and `certificate` are what was stored, or empty. problem_of(settings) is empty;
  // `entropy` outlives the client.
  Client(Settings settings, std::string_view account, std::string_view certificate,
         base::Entropy& entropy);

  // What to do now. Times are seconds since 1970-01-01 UTC. Throws only std::bad_alloc.
  [[nodiscard]] Step next(std::int64_t now_s);
  // To the last Ask. Answers to an Ask that failed() was called for must not come any more.
  void received(const http::client::Response& response, std::int64_t now_s);
  // The last step could not be done. `why` is a sentence.
  void failed(std::string_view why, std::int64_t now_s);

  // When the certificate ends; 0: there is none.
  [[nodiscard]] std::int64_t not_after_s() const noexcept { return not_after_s_; }
  // Orders that were asked for.
  [[nodiscard]] unsigned orders() const noexcept { return orders_; }

 private:
  enum class State : std::uint8_t {
    waiting,
    directory,
    account,
    order,
    authorization,
    challenge,
    polling,
    finalize,
    order_polling,
    certificate,
    renewal_info
  };

  [[nodiscard]] Ask ask();
  [[nodiscard]] Ask post(const std::string& url, const std::string& payload);
  [[nodiscard]] std::string account_payload() const;
  [[nodiscard]] std::string order_payload() const;
  [[nodiscard]] bool url_of(const Json& json, std::string& out) const;
  void good(const http::client::Response& response, std::int64_t now_s);
  void refused(const http::client::Response& response, std::int64_t now_s);
  void take_directory(const Json& json, std::int64_t now_s);
  void take_order(const Json& json, const http::client::Response& response, std::int64_t now_s);
  void take_authorization(const Json& json, const http::client::Response& response,
                          std::int64_t now_s);
  void take_certificate(std::string_view chain, std::int64_t now_s);
  void take_renewal_info(const Json& json, const http::client::Response& response,
                         std::int64_t now_s);
  bool load(std::string_view stored, std::int64_t now_s);
  void poll(const http::client::Response& response, std::int64_t now_s);
  void next_authorization();
  void rest_until(std::int64_t until_s, std::string why);
  void back_off(std::string why, std::int64_t base_s, std::int64_t max_s, std::int64_t now_s);
  [[nodiscard]] std::int64_t random_below(std::int64_t bound);

  const Settings settings_;
  base::Entropy& entropy_;
  State state_ = State::waiting;
  std::int64_t until_s_ = 0;
  std::string why_;
  Wait::Kind why_kind_ = Wait::Kind::renewal;
  std::deque<Step> effects_;
  std::optional<Store> storing_;
  unsigned failures_ = 0, bad_nonces_ = 0, polls_ = 0, orders_ = 0;
  bool asked_nonce_ = false, store_failed_ = false, lost_account_ = false;

  std::string nonce_, new_nonce_, new_account_, new_order_, renewal_info_;
  std::optional<Key> account_key_;
  std::string account_url_;
  std::string order_url_, finalize_url_, certificate_url_, challenge_url_;
  std::vector<std::string> authorizations_;
  std::size_t authorization_ = 0;
  std::vector<Withdraw> answered_;
  std::optional<Key> key_;

  std::string certificate_id_;
  bool replaces_ = true;
  std::int64_t not_after_s_ = 0, renew_s_ = 0, window_start_s_ = 0, window_end_s_ = 0;
};

}  // namespace acme
