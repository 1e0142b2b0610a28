// SPDX-License-Identifier: ISC
// acme/replies.cpp: what the client makes of a CA's answers.

#include <algorithm>
#include <utility>

#include "acme/client.hpp"
#include "acme/problem.hpp"
#include "acme/text.hpp"

namespace acme {
namespace {

using http::client::Response;
using std::string_view;

constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 24 * hour_s;

// What failed by the CA's decision is asked for again after this at the earliest: Let's Encrypt
// allows 5 failed validations of a name in an hour.
constexpr std::int64_t refusal_s = 1800;

}  // namespace

void Client::received(const Response& response, std::int64_t now_s) {
  if (const string_view nonce = response.field("replay-nonce"); !nonce.empty()) {
    nonce_ = nonce.substr(0, 256);
    if (!is_base64url(nonce_)) nonce_.clear();
  }
  const bool is_good = response.status >= 200 && response.status < 300;
  if (is_good && std::exchange(asked_nonce_, false)) {
    if (nonce_.empty()) back_off("the CA sent no nonce", 60, hour_s, now_s);
    return;
  }
  asked_nonce_ = false;
  if (is_good) bad_nonces_ = 0;
  is_good ? good(response, now_s) : refused(response, now_s);
}

void Client::refused(const Response& response, std::int64_t now_s) {
  const Json problem = parse_json(response.body).value_or(Json{});
  const string_view type = problem["type"].string();
  const auto is = [type](string_view name) {
    return type.starts_with("urn:ietf:params:acme:error:") && type.ends_with(name);
  };
  if (is(":badNonce") && bad_nonces_++ < nonces_max) return;  // the same again, with another
  if (is(":accountDoesNotExist") && state_ != State::account &&
      !std::exchange(lost_account_, true)) {
    account_url_.clear();
    state_ = State::account;
    return;
  }
  if (state_ == State::renewal_info) {  // it was only advice
    if (now_s >= renew_s_) {
      state_ = State::account;
    } else {
      rest_until(std::min(renew_s_, now_s + day_s), "the certificate lasts");
    }
    return;
  }
  if (state_ == State::order && replaces_ && !certificate_id_.empty() &&
      (is(":alreadyReplaced") || is(":malformed"))) {
    replaces_ = false;
    return;
  }
  std::string why = "the CA answered " + std::to_string(response.status) + ": " +
                    detail_of(problem, "it did not say why");
  const bool is_refusal = response.status < 500 && !is(":badNonce");
  back_off(std::move(why), is_refusal ? refusal_s : 60, is_refusal ? day_s : hour_s, now_s);
  if (const auto after = retry_after_seconds(response.field("retry-after"), now_s)) {
    until_s_ = std::max(until_s_, std::min(*after, now_s + 7 * day_s));
  }
}

void Client::good(const Response& response, std::int64_t now_s) {
  if (state_ == State::certificate) return take_certificate(response.body, now_s);
  const auto json = parse_json(response.body);
  if (!json || json->kind != Json::Kind::object) {
    return back_off("the CA's answer is not JSON", 60, hour_s, now_s);
  }
  switch (state_) {
    case State::directory:
      return take_directory(*json, now_s);
    case State::account: {
      account_url_ = response.field("location");
      if (account_url_.empty() || account_url_.size() > url_bytes_max) {
        return back_off("the CA did not name the account", 60, hour_s, now_s);
      }
      state_ = State::order;
      return;
    }
    case State::order:
      order_url_ = response.field("location");
      if (order_url_.empty() || order_url_.size() > url_bytes_max) {
        return back_off("the CA did not name the order", refusal_s, day_s, now_s);
      }
      return take_order(*json, response, now_s);
    case State::finalize:
    case State::order_polling:
      return take_order(*json, response, now_s);
    case State::authorization:
    case State::polling:
      return take_authorization(*json, response, now_s);
    case State::challenge:
      state_ = State::polling;
      return poll(response, now_s);
    case State::renewal_info:
      return take_renewal_info(*json, response, now_s);
    default:
      return;  // an answer that was not asked for
  }
}

void Client::take_directory(const Json& json, std::int64_t now_s) {
  if (!url_of(json["newNonce"], new_nonce_) || !url_of(json["newAccount"], new_account_) ||
      !url_of(json["newOrder"], new_order_)) {
    return back_off("this is not a CA's directory: " + settings_.directory, 60, hour_s, now_s);
  }
  if (!url_of(json["renewalInfo"], renewal_info_)) renewal_info_.clear();
  const Json& meta = json["meta"];
  std::string problem;
  if (!settings_.agrees && !meta["termsOfService"].string().empty()) {
    problem = "the CA's terms are not agreed to (--acme-agree=true): " +
              printable(meta["termsOfService"].string());
  } else if (settings_.key_id.empty() && meta["externalAccountRequired"].text == "true") {
    problem = "the CA wants an external account binding: give --acme-eab-kid and --acme-eab-key";
  } else if (!settings_.profile.empty() &&
             meta["profiles"][settings_.profile].kind == Json::Kind::null) {
    problem = "the CA has no profile " + settings_.profile;
  }
  if (!problem.empty()) return back_off(std::move(problem), refusal_s, day_s, now_s);
  if (not_after_s_ > now_s && !certificate_id_.empty() && !renewal_info_.empty()) {
    state_ = State::renewal_info;
    return;
  }
  if (not_after_s_ > now_s && now_s < renew_s_) {
    failures_ = 0;
    return rest_until(std::min(renew_s_, now_s + day_s), "the certificate lasts");
  }
  state_ = State::account;
}

void Client::take_renewal_info(const Json& json, const Response& response, std::int64_t now_s) {
  const Json& window = json["suggestedWindow"];
  const auto start = rfc3339_seconds(window["start"].string());
  const auto end = rfc3339_seconds(window["end"].string());
  if (start && end && *end > *start && (*start != window_start_s_ || *end != window_end_s_)) {
    window_start_s_ = *start;
    window_end_s_ = *end;
    renew_s_ = std::min(*start + random_below(*end - *start), not_after_s_ - 1);
  }
  if (now_s >= renew_s_) {
    state_ = State::account;
    return;
  }
  const auto after = retry_after_seconds(response.field("retry-after"), now_s);
  const std::int64_t again_s =
      std::clamp(after.value_or(now_s + 6 * hour_s), now_s + 60, now_s + day_s);
  failures_ = 0;
  rest_until(std::min(renew_s_, again_s), "the certificate lasts");
}

// Waits until the order or the authorization is asked for again.
void Client::poll(const Response& response, std::int64_t now_s) {
  if (++polls_ > polls_max) {
    return back_off("the CA did not come to a decision", refusal_s, day_s, now_s);
  }
  const auto after = retry_after_seconds(response.field("retry-after"), now_s);
  until_s_ = std::clamp(after.value_or(now_s + 3), now_s + 1, now_s + 300);
  why_ = "the CA decides";
  why_kind_ = Wait::Kind::poll;
}

void Client::next_authorization() {
  state_ = ++authorization_ < authorizations_.size() ? State::authorization : State::finalize;
}

void Client::take_order(const Json& json, const Response& response, std::int64_t now_s) {
  const string_view status = json["status"].string();
  if (status == "invalid") {
    return back_off("the order failed: " + detail_of(json["error"], "the CA did not say why"),
                    refusal_s, day_s, now_s);
  }
  if (status == "valid") {
    if (!key_ || !url_of(json["certificate"], certificate_url_)) {
      return back_off("the CA did not say where the certificate is", refusal_s, day_s, now_s);
    }
    state_ = State::certificate;
    return;
  }
  if (state_ != State::order) {  // it was finalized
    state_ = State::order_polling;
    return poll(response, now_s);
  }
  authorizations_.clear();
  authorization_ = 0;
  for (const Json& one : json["authorizations"].values) {
    if (!url_of(one, authorizations_.emplace_back())) authorizations_.clear();
  }
  if (!url_of(json["finalize"], finalize_url_) || authorizations_.empty() ||
      authorizations_.size() > settings_.names.size()) {
    return back_off("the CA's order is not whole", refusal_s, day_s, now_s);
  }
  state_ = status == "ready" ? State::finalize : State::authorization;
}

void Client::take_authorization(const Json& json, const Response& response, std::int64_t now_s) {
  const string_view status = json["status"].string();
  const std::string name(json["identifier"]["value"].string());
  if (status == "valid") return next_authorization();
  const string_view wanted =
      settings_.challenge == ChallengeType::http_01 ? "http-01" : "tls-alpn-01";
  const Json* chosen = nullptr;
  for (const Json& one : json["challenges"].values) {
    if (one["type"].string() == wanted) chosen = &one;
  }
  if (status != "pending") {
    const string_view otherwise = "the CA did not say why";
    return back_off(
        printable(name) + " was refused: " +
            (chosen ? detail_of((*chosen)["error"], otherwise) : std::string(otherwise)),
        refusal_s, day_s, now_s);
  }
  if (state_ == State::polling) return poll(response, now_s);
  const std::string token(chosen ? (*chosen)["token"].string() : "");
  const bool is_ours =
      std::find(settings_.names.begin(), settings_.names.end(), name) != settings_.names.end();
  if (!is_ours || token.size() > 256 || !is_base64url(token) ||
      !url_of((*chosen)["url"], challenge_url_)) {
    return back_off("the CA offers no challenge " + std::string(wanted) + " for " + printable(name),
                    refusal_s, day_s, now_s);
  }
  effects_.emplace_back(Answer{name, token, token + '.' + account_key_->thumbprint()});
  answered_.push_back({name, token});
  state_ = State::challenge;
}

void Client::take_certificate(string_view chain, std::int64_t now_s) {
  std::string stored = key_->pem() + std::string(chain.substr(0, std::size_t{64} * 1024));
  if (!load(stored, now_s)) {
    return back_off("the CA's certificate is not for our key and names, or not valid now",
                    refusal_s, day_s, now_s);
  }
  failures_ = 0;
  effects_.emplace_back(Store{certificate_entry, std::move(stored)});
  rest_until(std::min(now_s + 60, renew_s_), "the certificate lasts");
}

}  // namespace acme
