// SPDX-License-Identifier: ISC
#include "config/parts/certificate_keeper.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <utility>

#include "acme/keys.hpp"
#include "acme/text.hpp"
#include "base/calendar.hpp"
#include "base/wipe.hpp"
#include "config/instances.hpp"
#include "config/parts/credentials.hpp"
#include "tls/client.hpp"

namespace config {
namespace {

std::string time_text(std::int64_t seconds) {
  const base::DateTime time = base::date_time_of(seconds);
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02u:%02u:%02u UTC", time.year,
                time.month, time.day, time.hour, time.minute, time.second);
  return text.data();
}

// CAs write these keys in one of the two alphabets, some with padding.
std::optional<std::string> bytes_of_mac_key(std::string_view text) {
  std::string plain(text.substr(0, text.find('=')));
  std::ranges::replace(plain, '+', '-');
  std::ranges::replace(plain, '/', '_');
  return acme::decode_base64url(plain);
}

}  // namespace

acme::Settings settings_of(const AcmeWords& words) {
  acme::Settings settings{.directory = acme::directory_of(words.authority),
                          .names = words.names,
                          .email = words.email,
                          .profile = words.profile,
                          .agrees = words.agrees,
                          .challenge = words.challenge,
                          .key_id = words.key_id,
                          .clock_set_s = tls::clock_set_from_s};
  if (settings.names.empty()) {
    throw StartError(
        "--acme: there is no name to get a certificate for; give --acme-names=example.org,..., or "
        "build the image from a site whose crunch.toml has [[host]]");
  }
  if (std::string problem = acme::problem_of(settings); !problem.empty()) {
    throw StartError("--acme: " + problem);
  }
  if (words.key_id.empty() != words.mac_key.empty()) {
    throw StartError(
        "--acme-eab-kid and --acme-eab-key belong together; only one of them is given");
  }
  auto mac_key = bytes_of_mac_key(words.mac_key);
  if (!mac_key) throw StartError("--acme-eab-key: what it names is not base64, as CAs give it");
  settings.mac_key = std::move(*mac_key);
  return settings;
}

std::string vault_folder_of(std::string_view directory) {
  constexpr std::size_t chars_max = 120;
  std::string out = "acme/";
  for (const char c : directory.substr(directory.find("://") + 3).substr(0, chars_max)) {
    const bool is_kept =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    out += is_kept && !(c == '.' && out.ends_with('/')) ? c : '-';
  }
  return out + '/';
}

CertificateKeeper::CertificateKeeper(acme::Settings settings, std::string account,
                                     std::string certificate, base::Entropy& entropy,
                                     base::Log& log, tls::SharedContext& shared)
    : settings_(std::move(settings)),
      account_(std::move(account)),
      certificate_(std::move(certificate)),
      entropy_(entropy),
      log_(log),
      shared_(shared) {
  client_.emplace(settings_, account_, certificate_, entropy_);
  shared_.expect();
  if (!certificate_.empty()) use(certificate_, "serves HTTPS with a certificate for ");
}

void CertificateKeeper::start_again() {
  client_.emplace(settings_, account_, certificate_, entropy_);
}

acme::Step CertificateKeeper::next(std::int64_t now_s) {
  const unsigned before = client_->orders();
  acme::Step step = client_->next(now_s);
  orders_ += client_->orders() - before;
  return step;
}

void CertificateKeeper::use(std::string_view certificate, std::string_view what) {
  const base::Bytes bytes = base::bytes_of(certificate);
  auto made = tls::Identity::make({"the CA's certificate", bytes}, {"its key", bytes}, entropy_);
  if (!made) {  // it was stored by another hand: the client orders anew
    log_.error({made.error()});
    return;
  }
  std::vector<tls::Identity> identities;
  identities.push_back(std::move(*made));
  TlsContext context = std::make_shared<tls::Context>(std::move(identities), entropy_);
  log_certificates(log_, what, *context);
  shared_.set(std::move(context));
}

bool CertificateKeeper::has_valid(std::int64_t now_s) const {
  const TlsContext now = shared_.get();
  return now != nullptr && now->identities().front().not_after_s() > now_s;
}

void CertificateKeeper::answer(const acme::Answer& what, std::int64_t now_s) {
  if (settings_.challenge == acme::ChallengeType::http_01) {
    auto text = std::make_shared<const std::string>(what.key_authorization);
    const std::lock_guard lock(mutex_);
    texts_.insert_or_assign(what.token, std::move(text));
    return;
  }
  const acme::Key key = acme::Key::make(entropy_);
  std::string pem = key.pem();
  const std::string certificate =
      acme::challenge_certificate(key, what.name, what.key_authorization, entropy_);
  const auto set = shared_.challenges().set(
      what.name, {"the challenge's certificate", base::bytes_of(certificate)},
      {"the challenge's key", base::bytes_of(pem)}, entropy_);
  base::wipe(std::as_writable_bytes(std::span(pem)));
  if (!set) client_->failed(set.error(), now_s);
}

void CertificateKeeper::withdraw(const acme::Withdraw& what) {
  shared_.challenges().remove(what.name);
  const std::lock_guard lock(mutex_);
  texts_.erase(what.token);
}

std::shared_ptr<const std::string> CertificateKeeper::find(std::string_view token) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(token);
  return found != texts_.end() ? found->second : nullptr;
}

void CertificateKeeper::stored(const acme::Store& what, std::string_view problem,
                               std::int64_t now_s) {
  if (what.name == acme::account_entry) {
    account_ = what.bytes;
  } else if (problem.empty() || !has_valid(now_s)) {
    if (what.bytes != certificate_) {
      use(what.bytes, shared_.is_set() ? "the certificate was renewed: "
                                       : "serves HTTPS with a certificate for ");
    }
    certificate_ = what.bytes;
  }
  if (!problem.empty()) client_->failed(problem, now_s);
}

void CertificateKeeper::say(const acme::Wait& wait) {
  const bool is_news = wait.kind == acme::Wait::Kind::clock
                           ? wait.why != said_
                           : wait.why != said_ || wait.until_s != said_until_s_;
  if (!is_news) return;
  said_ = wait.why;
  said_until_s_ = wait.until_s;
  const std::string until = time_text(wait.until_s);
  switch (wait.kind) {
    case acme::Wait::Kind::clock:
      log_.warning({"acme: ", wait.why});
      return;
    case acme::Wait::Kind::failure:
      log_.warning({"acme: ", wait.why, "; it is tried again at ", until,
                    shared_.is_set() ? " (the certificate in use stays)"
                                     : " (until then there is no HTTPS)"});
      return;
    case acme::Wait::Kind::poll:
    case acme::Wait::Kind::renewal:
      log_.debug({"acme: ", wait.why, "; goes on at ", until});
      return;
  }
}

}  // namespace config
