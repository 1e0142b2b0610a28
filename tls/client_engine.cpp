// SPDX-License-Identifier: ISC
#include "tls/client_engine.hpp"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <optional>

#include "base/check.hpp"
#include "net/endpoint.hpp"
#include "tls/certificate_facts.hpp"
#include "tls/client_hello.hpp"
#include "tls/handshake_state.hpp"
#include "tls/identity_state.hpp"

extern "C" {
// The client's code is linked because they are named here (tls/weak_client.h).
int mbedtls_ssl_write_client_hello(mbedtls_ssl_context*);
int mbedtls_ssl_handshake_client_step(mbedtls_ssl_context*);
int mbedtls_ssl_tls13_handshake_client_step(mbedtls_ssl_context*);
}

namespace tls {
namespace {

using Step = int (*)(mbedtls_ssl_context*);
[[gnu::used]] constexpr std::array<Step, 3> client_steps{mbedtls_ssl_write_client_hello,
                                                         mbedtls_ssl_handshake_client_step,
                                                         mbedtls_ssl_tls13_handshake_client_step};

using namespace suite;

constexpr std::array<int, 10> suites{
    aes_128_1_3,    aes_256_1_3,  chacha20_1_3,  aes_128_ecdsa, aes_128_rsa,
    chacha20_ecdsa, chacha20_rsa, aes_256_ecdsa, aes_256_rsa,   0};

constexpr std::array<std::uint16_t, 4> groups{
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

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

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t shown_max = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), shown_max); ++i) {
    out += (i == 0 ? "" : ", ") + printable(names[i]);
  }
  if (names.size() > shown_max) {
    out += " and " + std::to_string(names.size() - shown_max) + " more";
  }
  return out.empty() ? "no name" : out;
}

std::string hexadecimal(int error) {
  std::array<char, 16> text;
  std::snprintf(text.data(), text.size(), "-0x%04x", static_cast<unsigned>(-error));
  return text.data();
}

}  // namespace

