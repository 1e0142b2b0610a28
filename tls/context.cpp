// SPDX-License-Identifier: ISC
// tls/context.cpp: what all connections share, as mbedTLS has it (tls/engine.hpp).

#include "tls/engine.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "tls/client_hello.hpp"
#include "tls/identity_state.hpp"
#include "tls/tickets.hpp"

namespace tls {
namespace {

using namespace suite;

// By Preference. In TLS 1.2 mbedTLS takes the first of its list that the client has; in 1.3 the
// client's first that is in its list, so a preference is a list with one suite of 1.3.
constexpr std::array<std::array<int, 10>, 4> suite_lists{{
    {aes_128_1_3, chacha20_1_3, aes_256_1_3, aes_128_ecdsa, aes_128_rsa, chacha20_ecdsa,
     chacha20_rsa, aes_256_ecdsa, aes_256_rsa, 0},
    {aes_128_1_3, aes_128_ecdsa, aes_128_rsa, aes_256_ecdsa, aes_256_rsa, chacha20_ecdsa,
     chacha20_rsa, 0},
    {aes_256_1_3, aes_128_ecdsa, aes_128_rsa, aes_256_ecdsa, aes_256_rsa, chacha20_ecdsa,
     chacha20_rsa, 0},
    {chacha20_1_3, chacha20_ecdsa, chacha20_rsa, aes_128_ecdsa, aes_128_rsa, aes_256_ecdsa,
     aes_256_rsa, 0},
}};

constexpr std::array<std::uint16_t, 3> groups{MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                              MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                              MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

constexpr std::array<std::uint16_t, 9> signature_algorithms{
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE};

// RFC 7301: a client that offers only other protocols is told so by an alert.
const char* alpn_http_1_1[] = {"http/1.1", nullptr};
const char* alpn_http_2[] = {"h2", "http/1.1", nullptr};
const char* alpn_challenge[] = {"acme-tls/1", nullptr};
constexpr std::size_t offer_count = 2;

constexpr std::size_t shown_bits = 64;

}  // namespace

struct Context::State {
  State() {
    mbedtls_ssl_ticket_init(&tickets);
    for (auto& each : configs) {
      for (auto& config : each) mbedtls_ssl_config_init(&config);
    }
  }
  ~State() {
    for (auto& each : configs) {
      for (auto& config : each) mbedtls_ssl_config_free(&config);
    }
    mbedtls_ssl_ticket_free(&tickets);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // By Offer, then by Preference.
  std::array<std::array<mbedtls_ssl_config, suite_lists.size()>, offer_count> configs;
  mbedtls_ssl_ticket_context tickets;
  std::array<TicketUse, suite_lists.size()> ticket_uses;  // by Preference
};

namespace {

// Every identity that covers the name: mbedTLS picks the one whose key suits the client. None:
// the default stays, so that a client which knows better may go on.
int choose_by_name(void* its_context, mbedtls_ssl_context* ssl, const unsigned char* name,
                   std::size_t size) noexcept {
  const std::string_view host(reinterpret_cast<const char*>(name), size);
  const auto& context = *static_cast<const Context*>(its_context);
  for (const Identity& identity : context.identities()) {
    if (!identity.covers(host)) continue;
    Identity::State& state = identity.state();
    if (mbedtls_ssl_set_hs_own_cert(ssl, state.chain, state.key) != 0) return -1;
  }
  *static_cast<Context::Shown*>(mbedtls_ssl_get_user_data_p(ssl)) = context.shown_to(host);
  return 0;
}

Context::Shown bit_of(std::size_t index) {
  return Context::Shown{1} << std::min(index, shown_bits - 1);
}

}  // namespace

Context::Shown Context::shown_to(std::string_view host) const noexcept {
  Shown named = 0, fallback = 0;
  for (std::size_t i = 0; i < identities_.size(); ++i) {
    if (identities_[i].covers(host)) named |= bit_of(i);
    if (identities_[i].names() == identities_.front().names()) fallback |= bit_of(i);
  }
  return named != 0 ? named : fallback;
}

bool Context::covers(Shown shown, std::string_view host) const noexcept {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  for (std::size_t i = 0; i < identities_.size(); ++i) {
    if ((shown & bit_of(i)) != 0 && !identities_[i].covers(host)) return false;
  }
  return true;
}

namespace {

bool key_signs(const mbedtls_pk_context& key, std::size_t scheme) {
  switch (scheme) {
    case MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256:
      return mbedtls_pk_get_type(&key) == MBEDTLS_PK_ECKEY && mbedtls_pk_get_bitlen(&key) == 256;
    case MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384:
      return mbedtls_pk_get_type(&key) == MBEDTLS_PK_ECKEY && mbedtls_pk_get_bitlen(&key) == 384;
    case MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256:
    case MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384:
    case MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512:
      return mbedtls_pk_get_type(&key) == MBEDTLS_PK_RSA;
    default:
      return false;
  }
}

}  // namespace

bool Context::signs(Shown shown, std::size_t scheme) const noexcept {
  for (std::size_t i = 0; i < identities_.size(); ++i) {
    if ((shown & bit_of(i)) != 0 && key_signs(*identities_[i].state().key, scheme)) return true;
  }
  return false;
}

Context::Context(std::vector<Identity> identities, base::Entropy& entropy, Purpose purpose)
    : identities_(std::move(identities)) {
  CHECK(!identities_.empty());
  prepare_library(entropy);
  state_ = std::make_unique<State>();
  int failed = mbedtls_ssl_ticket_setup(&state_->tickets, fill_random, &entropy,
                                        MBEDTLS_CIPHER_AES_256_GCM, ticket_lifetime_s);
  for (std::size_t i = 0; i < suite_lists.size(); ++i) {
    const auto http_1_1 = static_cast<std::size_t>(Offer::http_1_1);
    const auto http_2 = static_cast<std::size_t>(Offer::http_2);
    TicketUse& use = state_->ticket_uses[i];
    use = {&state_->tickets, suite_lists[i].data()};
    failed |= configure(state_->configs[http_1_1][i], use, entropy);
    failed |= configure(state_->configs[http_2][i], use, entropy);
    const bool serves = purpose == Purpose::serving;
    failed |= mbedtls_ssl_conf_alpn_protocols(&state_->configs[http_1_1][i],
                                              serves ? alpn_http_1_1 : alpn_challenge);
    failed |= mbedtls_ssl_conf_alpn_protocols(&state_->configs[http_2][i],
                                              serves ? alpn_http_2 : alpn_challenge);
  }
  CHECK(failed == 0);
}

// Everything but the application protocols. Not 0: it failed.
int Context::configure(mbedtls_ssl_config& config, TicketUse& use, base::Entropy& entropy) {
  int failed = mbedtls_ssl_config_defaults(
      &config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_rng(&config, fill_random, &entropy);
  mbedtls_ssl_conf_ciphersuites(&config, use.suites);
  mbedtls_ssl_conf_groups(&config, groups.data());
  mbedtls_ssl_conf_sig_algs(&config, signature_algorithms.data());
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config,
                                            MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
  mbedtls_ssl_conf_session_tickets_cb(&config, write_ticket, parse_ticket, &use);
  mbedtls_ssl_conf_sni(&config, choose_by_name, this);
  // The default: the first, and those that say the same with a key of another kind.
  for (const Identity& identity : identities_) {
    if (&identity != &identities_.front() && identity.names() != identities_.front().names()) {
      continue;
    }
    failed |= mbedtls_ssl_conf_own_cert(&config, identity.state().chain, identity.state().key);
  }
  return failed;
}

Context::~Context() = default;

int Context::ticket_suite(base::Bytes ticket) const {
  return suite_of_1_2(state_->tickets, ticket);
}

const mbedtls_ssl_config& Context::config(Offer offer, std::size_t preference) const noexcept {
  return state_->configs[static_cast<std::size_t>(offer)][preference];
}

}  // namespace tls
