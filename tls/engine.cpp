// SPDX-License-Identifier: ISC
#include "tls/engine.hpp"

#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include <atomic>

#include "base/check.hpp"
#include "tls/client_hello.hpp"
#include "tls/early_data.hpp"
#include "tls/handshake_state.hpp"
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
  if (announces_early_data(first_record)) state_->wire.early().announce();
  mbedtls_ssl_set_user_data_p(&state_->wire.ssl(), &shown);  // choose_by_name
}

ServerHandshake::~ServerHandshake() = default;

Handshake::Progress ServerHandshake::advance(base::Bytes in, std::size_t& taken,
                                             std::vector<std::byte>& out) {
  HandshakeState& wire = state_->wire;
  taken = 0;
  if (wire.failure() != 0) return Progress::failed;  // out of memory in mbedtls_ssl_setup
  const std::size_t said = out.size();
  switch (wire.early().judge(in)) {
    case EarlyData::Verdict::keep:
      break;
    case EarlyData::Verdict::skip:
      taken = in.size();
      return Progress::more;
    case EarlyData::Verdict::too_much:
      return wire.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, out, said);
  }
  // RFC 8446 section 5: all is protected now; mbedTLS would call it a wrong tag.
  if (wire.has_application_keys() && in[0] == std::byte{MBEDTLS_SSL_MSG_HANDSHAKE}) {
    return wire.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, out, said);
  }
  return wire.advance(in, taken, out);
}

const TrafficKeys& ServerHandshake::keys() const noexcept { return state_->wire.keys(); }
std::string_view ServerHandshake::protocol() const noexcept { return state_->wire.protocol(); }
bool ServerHandshake::was_given_up() const noexcept { return state_->wire.was_given_up(); }

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
