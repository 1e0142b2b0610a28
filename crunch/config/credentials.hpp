// SPDX-License-Identifier: ISC
// crunch/config/credentials.hpp: certificates and keys of an appliance, and the jobs that need
// them.
//
// States:  Credentials, ConnectCredentials, ConnectTls, ConnectHttpsJob,
//          ConnectHttpBeside; the boot keys that they read.
// Source of the certificates: the boot keys `cert` and `key` if given, else what `crunch build` put
//          into the image (`crunched_credentials`), else none: then TLS is off.
// Errors:  StartError with the file's name when they cannot serve; warnings are logged.

#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "crunch/config/embedded_file.hpp"
#include "crunch/config/http_job.hpp"
#include "crunch/config/instances.hpp"
#include "crunch/config/key.hpp"
#include "tls/over.hpp"

namespace crunch::config {

inline constexpr std::string_view https_section = "HTTPS";
inline constexpr Key<std::uint16_t> https_port{
    .name = "https-port",
    .section = https_section,
    .doc = "Port to serve HTTPS on, where there is a certificate; 0: one that is free",
    .fallback = 443};
inline constexpr Key<std::string_view> cert_file{
    .name = "cert",
    .section = https_section,
    .doc = "File of the certificate and those that vouch for it, PEM or DER",
    .fallback = ""};
inline constexpr Key<std::string_view> key_file{.name = "key",
                                                .section = https_section,
                                                .doc = "File of its private key, PEM or DER",
                                                .fallback = ""};
inline constexpr Key<std::uint32_t> hsts{
    .name = "hsts",
    .section = https_section,
    .doc = "Seconds for which browsers shall ask for HTTPS only; 0: not said",
    .fallback = 15'768'000};
inline constexpr Key<bool> redirect{.name = "redirect",
                                    .section = https_section,
                                    .doc = "Where there is HTTPS, plain HTTP only redirects to it",
                                    .fallback = true};

// Shared by the threads of a process, so that each opens the others' tickets.
class Credentials {
 public:
  explicit Credentials(std::shared_ptr<const tls::Context> context)
      : context_(std::move(context)) {}
  // Null: there are none.
  [[nodiscard]] const std::shared_ptr<const tls::Context>& context() const noexcept {
    return context_;
  }

 private:
  std::shared_ptr<const tls::Context> context_;
};

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

std::shared_ptr<const tls::Context> make_tls_context(auto& context, const EmbeddedFile* files) {
  auto& platform = context.platform;
  const std::string_view cert = context.boot.value(cert_file);
  const std::string_view key = context.boot.value(key_file);
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
  if (identities.empty()) return nullptr;
  return std::make_shared<tls::Context>(std::move(identities), platform.entropy);
}

}  // namespace detail

template <const EmbeddedFile* files>
struct ConnectCredentials {
  static constexpr std::tuple keys{&cert_file, &key_file};

  Credentials operator()(auto& context) const {
    // The first thread makes it before the others start.
    static std::shared_ptr<const tls::Context> shared;
    if (context.platform.thread_index == 0) shared = detail::make_tls_context(context, files);
    return Credentials(shared);
  }
};

struct ConnectTls {
  template <class Lower>
  tls::Over<Lower> operator()(auto& context, Lower& lower, Credentials& credentials) const {
    return {lower, context.platform.loop, credentials.context()};
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

template <const Key<std::uint16_t>& port>
struct ConnectHttpBeside {
  static constexpr std::tuple keys{&port, &https_port, &redirect, &max_connections, &access_log};

  template <class Store, class Stack, class Secure>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack,
                                   Secure& secure) const {
    http::Options options;
    options.connections_max = context.boot.value(max_connections);
    // On port 0 the port is not known here; then the site itself is served.
    const bool redirects = secure.is_on() && context.boot.value(redirect);
    options.https_port = redirects ? context.boot.value(https_port) : std::uint16_t{0};
    return {store,
            stack,
            context.platform,
            options,
            context.boot.value(access_log),
            context.boot.value(port)};
  }
};

}  // namespace crunch::config
