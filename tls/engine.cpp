// SPDX-License-Identifier: ISC
#include "tls/engine.hpp"

#include <mbedtls/ecp.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include <atomic>
#include <optional>

#include "base/check.hpp"
#include "tls/client_hello.hpp"
#include "tls/condensed_hello.hpp"
#include "tls/early_data.hpp"
#include "tls/handshake_state.hpp"
#include "tls/hello_faults.hpp"
#include "tls/identity_state.hpp"

namespace tls {
namespace {

// PSA's random bytes are a global of mbedTLS's, so their source is one here.
std::atomic<base::Entropy*> library_entropy{nullptr};

}  // namespace

void prepare_library(base::Entropy& entropy) {
  base::Entropy* none = nullptr;
  library_entropy.compare_exchange_strong(none, &entropy);
  const psa_status_t status = psa_crypto_init();
  CHECK(status == PSA_SUCCESS);
}

struct ServerHandshake::State {
  std::shared_ptr<const Context> context;
  HandshakeState wire;  // goes before the context, which it refers to
};

ServerHandshake::ServerHandshake(std::shared_ptr<const Context> context, base::Bytes first_record,
                                 Offer offer, Context::Shown& shown) {
  const auto preference = preference_for(first_record, crypto::AesGcm::is_supported());
  const mbedtls_ssl_config& config = context->config(offer, static_cast<std::size_t>(preference));
  shown = context->shown_to({});
  state_.reset(new State{std::move(context), {End::server, config}});
  mbedtls_ssl_set_user_data_p(&state_->wire.ssl(), &shown);  // choose_by_name
}

ServerHandshake::~ServerHandshake() = default;

namespace {

bool is_hello(base::Bytes record) {
  return record.size() > record_header_bytes && record[0] == std::byte{MBEDTLS_SSL_MSG_HANDSHAKE} &&
         record[record_header_bytes] == std::byte{MBEDTLS_SSL_HS_CLIENT_HELLO};
}

// RFC 8446 section 5.2: content, its type and padding are at most 2^14 + 1 bytes.
bool is_too_long(base::Bytes record) {
  return record[0] == std::byte{MBEDTLS_SSL_MSG_APPLICATION_DATA} &&
         record.size() > record_header_bytes + record_content_max + 1 + sizeof(crypto::Tag);
}

// mbedTLS's error for an alert: the other way of alert_for().
int failure_for(Alert alert) {
  switch (alert) {
    case Alert::decode_error:
      return MBEDTLS_ERR_SSL_DECODE_ERROR;
    case Alert::illegal_parameter:
      return MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER;
    case Alert::protocol_version:
      return MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION;
    default:
      return MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE;
  }
}

// RFC 8446 section 4.2.8.2. mbedTLS looks only when its ServerHello is out.
bool is_point_of_p256(base::Bytes share) {
  constexpr std::byte uncompressed{4};
  if (share.size() != 65 || share[0] != uncompressed) return false;
  mbedtls_ecp_group group;
  mbedtls_ecp_point point;
  mbedtls_ecp_group_init(&group);
  mbedtls_ecp_point_init(&point);
  int failed = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
  if (failed == 0) {
    failed = mbedtls_ecp_point_read_binary(
        &group, &point, reinterpret_cast<const unsigned char*>(share.data()), share.size());
  }
  if (failed == 0) failed = mbedtls_ecp_check_pubkey(&group, &point);
  mbedtls_ecp_point_free(&point);
  mbedtls_ecp_group_free(&group);
  return failed == 0 || failed == MBEDTLS_ERR_MPI_ALLOC_FAILED;
}

// Of TLS 1.2's ClientKeyExchange: RFC 8422 section 5.11. mbedTLS calls it malformed.
bool has_bad_point(base::Bytes record) {
  HelloReader reader(record.subspan(record_header_bytes));
  const bool is_key_exchange = reader.number(1) == MBEDTLS_SSL_HS_CLIENT_KEY_EXCHANGE;
  HelloReader body(reader.list(3));
  const base::Bytes point = body.list(1);
  if (!is_key_exchange || !reader.ended_well() || !body.ended_well()) return false;
  constexpr std::size_t x25519_bytes = 32;
  return point.size() == x25519_bytes ? is_of_low_order(point) : !is_point_of_p256(point);
}

// Nothing: mbedTLS may read it.
std::optional<Alert> fault_in(const Hello& hello, const Context& context) {
  if (const auto fault = fault_of(hello)) return fault;
  const auto share = hello.share_of(group::p256);
  if (share && !is_point_of_p256(*share)) return Alert::illegal_parameter;
  const Context::Shown shown = context.shown_to(hello.host());
  if (lacks_signature(hello, [&](std::size_t scheme) { return context.signs(shown, scheme); })) {
    return Alert::handshake_failure;
  }
  return {};
}

// Of the TLS 1.2 session that is resumed; 0: none. RFC 5246 section 7.4.1.3: it is one of those
// that the client offers; RFC 7627 section 5.3: with the extended master secret, as ours were.
int resumed_suite_of(const Hello& hello, const Context& context) {
  const auto ticket = hello.find(extension::session_ticket);
  if (hello.wants_1_3() || !ticket || ticket->empty() ||
      !hello.find(extension::extended_master_secret)) {
    return 0;
  }
  const int suite = context.ticket_suite(*ticket);
  for (HelloReader reader(hello.suites); !reader.at_end();) {
    if (static_cast<int>(reader.number(2)) == suite) return suite;
  }
  return 0;
}

// TLS 1.2: it has supported_groups, and none that we exchange keys in (RFC 8422 section 4).
bool lacks_group(const Hello& hello) {
  const auto content = hello.find(extension::supported_groups);
  if (hello.wants_1_3() || !content) return false;
  HelloReader list(*content);
  for (HelloReader reader(list.list(2)); !reader.at_end();) {
    const std::size_t offered = reader.number(2);
    if (offered == group::x25519 || offered == group::p256) return false;
  }
  return true;
}

}  // namespace

Handshake::Progress ServerHandshake::advance(base::Bytes in, std::size_t& taken,
                                             std::vector<std::byte>& out) {
  HandshakeState& wire = state_->wire;
  taken = 0;
  if (wire.failure() != 0) return Progress::failed;  // out of memory in mbedtls_ssl_setup
  const std::size_t said = out.size();
  if (wire.awaits_hello() && is_hello(in)) return advance_with_hello(in, taken, out);
  switch (wire.early().judge(in)) {
    case EarlyData::Verdict::keep:
      break;
    case EarlyData::Verdict::skip:
      taken = in.size();
      return Progress::more;
    case EarlyData::Verdict::too_much:
      return wire.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, out, said);
  }
  if (is_too_long(in)) return wire.fail(MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, out, said);
  if (wire.has_application_keys() && in[0] == std::byte{MBEDTLS_SSL_MSG_ALERT}) {
    // The client could not read what we said, or does not know that it could answer in secret.
    return wire.fail(MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, out, said);
  }
  if (wire.awaits_key_exchange() && has_bad_point(in)) {
    return wire.fail(MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, out, said);
  }
  // RFC 8446 section 5: all is protected now; mbedTLS would call it a wrong tag.
  if (wire.has_application_keys() && in[0] == std::byte{MBEDTLS_SSL_MSG_HANDSHAKE}) {
    return wire.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, out, said);
  }
  return wire.advance(in, taken, out);
}

