// SPDX-License-Identifier: ISC
#include "acme/client.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "acme/jws.hpp"
#include "acme/text.hpp"
#include "tls/certificate_file.hpp"
#include "tls/certificates.hpp"

namespace acme {
namespace {

using http::client::Method;
using std::string_view;

constexpr std::int64_t hour_s = 3600;

}  // namespace

std::string directory_of(string_view ca) {
  if (ca == "letsencrypt") return "https://acme-v02.api.letsencrypt.org/directory";
  if (ca == "letsencrypt-staging") return "https://acme-staging-v02.api.letsencrypt.org/directory";
  return std::string(ca);
}

std::string problem_of(const Settings& settings) {
  if (!settings.directory.starts_with("https://") && !settings.directory.starts_with("http://")) {
    return "the CA's directory is not a URL: " + settings.directory;
  }
  if (settings.names.empty()) return "there is no name to get a certificate for";
  if (settings.names.size() > 100) return "a certificate has at most 100 names";
  for (const std::string& name : settings.names) {
    if (name.starts_with('*')) {
      return name + ": a CA gives wildcards only to who changes DNS (DNS-01), which crunch does " +
             "not do; list the names";
    }
    const bool is_name =
        name.find('.') != std::string::npos && name.size() <= 253 &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos &&
        name.find_first_not_of("0123456789.") != std::string::npos;
    if (!is_name) return name + ": no DNS name in small letters that a CA could check";
  }
  return {};
}

Client::Client(Settings settings, string_view account, string_view certificate,
               base::Entropy& entropy)
    : settings_(std::move(settings)), entropy_(entropy), account_key_(Key::from_pem(account)) {
  if (!account_key_) {
    account_key_ = Key::make(entropy_);
    effects_.emplace_back(Store{account_entry, account_key_->pem()});
  }
  static_cast<void>(load(certificate, 0));
}

// From 0 to bound - 1.
std::int64_t Client::random_below(std::int64_t bound) {
  std::uint64_t number = 0;
  entropy_.fill(std::as_writable_bytes(std::span(&number, 1)));
  return bound <= 0 ? 0 : static_cast<std::int64_t>(number % static_cast<std::uint64_t>(bound));
}

// False: it is not whole, or does not have all names; then nothing changes.
bool Client::load(string_view stored, std::int64_t now_s) {
  const auto key = Key::from_pem(stored);
  const auto made = tls::Identity::make({"certificate", base::bytes_of(stored)},
                                        {"key", base::bytes_of(stored)}, entropy_);
  if (!key || !made || made->not_after_s() <= now_s) return false;
  for (const std::string& name : settings_.names) {
    if (!made->covers(name)) return false;
  }
  const auto chain = tls::certificates_in(base::bytes_of(stored));
  certificate_id_ = chain ? certificate_id(chain->front()).value_or("") : "";
  replaces_ = true;
  not_after_s_ = made->not_after_s();
  const std::int64_t lifetime_s = not_after_s_ - made->not_before_s();
  renew_s_ = made->not_before_s() + lifetime_s / 3 * 2 - random_below(lifetime_s / 20);
  window_start_s_ = window_end_s_ = 0;
  return true;
}

Step Client::next(std::int64_t now_s) {
  storing_.reset();
  if (now_s < settings_.clock_set_s) {
    return Wait{now_s + 10, "the clock is not set yet: no certificate can be asked for or checked",
                Wait::Kind::clock};
  }
  if (store_failed_ && now_s < until_s_) return Wait{until_s_, why_, why_kind_};
  store_failed_ = false;
  if (!effects_.empty()) {
    Step step = std::move(effects_.front());
    effects_.pop_front();
    if (const auto* store = std::get_if<Store>(&step)) storing_ = *store;
    return step;
  }
  if (now_s < until_s_) return Wait{until_s_, why_, why_kind_};
  if (state_ == State::waiting) {
    state_ = State::directory;
    bad_nonces_ = polls_ = 0;
    lost_account_ = false;
    nonce_.clear();
  }
  return ask();
}

Ask Client::post(const std::string& url, const std::string& payload) {
  const string_view account = state_ == State::account ? string_view() : string_view(account_url_);
  Ask out{Method::post, url, signed_body(*account_key_, {url, nonce_, account, payload}, entropy_)};
  nonce_.clear();
  return out;
}

Ask Client::ask() {
  asked_nonce_ = false;
  if (state_ == State::directory) return {Method::get, settings_.directory};
  if (state_ == State::renewal_info) return {Method::get, renewal_info_ + '/' + certificate_id_};
  asked_nonce_ = nonce_.empty();
  if (asked_nonce_) return {Method::head, new_nonce_};
  switch (state_) {
    case State::account:
      return post(new_account_, account_payload());
    case State::order:
      ++orders_;
      return post(new_order_, order_payload());
    case State::challenge:
      return post(challenge_url_, "{}");
    case State::finalize:
      if (!key_) key_ = Key::make(entropy_);
      return post(finalize_url_,
                  R"({"csr":")" + base64url(certificate_request(*key_, settings_.names, entropy_)) +
                      R"("})");
    case State::order_polling:
      return post(order_url_, "");
    case State::certificate:
      return post(certificate_url_, "");
    default:
      return post(authorizations_[authorization_], "");
  }
}

std::string Client::account_payload() const {
  std::string out = R"({"termsOfServiceAgreed":)";
  out += settings_.agrees ? "true" : "false";
  if (!settings_.email.empty()) {
    out += R"(,"contact":[)" + json_text("mailto:" + settings_.email) + ']';
  }
  if (!settings_.key_id.empty()) {
    out += R"(,"externalAccountBinding":)" + account_binding(*account_key_, settings_.key_id,
                                                             base::bytes_of(settings_.mac_key),
                                                             new_account_);
  }
  return out + '}';
}

std::string Client::order_payload() const {
  std::string out = R"({"identifiers":[)";
  for (const std::string& name : settings_.names) {
    if (!out.ends_with('[')) out += ',';
    out += R"({"type":"dns","value":)" + json_text(name) + '}';
  }
  out += ']';
  if (!settings_.profile.empty()) out += R"(,"profile":)" + json_text(settings_.profile);
  if (replaces_ && !certificate_id_.empty() && !renewal_info_.empty()) {
    out += R"(,"replaces":)" + json_text(certificate_id_);
  }
  return out + '}';
}

void Client::rest_until(std::int64_t until_s, std::string why) {
  for (Withdraw& one : answered_) effects_.emplace_back(std::move(one));
  answered_.clear();
  key_.reset();
  state_ = State::waiting;
  until_s_ = until_s;
  why_ = std::move(why);
  why_kind_ = Wait::Kind::renewal;
}

void Client::back_off(std::string why, std::int64_t base_s, std::int64_t max_s,
                      std::int64_t now_s) {
  const std::int64_t most_s = std::min(base_s << std::min(failures_, 10U), max_s);
  ++failures_;
  rest_until(now_s + most_s / 2 + random_below(most_s / 2 + 1), std::move(why));
  why_kind_ = Wait::Kind::failure;
}

void Client::failed(string_view why, std::int64_t now_s) {
  store_failed_ = storing_.has_value();
  if (storing_) effects_.emplace_front(*std::exchange(storing_, std::nullopt));
  back_off(std::string(why), 10, hour_s, now_s);
}

// A URL of the CA's, with the directory's scheme.
bool Client::url_of(const Json& json, std::string& out) const {
  const string_view scheme = settings_.directory.starts_with("https") ? "https://" : "http://";
  out = json.string();
  return out.starts_with(scheme) && out.size() <= url_bytes_max;
}

}  // namespace acme
