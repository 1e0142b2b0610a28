// SPDX-License-Identifier: ISC
// config/parts/credentials.hpp: certificates and keys of an appliance, and the jobs that need
// them.
//
// States:  Credentials, TlsStack, ConnectCredentials, ConnectStoredCredentials,
//          ConnectTls, ConnectHttpsJob, ConnectHttpBeside; the boot keys that they read.
// Source of the certificates: the boot keys `cert` and `key` if given, else what the host gave the
//          machine (Platform::host_credentials), else tls/cert and tls/key of a vault, else what
//          `crunch build` put into the image (`crunched_credentials`), else none: then TLS is off.
//          Or a store.
// Errors:  StartError with the file's name when they cannot serve; warnings are logged.
// Renewal: a target that has Platform::on_reload reads the files, or the vault, again by it; one
//          that watches files (Platform::watched) also when their content changes. Connections that
//          exist go on; what cannot serve is logged, and the certificates in use stay.

#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/task.hpp"
#include "config/embedded_file.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/http_job.hpp"
#include "config/parts/numbers.hpp"
#include "config/system_calls.hpp"
#include "kv/kv.hpp"
#include "kv/rw.hpp"
#include "tls/over.hpp"
#include "tls/shared_context.hpp"

namespace config {

inline constexpr std::string_view https_section = "HTTPS";
inline constexpr Key<Port> https_port{
    .name = "https-port",
    .section = https_section,
    .doc = "Port to serve HTTPS on, where there is a certificate; 0: one that is free",
    .fallback = 443};
inline constexpr Key<Path> cert_file{
    .name = "cert",
    .section = https_section,
    .doc = "File of a certificate with its chain, PEM or DER; again for each",
    .fallback = "",
    .stage = Stage::boot};
inline constexpr Key<Path> key_file{.name = "key",
                                    .section = https_section,
                                    .doc = "File of its private key, PEM or DER; as many as --cert",
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

// When the first of the certificates in use ends: a renewal changes it.
void add_certificate_number(auto& context, tls::SharedContext& shared) {
  static constexpr http::metrics::Family family{
      "crunch_tls_certificate_not_after_seconds",
      "When the first of the certificates in use ends, in seconds since 1970; 0: there is none.",
      http::metrics::Kind::gauge};
  if (context.platform.thread_index != 0) return;
  registry_of(context).add(family, "", [&shared]() -> std::uint64_t {
    const TlsContext now = shared.get();
    if (now == nullptr || now->identities().empty()) return 0;
    std::int64_t first_s = std::numeric_limits<std::int64_t>::max();
    for (const tls::Identity& each : now->identities()) {
      first_s = std::min(first_s, each.not_after_s());
    }
    return static_cast<std::uint64_t>(std::max<std::int64_t>(first_s, 0));
  });
}

// Where certificates and keys come from, and what they are checked with. All outlives Credentials.
struct CredentialSource {
  base::Entropy& entropy;
  base::Clock& clock;
  base::Log& log;
  bool is_first_thread;
  // The i-th certificate's key is the i-th key.
  std::vector<std::string> cert_paths;
  std::vector<std::string> key_paths;
  // In place of the image's own; the key is wiped when it was read.
  std::string_view host_certificates = {};
  std::span<char> host_key = {};
  // Reads tls/cert or tls/key of a vault, which `vault_place` names. Empty: there is no vault.
  std::function<kv::Result<kv::SecretValue>(kv::Key)> from_vault = {};
  std::string_view vault_place = {};
};

// A line for each certificate: `what` happened to it, its names, its key and when it ends.
void log_certificates(base::Log& log, std::string_view what, const tls::Context& context);

// One thread's view of them.
class Credentials {
 public:
  // `start`, a Context, and `shared` outlive this. On the first thread it reads the certificates;
  // `files` only then.
  Credentials(auto& start, const EmbeddedFile* files, tls::SharedContext& shared)
      : Credentials(source_of(start), files, shared) {
    renew_by_reload(start);
  }
  // The same with a vault, which outlives this too.
  template <class Vault>
  Credentials(auto& start, Vault& vault, const EmbeddedFile* files, tls::SharedContext& shared)
      : Credentials(source_of(start, vault), files, shared) {
    // Another thread has no vault, and takes what the first one read.
    const bool may_have = vault.is_there() || start.platform.thread_index != 0;
    reads_vault_again_ = vault.is_changed_outside() && may_have;
    renew_by_reload(start);
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  // What all threads serve with. Null in it: there is no certificate, or none yet.
  [[nodiscard]] tls::SharedContext& shared() const noexcept { return shared_; }

 private:
  Credentials(const CredentialSource& source, const EmbeddedFile* files,
              tls::SharedContext& shared);
  void renew_by_reload(auto& start) {
    if constexpr (requires { start.platform.on_reload; }) {
      // An image's own do not change.
      if (source_.cert_paths.empty() && !reads_vault_again_) return;
      std::vector<std::string> paths = source_.cert_paths;
      paths.insert(paths.end(), source_.key_paths.begin(), source_.key_paths.end());
      if constexpr (requires { start.platform.read_again; }) {
        auto& read_again_paths = start.platform.read_again;
        read_again_paths.insert(read_again_paths.end(), paths.begin(), paths.end());
      }
      if constexpr (requires { start.platform.watched; }) {
        if (source_.is_first_thread && !paths.empty()) {
          auto& watched = start.platform.watched;
          watched.insert(watched.end(), paths.begin(), paths.end());
          start.platform.on_files_changed = [this] { read_again(Asked::by_change); };
        }
      }
      auto& on_reload = start.platform.on_reload;
      on_reload = [this, others = std::move(on_reload)] {
        if (others) others();
        read_again(Asked::by_operator);
      };
    }
  }
  static CredentialSource source_of(auto& start, auto& vault) {
    CredentialSource source = source_of(start);
    if (vault.is_there()) {
      source.from_vault = [&vault](kv::Key key) { return vault.read(key); };
      source.vault_place = vault.place();
    }
    return source;
  }
  static CredentialSource source_of(auto& start) {
    auto& platform = start.platform;
    CredentialSource source{.entropy = platform.entropy,
                            .clock = platform.clock,
                            .log = platform.log,
                            .is_first_thread = platform.thread_index == 0,
                            .cert_paths = start.boot.all_texts(cert_file),
                            .key_paths = start.boot.all_texts(key_file)};
    if constexpr (requires { platform.host_credentials; }) {
      source.host_certificates = platform.host_credentials.certificates;
      source.host_key = platform.host_credentials.key;
    }
    return source;
  }
  // Two files are seldom written at once: what does not fit yet is said once, until it changes.
  enum class Asked : std::uint8_t { by_operator, by_change };
  void read_again(Asked asked);

  CredentialSource source_;
  std::string last_refusal_;
  bool reads_vault_again_ = false;
  tls::SharedContext& shared_;
};

template <const EmbeddedFile* files>
struct ConnectCredentials {
  static constexpr std::tuple keys{&cert_file, &key_file};
  static constexpr auto system_calls = watching_files;

  Credentials operator()(auto& context) const {
    static tls::SharedContext shared;
    add_certificate_number(context, shared);
    return {context, files, shared};
  }
  Credentials operator()(auto& context, auto& vault) const {
    static tls::SharedContext shared;
    add_certificate_number(context, shared);
    return {context, vault, files, shared};
  }
};

// TLS with credentials that may be renewed.
template <net::ServerStack Lower>
class TlsStack : public tls::Over<Lower> {
 public:
  // `credentials` outlives the loop's last turn.
  TlsStack(Lower& lower, base::Loop& loop, Credentials& credentials, tls::OverOptions options = {})
      : tls::Over<Lower>(lower, loop, nullptr, with(std::move(options), credentials.shared())),
        shared_(credentials.shared()) {}

  // There is a certificate, or may be one later.
  [[nodiscard]] bool may_serve() const noexcept { return this->is_on() || this->is_expected(); }
  [[nodiscard]] const tls::SharedContext& shared() const noexcept { return shared_; }

 private:
  static tls::OverOptions with(tls::OverOptions options, const tls::SharedContext& shared) {
    options.shared_context = &shared;
    return options;
  }
  const tls::SharedContext& shared_;
};

// From a store that does not wait: its values cert.pem and key.pem, read once, at the start. The
// boot keys go before them.
struct ConnectStoredCredentials {
  static constexpr std::tuple keys{&cert_file, &key_file};
  static constexpr auto system_calls = watching_files;

  template <class Store>
  Credentials operator()(auto& context, Store& store) const {
    static tls::SharedContext shared;
    add_certificate_number(context, shared);
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

// Of one stack, with their samples.
template <class Context>
tls::HandshakeCounts& handshake_counts_of(Context& context) {
  static constexpr http::metrics::Family handshakes{"crunch_tls_handshakes_total",
                                                    "TLS handshakes by how they ended."};
  http::metrics::Registry& registry = registry_of(context);
  auto& counts = registry.make<tls::HandshakeCounts>();
  registry.add(handshakes, "result=\"done\"", counts.done);
  registry.add(handshakes, "result=\"refused\"", counts.refused);
  registry.add(handshakes, "result=\"gone\"", counts.gone);
  registry.add(handshakes, "result=\"timed_out\"", counts.timed_out);
  registry.add(handshakes, "result=\"evicted\"", counts.evicted);
  return counts;
}

struct ConnectTls {
  static constexpr std::tuple keys{&trusted_proxy};

  template <class Lower>
  TlsStack<Lower> operator()(auto& context, Lower& lower, Credentials& credentials) const {
    const MemoryShares& shares = shares_of(context);
    constexpr std::uint64_t large_buffer_bytes = std::uint64_t{66} * 1024;
    tls::OverOptions options;
    options.counts = &handshake_counts_of(context);
    options.openings_max = openings_of(shares);
    options.handshakes_max = std::max<std::size_t>(shares.handshakes_per_thread, 1);
    options.ready_max = options.handshakes_max;
    options.large_buffers_max = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(shares.rest_bytes / 4 / large_buffer_bytes, 1, 64));
    options.long_hellos_bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>(shares.rest_bytes / 8, std::uint64_t{512} * 1024));
    context.platform.entropy.fill(std::as_writable_bytes(std::span(&options.seed, 1)));
    http::TrustedProxies proxies(networks_of(context.boot.value(trusted_proxy)));
    if (!proxies.is_empty()) {
      options.is_shared = [proxies = std::move(proxies)](const net::Endpoint& peer) {
        return proxies.contains(peer);
      };
    }
    return {lower, context.platform.loop, credentials, std::move(options)};
  }
};

struct ConnectHttpsJob {
  static constexpr auto keys = std::tuple_cat(std::tuple{&https_port, &hsts}, http_keys);

  template <class Store, class Stack>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack) const {
    auto& platform = context.platform;
    if (!stack.may_serve()) return {store, stack, platform.loop, platform.console};
    http::Options options = http_options(context);
    options.is_secure = true;
    options.hsts_s = context.boot.value(hsts);
    options.may_pin = &stack.shared().is_public();
    if (context.boot.value(http2)) {
      stack.offer_http2([&budget = http2_budget_of(context)](std::size_t under_way) {
        return budget.has_room(under_way);
      });
    }
    return {store,
            stack,
            platform,
            options,
            log_style(context),
            shares_of_servers(context),
            context.boot.value(https_port),
            "https"};
  }
};

template <const Key<Port>& port>
struct ConnectHttpBeside {
  static constexpr auto keys =
      std::tuple_cat(std::tuple{&port, &https_port, &redirect}, http_keys, std::tuple{&hsts});

  template <class Store, class Stack, class Secure>
  HttpJob<Store, Stack> operator()(auto& context, Store& store, Stack& stack,
                                   Secure& secure) const {
    http::Options options = http_options(context);
    // On port 0 the port is not known here; then the site itself is served.
    const bool redirects = secure.may_serve() && context.boot.value(redirect);
    options.has_https = &secure.shared().is_set();
    options.proxied_hsts_s = context.boot.value(hsts);
    options.https_port = redirects ? context.boot.value(https_port).number : std::uint16_t{0};
    return {store,
            stack,
            context.platform,
            options,
            log_style(context),
            shares_of_servers(context),
            context.boot.value(port)};
  }
};

}  // namespace config
