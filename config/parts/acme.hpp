// SPDX-License-Identifier: ISC
// config/parts/acme.hpp: job: gets a certificate from a CA, keeps it in the vault and renews it.
//
// States:  AcmeJob, ConnectAcme; acme_client, acme_client_in_vault, functors; the build key
//          `acme-client` and the boot keys `acme` and `acme-...`.
// Order:   this job is connected before those that listen: they ask whether a certificate may come.
// Threads: the first one has the client; all answer the CA.
// Errors:  StartError for keys that no CA could serve, and where there is another certificate; all
//          that fails later is logged with when it is tried again.
// Memory:  after a failed allocation it begins anew a minute later, from what was stored.

#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "base/running.hpp"
#include "base/task.hpp"
#include "config/key.hpp"
#include "config/parts/certificate_keeper.hpp"
#include "config/parts/challenges.hpp"
#include "config/parts/credentials.hpp"
#include "config/parts/secrets.hpp"
#include "config/parts/stores.hpp"
#include "config/parts/vaults.hpp"
#include "config/parts/web_client.hpp"
#include "http/client/client.hpp"

namespace config {

inline constexpr std::string_view acme_section = "CERTIFICATES FROM A CA";
inline constexpr Key<bool> acme_client_key{
    .name = "acme-client",
    .section = acme_section,
    .doc = "Get and renew a certificate from a CA (crunch build --acme)",
    .fallback = false,
    .stage = Stage::build};
inline constexpr Key<std::string_view> acme_key{
    .name = "acme",
    .section = acme_section,
    .doc = "The CA: letsencrypt, letsencrypt-staging, or its directory's URL; none: no CA is asked",
    .fallback = ""};
inline constexpr Key<List<std::string_view>> acme_names{
    .name = "acme-names",
    .section = acme_section,
    .doc = "Names that the certificate is for; by default those of [[host]] in crunch.toml",
    .fallback = ""};
inline constexpr Key<std::string_view> acme_email{.name = "acme-email",
                                                  .section = acme_section,
                                                  .doc = "Where the CA may write to; none: nowhere",
                                                  .fallback = ""};
inline constexpr Key<bool> acme_agree{.name = "acme-agree",
                                      .section = acme_section,
                                      .doc = "You agree to the CA's terms of service",
                                      .fallback = false};
inline constexpr Key<std::string_view> acme_profile{
    .name = "acme-profile",
    .section = acme_section,
    .doc = "Kind of certificate, as the CA names it: shortlived; none: the CA's default",
    .fallback = ""};
inline constexpr std::string_view acme_challenge_words[] = {"http-01", "tls-alpn-01"};
inline constexpr Key<acme::ChallengeType> acme_challenge{
    .name = "acme-challenge",
    .section = acme_section,
    .doc = "How the CA checks the names: on port 80, or by TLS on port 443",
    .fallback = acme::ChallengeType::http_01,
    .words = acme_challenge_words};
inline constexpr Key<std::string_view> acme_eab_kid{
    .name = "acme-eab-kid",
    .section = acme_section,
    .doc = "External account binding: the key's id, from a CA that asks for one",
    .fallback = ""};
inline constexpr Key<Secret> acme_eab_key{.name = "acme-eab-key",
                                          .section = acme_section,
                                          .doc = "External account binding: where the key is",
                                          .fallback = "",
                                          .stage = Stage::boot};

// For appliances without one.
struct NoVault {};

template <class Web, class Vault>
class AcmeJob {
 public:
  // `keeper` null: no CA is asked on this thread. All outlive the job.
  AcmeJob(base::Loop& loop, Web& web, Vault* store, CertificateKeeper* keeper,
          std::string vault_folder)
      : loop_(loop),
        web_(web),
        vault_(store),
        keeper_(keeper),
        folder_(std::move(vault_folder)),
        drained_(loop) {}

  base::Task<void> run() {
    if (keeper_ == nullptr) co_return;
    // What is under way ends with it.
    const base::Running work = base::Running::start(keep());
    while (!is_draining_) co_await drained_.wait_until(base::never);
  }
  void drain() {
    is_draining_ = true;
    drained_.notify();
  }

 private:
  // A wait is looked at again after this: clocks are set, and machines sleep.
  static constexpr std::int64_t nap_s_max = 600;
  // A machine's network may come up after its jobs: until then it is no failure.
  static constexpr base::Duration patience = std::chrono::seconds(15);