bool is_host(std::string_view host) noexcept {
  if (net::address_of(host)) return true;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > 253 || host.front() == '.' ||
      host.find("..") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// RFC 8446 section 6, RFC 5246 section 7.2, RFC 7301.
std::string alert_text(unsigned code) {
  struct Row {
    unsigned code;
    const char* name;
  };
  static constexpr Row rows[] = {{0, "close_notify"},
                                 {10, "unexpected_message"},
                                 {20, "bad_record_mac"},
                                 {22, "record_overflow"},
                                 {40, "handshake_failure"},
                                 {42, "bad_certificate"},
                                 {43, "unsupported_certificate"},
                                 {44, "certificate_revoked"},
                                 {45, "certificate_expired"},
                                 {46, "certificate_unknown"},
                                 {47, "illegal_parameter"},
                                 {48, "unknown_ca"},
                                 {49, "access_denied"},
                                 {50, "decode_error"},
                                 {51, "decrypt_error"},
                                 {70, "protocol_version"},
                                 {71, "insufficient_security"},
                                 {80, "internal_error"},
                                 {86, "inappropriate_fallback"},
                                 {90, "user_canceled"},
                                 {109, "missing_extension"},
                                 {110, "unsupported_extension"},
                                 {112, "unrecognized_name"},
                                 {116, "certificate_required"},
                                 {120, "no_application_protocol"}};
  for (const Row& row : rows) {
    if (row.code == code) return row.name;
  }
  return std::to_string(code);
}

// ---- What the connections share

void ClientContext::Free::operator()(mbedtls_ssl_config* config) const noexcept {
  mbedtls_ssl_config_free(config);
  delete config;
}

ClientContext::ClientContext(std::shared_ptr<const Anchors> anchors, base::Entropy& entropy,
                             std::vector<std::string> protocols)
    : anchors_(std::move(anchors)),
      protocols_(std::move(protocols)),
      config_(new mbedtls_ssl_config) {
  CHECK(anchors_ != nullptr);
  mbedtls_ssl_config& config = *config_;
  mbedtls_ssl_config_init(&config);
  prepare_library(entropy);
  int failed = mbedtls_ssl_config_defaults(
      &config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&config, &anchors_->list(), nullptr);
  mbedtls_ssl_conf_rng(&config, fill_random, &entropy);
  mbedtls_ssl_conf_ciphersuites(&config, suites.data());
  mbedtls_ssl_conf_groups(&config, groups.data());
  mbedtls_ssl_conf_sig_algs(&config, signature_algorithms.data());
  mbedtls_ssl_conf_tls13_key_exchange_modes(&config,
                                            MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
  if (!protocols_.empty()) {
    for (const std::string& protocol : protocols_) protocol_list_.push_back(protocol.c_str());
    protocol_list_.push_back(nullptr);
    failed |= mbedtls_ssl_conf_alpn_protocols(&config, protocol_list_.data());
  }
  CHECK(failed == 0);
}

ClientContext::~ClientContext() = default;

// ---- One handshake

struct ClientHandshake::State {
  State(std::shared_ptr<const ClientContext> context_, std::string_view host_, std::int64_t now_s_,
        Problem& problem_)
      : context(std::move(context_)),
        wire(End::client, context->config()),
        host(host_),
        address(net::address_of(host_)),
        now_s(now_s_),
        problem(problem_) {}

  // Called for each certificate of a chain, its end first: mbedTLS knows no dates here, and takes
  // the common name for a host's, which we do not.
  static int look_at(void* its_state, mbedtls_x509_crt* certificate, int depth,
                     std::uint32_t* flags) noexcept try {
    static_cast<State*>(its_state)->look_at(*certificate, depth, *flags);
    return 0;
  } catch (const std::bad_alloc&) {
    return MBEDTLS_ERR_X509_ALLOC_FAILED;
  }
  void look_at(const mbedtls_x509_crt& certificate, int depth, std::uint32_t& flags);
  void judge_others(const mbedtls_x509_crt& certificate, const std::string& which,
                    std::uint32_t flags);

  void note(Refusal why, const std::string& what) {
    if (problem.why == Refusal::none) {
      problem = {why, host + ": " + what};
    } else {
      problem.text += "; " + what;
    }
  }
  void explain();
  void explain_alert();

  std::shared_ptr<const ClientContext> context;
  HandshakeState wire;  // goes before the context, which it refers to
  std::string host;
  std::optional<net::Endpoint> address;
  std::int64_t now_s;
  Problem& problem;
};

void ClientHandshake::State::look_at(const mbedtls_x509_crt& certificate, int depth,
                                     std::uint32_t& flags) {
  const std::string which =
      depth == 0 ? "its certificate" : "the certificate of " + subject_text(certificate);
  const std::int64_t from_s = seconds_of(certificate.valid_from);
  const std::int64_t until_s = seconds_of(certificate.valid_to);
  if (now_s > until_s) {
    flags |= MBEDTLS_X509_BADCERT_EXPIRED;
    note(Refusal::expired, which + " expired on " + date_text(until_s));
  }
  if (now_s < from_s) {
    flags |= MBEDTLS_X509_BADCERT_FUTURE;
    note(Refusal::not_yet_valid, which + " is not valid before " + date_text(from_s));
  }
  if (depth == 0) {
    flags &= ~std::uint32_t{MBEDTLS_X509_BADCERT_CN_MISMATCH};
    const std::vector<std::string> names = names_of(certificate);
    if (address ? !has_address(certificate, *address) : !is_named(names, host)) {
      flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
      note(Refusal::wrong_name, "its certificate is for " + listed(names));
    }
  }
  judge_others(certificate, which, flags);
}

void ClientHandshake::State::judge_others(const mbedtls_x509_crt& certificate,
                                          const std::string& which, std::uint32_t flags) {
  if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
    const std::string issuer = issuer_text(certificate);
    note(Refusal::unknown_issuer,
         issuer == subject_text(certificate)
             ? which + " is signed by itself and is none of the roots that are trusted here"
             : which + " is signed by " + issuer + ", which none of the roots that are trusted " +
                   "here is or has signed");
  }
  constexpr std::uint32_t told = MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_EXPIRED |
                                 MBEDTLS_X509_BADCERT_FUTURE | MBEDTLS_X509_BADCERT_CN_MISMATCH;
  if ((flags & ~told) != 0) {
    const bool is_weak = (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
                                   MBEDTLS_X509_BADCERT_BAD_KEY)) != 0;
    note(Refusal::bad_certificate,
         which + (is_weak ? " has a key or a signature that is too weak"
                          : " may not be used for this (mbedTLS's flags are " +
                                std::to_string(flags & ~told) + ")"));
  }
}

