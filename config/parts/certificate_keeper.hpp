// SPDX-License-Identifier: ISC
// config/parts/certificate_keeper.hpp: what an appliance does about its certificate from a CA,
// but for waiting: a client's steps, what visitors and the CA see of them, and the log.
//
// States:  AcmeWords, settings_of, CertificateKeeper.   Used by: config/parts/acme.hpp.
// Rule:    a certificate that is in use stays until the next one is durable, or it has ended.
// Errors:  StartError for words that no CA could serve.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/client.hpp"
#include "base/entropy.hpp"
#include "base/log.hpp"
#include "http/challenge_texts.hpp"
#include "http/client/message.hpp"
#include "tls/shared_context.hpp"

namespace config {

// What the boot keys say.
struct AcmeWords {
  std::string authority;  // letsencrypt, letsencrypt-staging, or a URL
  std::vector<std::string> names;
  std::string email;
  std::string profile;
  bool agrees = false;
  acme::ChallengeType challenge = acme::ChallengeType::http_01;
  std::string key_id;        // external account binding
  std::string_view mac_key;  // its key, in base64url or base64, as CAs give it
};
[[nodiscard]] acme::Settings settings_of(const AcmeWords& words);

// In which folder of a vault the client of a CA keeps its entries: one CA's are no other's.
[[nodiscard]] std::string vault_folder_of(std::string_view directory);

class CertificateKeeper final : public http::ChallengeTexts {
 public:
  // `account` and `certificate` are what was stored, or empty: a certificate is in use from now on.
  // All others outlive this, and this the server's last request.
  CertificateKeeper(acme::Settings settings, std::string account, std::string certificate,
                    base::Entropy& entropy, base::Log& log, tls::SharedContext& shared);

  [[nodiscard]] acme::Step next(std::int64_t now_s);
  void received(const http::client::Response& response, std::int64_t now_s) {
    client_->received(response, now_s);
  }
  void failed(std::string_view why, std::int64_t now_s) { client_->failed(why, now_s); }
  void answer(const acme::Answer& what, std::int64_t now_s);
  void withdraw(const acme::Withdraw& what);
  // `problem` is why it could not be stored, as a sentence; empty: it is durable, or nothing could
  // be.
  void stored(const acme::Store& what, std::string_view problem, std::int64_t now_s);
  // Says what it waits for, once.
  void say(const acme::Wait& wait);
  // From what was stored: after a failed allocation a step may be half done. Throws std::bad_alloc.
  void start_again();

  // That were asked for. Called by all threads.
  [[nodiscard]] unsigned orders() const noexcept { return orders_; }
  [[nodiscard]] std::shared_ptr<const std::string> find(
      std::string_view token) const noexcept override;

 private:
  void use(std::string_view certificate, std::string_view what);
  [[nodiscard]] bool has_valid(std::int64_t now_s) const;

  const acme::Settings settings_;
  std::string account_, certificate_;
  base::Entropy& entropy_;
  base::Log& log_;
  tls::SharedContext& shared_;
  std::optional<acme::Client> client_;
  std::atomic<unsigned> orders_ = 0;
  std::int64_t said_until_s_ = 0;
  std::string said_;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> texts_;
};

}  // namespace config