  [[nodiscard]] std::int64_t now_s() const { return loop_.clock().wall_s(); }

  base::Task<void> keep() {
    bool is_half_done = false;
    for (;;) {
      try {
        if (is_half_done) keeper_->start_again();
        is_half_done = false;
        co_await go_on();
        co_return;
      } catch (const std::exception&) {  // no memory
        is_half_done = true;
      }
      const bool has_slept = co_await loop_.sleep_for(std::chrono::seconds(60));
      if (!has_slept) co_return;
    }
  }

  // Until it is drained.
  base::Task<void> go_on() {
    for (;;) {
      acme::Step step = keeper_->next(now_s());
      if (const auto* wait = std::get_if<acme::Wait>(&step)) {
        keeper_->say(*wait);
        const std::int64_t left_s = std::clamp<std::int64_t>(wait->until_s - now_s(), 1, nap_s_max);
        const bool has_slept = co_await loop_.sleep_for(std::chrono::seconds(left_s));
        if (!has_slept) co_return;
      } else if (const auto* ask = std::get_if<acme::Ask>(&step)) {
        co_await fetch(*ask);
      } else if (const auto* store = std::get_if<acme::Store>(&step)) {
        co_await this->store(*store);
      } else if (const auto* answer = std::get_if<acme::Answer>(&step)) {
        keeper_->answer(*answer, now_s());
      } else if (const auto* withdraw = std::get_if<acme::Withdraw>(&step)) {
        keeper_->withdraw(*withdraw);
      }
    }
  }

  base::Task<void> fetch(const acme::Ask& ask) {
    http::client::Request request;
    request.method = ask.method;
    request.fields.push_back({"User-Agent", "crunch"});
    if (!ask.body.empty()) request.fields.push_back({"Content-Type", "application/jose+json"});
    request.body = ask.body;
    http::client::Limits limits;
    limits.body_bytes_max = std::size_t{256} * 1024;
    // What is signed is for one URL.
    limits.redirects_max = ask.method == http::client::Method::get ? 3 : 0;
    const base::Instant patient_until = loop_.now() + patience;
    for (;;) {
      const http::client::Fetched answer = co_await web_.fetch(ask.url, request, limits);
      if (answer) {
        was_connected_ = true;
        keeper_->received(*answer, now_s());
        co_return;
      }
      const http::client::Failure& failure = answer.error();
      const bool may_come_up = !was_connected_ && loop_.now() < patient_until &&
                               failure.error == http::client::Error::not_connected;
      const bool is_again = may_come_up && co_await loop_.sleep_for(std::chrono::seconds(1));
      if (is_again) continue;
      keeper_->failed(failure.what.empty() ? http::client::text_of(failure.error) : failure.what,
                      now_s());
      co_return;
    }
  }

  base::Task<void> store(const acme::Store& what) {
    std::string problem;
    if constexpr (!std::same_as<Vault, NoVault>) {
      if (vault_->is_there()) {
        const std::string key = folder_ + std::string(what.name);
        base::Task<kv::ChangeResult<void>> change = vault_->set(key, base::bytes_of(what.bytes));
        const kv::ChangeResult<void> changed = co_await change;
        if (!changed) problem = problem_of(changed.error(), key, vault_->place());
      }
    }
    keeper_->stored(what, problem, now_s());
  }

  static std::string problem_of(kv::ChangeError error, const std::string& key,
                                std::string_view place) {
    return key + " cannot be stored: " + std::string(place) +
           (error == kv::ChangeError::full          ? " is full"
            : error == kv::ChangeError::unavailable ? " cannot be written"
                                                    : " cannot have it beside what it has");
  }

  base::Loop& loop_;
  Web& web_;
  Vault* vault_;
  CertificateKeeper* keeper_;
  const std::string folder_;
  base::Signal drained_;
  bool is_draining_ = false;
  bool was_connected_ = false;
};

struct ConnectAcme {
  static constexpr std::tuple keys{&acme_key,     &acme_names,     &acme_email,   &acme_agree,
                                   &acme_profile, &acme_challenge, &acme_eab_kid, &acme_eab_key};