Handshake::Progress ServerHandshake::advance_with_hello(base::Bytes record, std::size_t& taken,
                                                        std::vector<std::byte>& out) {
  HandshakeState& wire = state_->wire;
  const std::size_t said = out.size();
  const base::Bytes message = record.subspan(record_header_bytes);
  const auto hello = read_hello(message);
  if (!hello) return wire.fail(failure_for(hello.error()), out, said);
  if (const auto fault = fault_in(*hello, *state_->context)) {
    return wire.fail(failure_for(*fault), out, said);
  }
  const int resumed_suite = resumed_suite_of(*hello, *state_->context);
  if (resumed_suite == 0 && lacks_group(*hello)) {
    return wire.fail(failure_for(Alert::handshake_failure), out, said);
  }
  const CondensedHello condensed = condense(*hello, resumed_suite);
  if (condensed.record.size() > record_header_bytes + record_content_max) {
    return wire.fail(MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, out, said);
  }
  // RFC 8446 section 4.2.10: after TLS 1.2 was chosen, early data is an error.
  if (hello->wants_1_3() && hello->find(extension::early_data)) wire.early().announce();
  static_cast<void>(wire.early().judge(record));
  if (condensed.means_pss) wire.sign_with_pss();
  wire.stand_for(message, condensed.record.size() - record_header_bytes, condensed.same_end_bytes);
  const Progress progress = wire.advance(condensed.record, taken, out);
  if (progress == Progress::more && taken == condensed.record.size()) taken = record.size();
  return progress;
}

const TrafficKeys& ServerHandshake::keys() const noexcept { return state_->wire.keys(); }
std::string_view ServerHandshake::protocol() const noexcept { return state_->wire.protocol(); }
bool ServerHandshake::was_given_up() const noexcept { return state_->wire.was_given_up(); }
bool ServerHandshake::awaits_hello() const noexcept { return state_->wire.awaits_hello(); }

}  // namespace tls

// Named by psa/crypto_extra.h (MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG).
extern "C" psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t*,
                                                        uint8_t* out, size_t size,
                                                        size_t* written) {
  base::Entropy* entropy = tls::library_entropy.load();
  if (entropy == nullptr) return PSA_ERROR_INSUFFICIENT_ENTROPY;
  entropy->fill({reinterpret_cast<std::byte*>(out), size});
  *written = size;
  return PSA_SUCCESS;
}
