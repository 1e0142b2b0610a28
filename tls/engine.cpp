// SPDX-License-Identifier: ISC
#include "tls/engine.hpp"

#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <psa/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <new>

#include "base/check.hpp"
#include "base/wipe.hpp"
#include "tls/client_hello.hpp"
#include "tls/early_data.hpp"
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

namespace {

using namespace suite;

// RFC 8446 section 6.2.
unsigned char alert_for(int failure) {
  switch (failure) {
    case MBEDTLS_ERR_SSL_INVALID_MAC:
      return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
    case MBEDTLS_ERR_SSL_NON_FATAL:
      return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    case MBEDTLS_ERR_SSL_DECODE_ERROR:
      return MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR;
    case MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER:
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA:
      return MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER;
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
      return MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_SSL_INTERNAL_ERROR:
      return MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR;
    default:
      return MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
  }
}

void set_suite(TrafficKeys& keys, int suite) {
  switch (suite) {
    case chacha20_1_3:
    case chacha20_ecdsa:
    case chacha20_rsa:
      keys.cipher = crypto::Cipher::chacha20_poly1305;
      break;
    case aes_256_1_3:
    case aes_256_ecdsa:
    case aes_256_rsa:
      keys.cipher = crypto::Cipher::aes_256_gcm;
      keys.hash = crypto::Hash::sha384;
      break;
    default:
      keys.cipher = crypto::Cipher::aes_128_gcm;
      break;
  }
}

}  // namespace