  template <class Web>
  AcmeJob<Web, NoVault> operator()(auto& context, Credentials& identity, Web& web) const {
    std::string folder;
    CertificateKeeper* keeper = make(context, identity, {}, {}, folder);
    if (keeper != nullptr) warn(context, "this image has no vault (crunch build --set vault=...)");
    return {context.platform.loop, web, nullptr, keeper, std::move(folder)};
  }
  template <class Web, class Vault>
  AcmeJob<Web, Vault> operator()(auto& context, Credentials& identity, Web& web,
                                 Vault& store) const {
    std::string folder;
    const bool is_there = store.is_there();
    Read read;
    if (is_there) read = [&store](kv::Key key) { return store.read(key); };
    CertificateKeeper* keeper =
        make(context, identity, read, is_there ? std::string(store.place()) : "", folder);
    if (keeper != nullptr && !is_there) warn(context, "no vault is given");
    return {context.platform.loop, web, &store, keeper, std::move(folder)};
  }

 private:
  using Read = std::function<kv::Result<kv::SecretValue>(kv::Key)>;

  static void warn(auto& context, std::string_view why) {
    context.platform.log.warning(
        {"acme: ", why,
         ": each start orders a new certificate, of which CAs give only a few a week"});
  }

  // Null: no CA is asked on this thread.
  static CertificateKeeper* make(auto& context, Credentials& identity, const Read& read,
                                 const std::string& place, std::string& folder) {
    auto& platform = context.platform;
    const auto& boot = context.boot;
    AcmeWords words{.authority = boot.text(acme_key),
                    .names = {},
                    .email = boot.text(acme_email),
                    .profile = boot.text(acme_profile),
                    .agrees = boot.value(acme_agree),
                    .challenge = boot.value(acme_challenge),
                    .key_id = boot.text(acme_eab_kid),
                    .mac_key = {}};
    if (words.authority.empty() || platform.thread_index != 0) return nullptr;
    if (identity.shared().is_set()) {
      throw StartError(
          "--acme gets a certificate, and there is one already; give --acme= to serve that one");
    }
    for (const std::string_view name : boot.value(acme_names)) words.names.emplace_back(name);
    const SecretText mac_key =
        read_secret(acme_eab_key.name, boot.value(acme_eab_key),
                    HasFiles<std::remove_cvref_t<decltype(platform)>>, read, place);
    words.mac_key = mac_key.view();
    acme::Settings settings = settings_of(words);
    folder = vault_folder_of(settings.directory);
    std::string account = entry(read, place, folder + std::string(acme::account_entry));
    std::string certificate = entry(read, place, folder + std::string(acme::certificate_entry));
    auto& keeper = context.of_appliance.template get<CertificateKeeper>([&] {
      return std::make_unique<CertificateKeeper>(std::move(settings), std::move(account),
                                                 std::move(certificate), platform.entropy,
                                                 platform.log, identity.shared());
    });
    challenges_of(context).texts = &keeper;
    count(context, keeper);
    return &keeper;
  }

  // Empty: there is none, or it cannot be read, and then it is made anew.
  static std::string entry(const Read& read, const std::string& place, const std::string& key) {
    if (!read) return {};
    const kv::Result<kv::SecretValue> value = read(key);
    if (value) return std::string(base::text_of(base::Bytes(*value)));
    if (value.error() == kv::Error::not_found) return {};
    throw StartError(place + ": " + key +
                     " is damaged, or cannot be read; crunch disk remove makes the next start "
                     "order a new one");
  }

  static void count(auto& context, CertificateKeeper& keeper) {
    static constexpr http::metrics::Family family{
        "crunch_acme_orders_total", "Orders of certificates that were sent to the CA.",
        http::metrics::Kind::counter};
    registry_of(context).add(family, "", [&keeper]() -> std::uint64_t { return keeper.orders(); });
  }
};

// job: asks a CA for what an identity needs, by a client for http and https.
template <class Identity, class Web>
struct AcmeJobBy {
  using type = AcmeJob<Web, NoVault>;
};
template <class... M>
using AcmeJobByOf = typename AcmeJobBy<M...>::type;
template <class Identity, class Web, class Vault>
struct AcmeJobWithVault {
  using type = AcmeJob<Web, Vault>;
};
template <class... M>
using AcmeJobWithVaultOf = typename AcmeJobWithVault<M...>::type;

// In its place where the build key says so.
struct NoJob {
  static base::Task<void> run() { co_return; }
  static void drain() {}
};
struct ConnectNoJob {
  static constexpr std::tuple<> keys{};
  NoJob operator()(auto&) const { return {}; }
};

}  // namespace config