void ClientHandshake::State::explain_alert() {
  const unsigned code = wire.ssl().MBEDTLS_PRIVATE(in_msg)[1];
  if (code == MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL) {
    return note(Refusal::no_protocol, "the server speaks none of " + listed(context->protocols()));
  }
  if (code == MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION) {
    return note(Refusal::old_version, "the server speaks neither TLS 1.3 nor 1.2");
  }
  note(Refusal::alert, "the server refuses the handshake by the alert " + alert_text(code));
}

// The first failure of the handshake.
void ClientHandshake::State::explain() {
  if (wire.failure() != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) problem = {};
  switch (wire.failure()) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      return explain_alert();
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
      return note(Refusal::old_version, "the server speaks neither TLS 1.3 nor 1.2");
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
      return note(Refusal::no_memory, "there is too little memory for the handshake");
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
      // Nothing was noted: what it may be used for is judged after the chain.
      if (problem.why == Refusal::none) {
        note(Refusal::bad_certificate, "its certificate may not be used for a server");
      }
      return;
    default:
      break;
  }
  const int error = -wire.failure();
  // mbedTLS's modules of X.509, PK and ASN.1 have such numbers (mbedtls/error.h).
  const bool is_of_certificate =
      (error >= 0x2000 && error < 0x3000) || wire.failure() == MBEDTLS_ERR_SSL_BAD_CERTIFICATE;
  if (is_of_certificate) {
    return note(
        Refusal::bad_certificate,
        "its certificates are broken, or of a kind that is not supported (mbedTLS's error " +
            hexadecimal(wire.failure()) + ")");
  }
  note(Refusal::broken, "the server breaks TLS's rules in the handshake (mbedTLS's error " +
                            hexadecimal(wire.failure()) + ")");
}

ClientHandshake::ClientHandshake(std::shared_ptr<const ClientContext> context,
                                 std::string_view host, std::int64_t now_s, Problem& problem)
    : state_(std::make_unique<State>(std::move(context), host, now_s, problem)) {
  State& state = *state_;
  if (state.wire.failure() != 0) return;
  std::string_view said = state.host;
  if (said.ends_with('.')) said.remove_suffix(1);
  // RFC 6066 section 3: no address is said.
  const std::string name = state.address ? std::string() : std::string(said);
  const int failed =
      mbedtls_ssl_set_hostname(&state.wire.ssl(), state.address ? nullptr : name.c_str());
  if (failed != 0) state.wire.give_up(failed);
  mbedtls_ssl_set_verify(&state.wire.ssl(), State::look_at, &state);
}

ClientHandshake::~ClientHandshake() = default;

Handshake::Progress ClientHandshake::advance(base::Bytes in, std::size_t& taken,
                                             std::vector<std::byte>& out) {
  State& state = *state_;
  taken = 0;
  const Progress progress = state.wire.failure() != 0 ? Progress::failed  // out of memory
                                                      : state.wire.advance(in, taken, out);
  if (progress == Progress::failed) state.explain();
  return progress;
}

const TrafficKeys& ClientHandshake::keys() const noexcept { return state_->wire.keys(); }
std::string_view ClientHandshake::protocol() const noexcept { return state_->wire.protocol(); }
bool ClientHandshake::was_given_up() const noexcept { return state_->wire.was_given_up(); }

}  // namespace tls