struct Handshake::State {
  State() { mbedtls_ssl_init(&ssl); }
  ~State() {
    mbedtls_ssl_free(&ssl);
    base::wipe(keys.receive.secret);
    base::wipe(keys.send.secret);
    mbedtls_platform_zeroize(master.data(), master.size());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // mbedTLS does not always tell the peer why; and between the two ends' Finished it does so with
  // its handshake key, where RFC 8446 section 4.4.4 has the server use the next one already.
  // `said`: the size of *out before.
  Progress fail(int why, std::size_t said) {
    failure = why;
    if (why == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) return Progress::failed;
    const mbedtls_ssl_session* negotiated = ssl.MBEDTLS_PRIVATE(session_negotiate);
    // Null: both have said Finished, and mbedTLS seals with that next key itself.
    if (has_application_keys && negotiated != nullptr) {
      // All that is negotiated then is the client's Finished: RFC 8446 section 4.4.4.
      const unsigned char alert_code = why == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
                                           ? MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR
                                           : alert_for(why);
      out->resize(said);
      set_suite(keys, negotiated->MBEDTLS_PRIVATE(ciphersuite));
      Records records(keys);
      const std::array alert{std::byte{MBEDTLS_SSL_ALERT_LEVEL_FATAL}, std::byte{alert_code}};
      const std::array pieces{base::Bytes(alert)};
      out->resize(said + alert.size() + records.overhead_bytes());
      records.seal(ContentType::alert, pieces, out->data() + said);
    } else if (out->size() == said) {
      static_cast<void>(
          mbedtls_ssl_send_alert_message(&ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert_for(why)));
    }
    return Progress::failed;
  }

  std::shared_ptr<const Context> context;
  mbedtls_ssl_context ssl;
  TrafficKeys keys;
  // TLS 1.2's, until the suite is known.
  std::array<unsigned char, 48> master{};
  std::array<unsigned char, 64> randoms{};  // the server's, then the client's
  mbedtls_tls_prf_types prf = MBEDTLS_SSL_TLS_PRF_NONE;
  EarlyData early;
  base::Bytes in;
  std::vector<std::byte>* out = nullptr;
  int failure = 0;
  Context::Shown shown = 0;
  bool has_application_keys = false;  // TLS 1.3's; the server has sent its Finished
};

namespace {

template <class State>
int receive_bytes(void* context, unsigned char* to, std::size_t size) noexcept {
  auto& state = *static_cast<State*>(context);
  if (state.in.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const std::size_t count = std::min(size, state.in.size());
  std::memcpy(to, state.in.data(), count);
  state.in = state.in.subspan(count);
  return static_cast<int>(count);
}

// Nothing may be thrown through mbedTLS's functions: they would not free what they hold.
template <class State>
int send_bytes(void* context, const unsigned char* from, std::size_t size) noexcept try {
  auto& out = *static_cast<State*>(context)->out;
  const auto* bytes = reinterpret_cast<const std::byte*>(from);
  out.insert(out.end(), bytes, bytes + size);
  return static_cast<int>(size);
} catch (const std::bad_alloc&) {
  return MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

template <class State>
void keep_secret(void* context, mbedtls_ssl_key_export_type type, const unsigned char* secret,
                 std::size_t size, const unsigned char client_random[32],
                 const unsigned char server_random[32], mbedtls_tls_prf_types prf) noexcept {
  auto& state = *static_cast<State*>(context);
  switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
      CHECK(size == state.master.size());
      std::memcpy(state.master.data(), secret, size);
      std::memcpy(state.randoms.data(), server_random, 32);
      std::memcpy(state.randoms.data() + 32, client_random, 32);
      state.prf = prf;
      break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
      state.early.set_secret({reinterpret_cast<const std::byte*>(secret), size});
      break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
      CHECK(size <= secret_bytes_max);
      std::memcpy(state.keys.receive.secret.data(), secret, size);
      break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
      CHECK(size <= secret_bytes_max);
      std::memcpy(state.keys.send.secret.data(), secret, size);
      state.has_application_keys = true;
      break;
    default:
      break;
  }
}

std::uint64_t number_of(const unsigned char* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

// RFC 5246 section 6.3: the key block holds the client's key, the server's, and their fixed parts.
bool derive_1_2(const std::array<unsigned char, 48>& master,
                const std::array<unsigned char, 64>& randoms, mbedtls_tls_prf_types prf,
                TrafficKeys& keys) {
  const std::size_t key = crypto::key_bytes(keys.cipher);
  const std::size_t fixed = keys.cipher == crypto::Cipher::chacha20_poly1305 ? 12 : 4;
  std::array<std::byte, std::size_t{2} * (32 + 12)> block;
  if (mbedtls_ssl_tls_prf(prf, master.data(), master.size(), "key expansion", randoms.data(),
                          randoms.size(), reinterpret_cast<unsigned char*>(block.data()),
                          2 * (key + fixed)) != 0) {
    return false;
  }
  const std::byte* at = block.data();
  std::copy_n(at, key, keys.receive.secret.data());
  std::copy_n(at + key, key, keys.send.secret.data());
  std::copy_n(at + 2 * key, fixed, keys.receive.secret.data() + key);
  std::copy_n(at + 2 * key + fixed, fixed, keys.send.secret.data() + key);
  base::wipe(block);
  return true;
}

}  // namespace

Handshake::Handshake(std::shared_ptr<const Context> context, base::Bytes first_record, Offer offer)
    : state_(std::make_unique<State>()) {
  const auto preference = preference_for(first_record, crypto::AesGcm::is_supported());
  const mbedtls_ssl_config& config = context->config(offer, static_cast<std::size_t>(preference));
  state_->shown = context->shown_to({});
  state_->context = std::move(context);
  if (announces_early_data(first_record)) state_->early.announce();
  state_->failure = mbedtls_ssl_setup(&state_->ssl, &config);
  mbedtls_ssl_set_bio(&state_->ssl, state_.get(), send_bytes<State>, receive_bytes<State>, nullptr);
  mbedtls_ssl_set_user_data_p(&state_->ssl, &state_->shown);  // choose_by_name
  mbedtls_ssl_set_export_keys_cb(&state_->ssl, keep_secret<State>, state_.get());
}

Handshake::~Handshake() = default;

Handshake::Progress Handshake::advance(base::Bytes in, std::size_t& taken,
                                       std::vector<std::byte>& out) {
  State& state = *state_;
  taken = 0;
  if (state.failure != 0) return Progress::failed;  // out of memory in mbedtls_ssl_setup
  state.out = &out;
  const std::size_t said = out.size();
  switch (state.early.judge(in)) {
    case EarlyData::Verdict::keep:
      break;
    case EarlyData::Verdict::skip:
      taken = in.size();
      return Progress::more;
    case EarlyData::Verdict::too_much:
      return state.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, said);
  }
  // RFC 8446 section 5: all is protected now; mbedTLS would call it a wrong tag.
  if (state.has_application_keys && in[0] == std::byte{MBEDTLS_SSL_MSG_HANDSHAKE}) {
    return state.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, said);
  }
  state.in = in;
  const int answer = mbedtls_ssl_handshake(&state.ssl);
  taken = in.size() - state.in.size();
  if (answer == MBEDTLS_ERR_SSL_WANT_READ) return Progress::more;
  if (answer != 0) return state.fail(answer, said);
  // A record that held more than the handshake's end is no peer's that follows the rules.
  if (mbedtls_ssl_check_pending(&state.ssl) != 0) {
    return state.fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, said);
  }

  TrafficKeys& keys = state.keys;
  set_suite(keys, mbedtls_ssl_get_ciphersuite_id_from_ssl(&state.ssl));
  keys.receive.next_number = number_of(state.ssl.MBEDTLS_PRIVATE(in_ctr));
  keys.send.next_number = number_of(state.ssl.MBEDTLS_PRIVATE(cur_out_ctr));
  if (mbedtls_ssl_get_version_number(&state.ssl) == MBEDTLS_SSL_VERSION_TLS1_3) {
    keys.version = Version::tls_1_3;
    return Progress::done;
  }
  keys.version = Version::tls_1_2;
  return derive_1_2(state.master, state.randoms, state.prf, keys) ? Progress::done
                                                                  : Progress::failed;
}

const TrafficKeys& Handshake::keys() const noexcept { return state_->keys; }
std::string_view Handshake::protocol() const noexcept {
  const char* agreed = mbedtls_ssl_get_alpn_protocol(&state_->ssl);
  return agreed != nullptr ? std::string_view(agreed) : std::string_view();
}
Context::Shown Handshake::shown() const noexcept { return state_->shown; }
bool Handshake::was_given_up() const noexcept {
  return state_->failure == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
}

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
