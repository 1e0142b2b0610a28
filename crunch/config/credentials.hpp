// SPDX-License-Identifier: ISC
// crunch/config/credentials.hpp: certificates and keys of an appliance, and the jobs that need
// them.
//
// States:  Credentials, TlsStack, ConnectCredentials, ConnectStoredCredentials, ConnectTls,
//          ConnectHttpsJob, ConnectHttpBeside; the boot keys that they read.
// Source of the certificates: the boot keys `cert` and `key` if given, else what the host gave the
//          machine (Platform::host_credentials), else what `crunch build` put into the image
//          (`crunched_credentials`), else none: then TLS is off. Or a store.
// Errors:  StartError with the file's name when they cannot serve; warnings are logged.
// Renewal: a target that has Platform::on_reload reads the files again by it. Connections that
//          exist go on; what cannot serve is logged, and the certificate in use stays.

#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/task.hpp"
#include "crunch/config/embedded_file.hpp"
#include "crunch/config/http_job.hpp"
#include "crunch/config/instances.hpp"
#include "crunch/config/key.hpp"
#include "kv/kv.hpp"
#include "tls/over.hpp"

namespace crunch::config {

inline constexpr std::string_view https_section = "HTTPS";
inline constexpr Key<Port> https_port{
    .name = "https-port",
    .section = https_section,
    .doc = "Port to serve HTTPS on, where there is a certificate; 0: one that is free",
    .fallback = 443};
inline constexpr Key<Path> cert_file{
    .name = "cert",
    .section = https_section,
    .doc = "File of the certificate and those that vouch for it, PEM or DER",
    .fallback = "",
    .stage = Stage::boot};
inline constexpr Key<Path> key_file{.name = "key",
                                    .section = https_section,
                                    .doc = "File of its private key, PEM or DER",
                                    .fallback = "",
                                    .stage = Stage::boot};
inline constexpr Key<std::uint32_t> hsts{
    .name = "hsts",
    .section = https_section,
    .doc = "Seconds for which browsers shall ask for HTTPS only; 0: not said",
    .fallback = 15'768'000};
inline constexpr Key<bool> redirect{.name = "redirect",
                                    .section = https_section,
                                    .doc = "Where there is HTTPS, plain HTTP only redirects to it",
                                    .fallback = true};

using TlsContext = std::shared_ptr<const tls::Context>;

namespace detail {

inline std::string credential_bytes(std::string_view path) {
  constexpr std::size_t bytes_max = 1U << 20U;
  std::FILE* file = std::fopen(std::string(path).c_str(), "rb");
  if (file == nullptr) throw StartError(std::string(path) + ": cannot be read");
  std::string text(bytes_max, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

inline tls::Identity identity_of(const tls::CredentialFile& certificates,
                                 const tls::CredentialFile& key, auto& platform) {
  auto made = tls::Identity::make(certificates, key, platform.entropy);
  if (!made) throw StartError(made.error());
  for (const std::string& warning : made->warnings(platform.clock.wall_s(), "")) {
    platform.log.warning({warning});
  }
  return std::move(*made);
}

inline base::Bytes bytes_of_file(const EmbeddedFile& file) {
  return {reinterpret_cast<const std::byte*>(file.begin),
          reinterpret_cast<const std::byte*>(file.end)};
}

TlsContext make_tls_context(auto& context, const EmbeddedFile* files) {
  auto& platform = context.platform;
  const std::string_view cert = context.boot.value(cert_file).text;
  const std::string_view key = context.boot.value(key_file).text;
  if (cert.empty() != key.empty()) {
    throw StartError("--cert and --key belong together; only one of them is given");
  }
  std::vector<tls::Identity> identities;
  if (!cert.empty()) {
    const std::string cert_text = credential_bytes(cert);
    std::string key_text = credential_bytes(key);
    identities.push_back(
        identity_of({cert, base::bytes_of(cert_text)}, {key, base::bytes_of(key_text)}, platform));
    tls::wipe(std::as_writable_bytes(std::span(key_text)));
  } else {
    for (const EmbeddedFile* at = files; at->name != nullptr; at += 2) {
      identities.push_back(identity_of({at[0].name, bytes_of_file(at[0])},
                                       {at[1].name, bytes_of_file(at[1])}, platform));
    }
  }
  if constexpr (requires { platform.host_credentials; }) {
    if (cert.empty() && !platform.host_credentials.key.empty()) {
      auto& given = platform.host_credentials;
      identities.clear();
      identities.push_back(
          identity_of({"the host's certificate", base::bytes_of(given.certificates)},
                      {"the host's key", base::bytes_of(given.key)}, platform));
      tls::wipe(std::as_writable_bytes(std::span(given.key)));
    }
  }
  if (identities.empty()) return nullptr;
  return std::make_shared<tls::Context>(std::move(identities), platform.entropy);
}

// What the threads of a process share, so that each opens the others' tickets: the first thread
// makes it, the others take it.
class SharedTlsContext {
 public:
  void set(TlsContext context) {
    const std::lock_guard lock(mutex_);
    context_ = std::move(context);
  }
  [[nodiscard]] TlsContext get() {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  std::mutex mutex_;
  TlsContext context_;
};

inline void log_renewal(base::Log& log, const tls::Context& context) {
  const tls::Identity& identity = context.identities().front();
  std::string names;
  for (const std::string& name : identity.names()) names += (names.empty() ? "" : ", ") + name;
  log.info({"the certificate was read again: ", names, "; ", identity.key_type(), ", until ",
            tls::date_text(identity.not_after_s())});
}

}  // namespace detail

// One thread's view of them.
class Credentials {
 public:
  // `start`, a Context, and `shared` outlive this. On the first thread it reads the certificates.
  Credentials(auto& start, const EmbeddedFile* files, detail::SharedTlsContext& shared) {
    auto& platform = start.platform;
    if (platform.thread_index == 0) shared.set(detail::make_tls_context(start, files));
    context_ = shared.get();
    if constexpr (requires { platform.on_reload; }) {
      if (start.boot.value(cert_file).text.empty()) return;  // an image's own do not change
      platform.on_reload = [this, &start, files, &shared, others = std::move(platform.on_reload)] {
        if (others) others();
        if (start.platform.thread_index == 0) read_again(start, files, shared);
        replace(shared.get());
      };
    }
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // Null: there are none.
  [[nodiscard]] const TlsContext& context() const noexcept { return context_; }

  // `take` is called with each context that replaces another, on this thread's loop, as long as
  // that turns.
  void on_change(std::function<void(const TlsContext&)> take) {
    takers_.push_back(std::move(take));
  }

 private:
  static void read_again(auto& start, const EmbeddedFile* files, detail::SharedTlsContext& shared) {
    try {
      shared.set(detail::make_tls_context(start, files));
      detail::log_renewal(start.platform.log, *shared.get());
    } catch (const StartError& error) {
      start.platform.log.error({error.what(), " (the certificate in use stays)"});
    }
  }
  void replace(TlsContext context) {
    if (context == context_) return;
    context_ = std::move(context);
    for (const auto& take : takers_) take(context_);
  }

  TlsContext context_;
  std::vector<std::function<void(const TlsContext&)>> takers_;
};

template <const EmbeddedFile* files>
struct ConnectCredentials {
  static constexpr std::tuple keys{&cert_file, &key_file};

  Credentials operator()(auto& context) const {
    static detail::SharedTlsContext shared;
    return {context, files, shared};
  }
};

// TLS with credentials that may be renewed.
template <net::Stack Lower>
class TlsStack : public tls::Over<Lower> {
 public:
  // `credentials` outlives the loop's last turn.
  TlsStack(Lower& lower, base::Loop& loop, Credentials& credentials)
      : tls::Over<Lower>(lower, loop, credentials.context()) {
    credentials.on_change([this](const TlsContext& context) { this->replace_context(context); });
  }
};

// From a store that does not wait: its values cert.pem and key.pem, read once, at the start. The
// boot keys go before them.
struct ConnectStoredCredentials {
  static constexpr std::tuple keys{&cert_file, &key_file};

  template <class Store>
  Credentials operator()(auto& context, Store& store) const {
    static detail::SharedTlsContext shared;
    const auto certificates = base::run_now(store.get("cert.pem", kv::Encoding::identity));
    const auto key = base::run_now(store.get("key.pem", kv::Encoding::identity));
    if (!certificates || !key) {
      throw StartError(
          "the store of certificates lacks cert.pem or key.pem, or they cannot be read");
    }
    const auto file_of = [](const char* name, base::Bytes bytes) {
      const auto* begin = reinterpret_cast<const unsigned char*>(bytes.data());
      return EmbeddedFile{name, begin, begin + bytes.size()};
    };
    const EmbeddedFile files[] = {file_of("cert.pem", base::Bytes(*certificates)),
                                  file_of("key.pem", base::Bytes(*key)),
                                  {nullptr, nullptr, nullptr}};
    return {context, files, shared};
  }
};

// Who a TLS server is.
struct IdentityModule {
  static constexpr std::string_view name = "identity";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = std::same_as<T, Credentials>;
};

struct ConnectTls {
  template <class Lower>
  TlsStack<Lower> operator()(auto& context, Lower& lower, Credentials& credentials) const {
    return {lower, context.platform.loop, credentials};
  }
};

// A name that only this machine has must not be pinned to HTTPS.
inline bool is_local_only(const tls::Context& context) {
  for (const tls::Identity& identity : context.identities()) {
    for (const std::string& name : identity.names()) {
      if (name != "localhost" && name != "127.0.0.1" && name != "0:0:0:0:0:0:0:1") return false;
    }
  }
  return true;
}

struct ConnectHttpsJob {
  static constexpr std::tuple keys{&https_port, &hsts, &max_connections, &access_log};

  template <class Store, class Stack>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack) const {
    auto& platform = context.platform;
    if (!stack.is_on()) return {store, stack, platform.loop, platform.console};
    http::Options options;
    options.connections_max = context.boot.value(max_connections);
    options.hsts_s = is_local_only(*stack.context()) ? 0 : context.boot.value(hsts);
    return {store,
            stack,
            platform,
            options,
            context.boot.value(access_log),
            context.boot.value(https_port),
            "https"};
  }
};

template <const Key<Port>& port>
struct ConnectHttpBeside {
  static constexpr std::tuple keys{&port, &https_port, &redirect, &max_connections, &access_log};

  template <class Store, class Stack, class Secure>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack,
                                   Secure& secure) const {
    http::Options options;
    options.connections_max = context.boot.value(max_connections);
    // On port 0 the port is not known here; then the site itself is served.
    const bool redirects = secure.is_on() && context.boot.value(redirect);
    options.https_port = redirects ? context.boot.value(https_port).number : std::uint16_t{0};
    return {store,
            stack,
            context.platform,
            options,
            context.boot.value(access_log),
            context.boot.value(port)};
  }
};

}  // namespace crunch::config
