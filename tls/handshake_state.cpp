// SPDX-License-Identifier: ISC
#include "tls/handshake_state.hpp"

#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.hpp"
#include "base/wipe.hpp"
#include "tls/client_hello.hpp"

// In tls/transcript_hook.c.
using HashMessage = int (*)(mbedtls_ssl_context*, const unsigned char*, std::size_t);
extern "C" HashMessage* crunch_message_hash(mbedtls_ssl_context* ssl);

namespace tls {
namespace {

using namespace suite;

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

std::uint64_t number_of(const unsigned char* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

std::uint8_t alert_for(int failure) noexcept {
  switch (failure) {
    case MBEDTLS_ERR_SSL_INVALID_MAC:
      return MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC;
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
    case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
    case MBEDTLS_ERR_SSL_NON_FATAL:
      return MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE;
    case MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL:
      return MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW;
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

// mbedTLS's functions take these with the state.
struct HandshakeState::Callbacks {
  static int receive(void* context, unsigned char* to, std::size_t size) noexcept {
    auto& state = *static_cast<HandshakeState*>(context);
    if (state.in_.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const std::size_t count = std::min(size, state.in_.size());
    std::memcpy(to, state.in_.data(), count);
    state.in_ = state.in_.subspan(count);
    return static_cast<int>(count);
  }

  // Nothing may be thrown through mbedTLS's functions: they would not free what they hold.
  static int send(void* context, const unsigned char* from, std::size_t size) noexcept try {
    auto& out = *static_cast<HandshakeState*>(context)->out_;
    const auto* bytes = reinterpret_cast<const std::byte*>(from);
    out.insert(out.end(), bytes, bytes + size);
    return static_cast<int>(size);
  } catch (const std::bad_alloc&) {
    return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  }

  // In place of `size` bytes of the hello that stands for another one. What stands before its end
  // is hashed as soon as the end begins.
  static int hash_original(mbedtls_ssl_context* ssl, const unsigned char*,
                           std::size_t size) noexcept {
    Original& original = static_cast<HandshakeState*>(ssl->MBEDTLS_PRIVATE(p_bio))->original_;
    CHECK(size <= original.substitute_left);
    original.substitute_left -= size;
    if (original.substitute_left > original.same_end_bytes) return 0;
    const base::Bytes left = original.message.subspan(original.hashed_bytes);
    const base::Bytes now = left.first(left.size() - original.substitute_left);
    original.hashed_bytes += now.size();
    if (original.substitute_left == 0) *crunch_message_hash(ssl) = original.hash;
    return original.hash(ssl, reinterpret_cast<const unsigned char*>(now.data()), now.size());
  }

  static void keep_secret(void* context, mbedtls_ssl_key_export_type type,
                          const unsigned char* secret, std::size_t size,
                          const unsigned char client_random[32],
                          const unsigned char server_random[32],
                          mbedtls_tls_prf_types prf) noexcept {
    auto& state = *static_cast<HandshakeState*>(context);
    switch (type) {
      case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET:
        CHECK(size == state.master_.size());
        std::memcpy(state.master_.data(), secret, size);
        std::memcpy(state.randoms_.data(), server_random, 32);
        std::memcpy(state.randoms_.data() + 32, client_random, 32);
        state.prf_ = prf;
        break;
      case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET:
        if (state.end_ == End::server) {
          state.early_.set_secret({reinterpret_cast<const std::byte*>(secret), size});
        }
        break;
      case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET:
        CHECK(size <= secret_bytes_max);
        std::memcpy(state.of(End::client).secret.data(), secret, size);
        break;
      case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET:
        CHECK(size <= secret_bytes_max);
        std::memcpy(state.of(End::server).secret.data(), secret, size);
        state.has_application_keys_ = state.end_ == End::server;
        break;
      default:
        break;
    }
  }
};

HandshakeState::HandshakeState(End end, const mbedtls_ssl_config& config)
    : end_(end), ssl_(std::make_unique<mbedtls_ssl_context>()) {
  mbedtls_ssl_init(ssl_.get());
  failure_ = mbedtls_ssl_setup(ssl_.get(), &config);
  mbedtls_ssl_set_bio(ssl_.get(), this, Callbacks::send, Callbacks::receive, nullptr);
  mbedtls_ssl_set_export_keys_cb(ssl_.get(), Callbacks::keep_secret, this);
}

HandshakeState::~HandshakeState() {
  mbedtls_ssl_free(ssl_.get());
  base::wipe(keys_.receive.secret);
  base::wipe(keys_.send.secret);
  mbedtls_platform_zeroize(master_.data(), master_.size());
}

std::string_view HandshakeState::protocol() const noexcept {
  const char* agreed = mbedtls_ssl_get_alpn_protocol(ssl_.get());
  return agreed != nullptr ? std::string_view(agreed) : std::string_view();
}

bool HandshakeState::was_given_up() const noexcept {
  return failure_ == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE;
}

bool HandshakeState::awaits_hello() const noexcept {
  const int state = ssl_->MBEDTLS_PRIVATE(state);
  return state == MBEDTLS_SSL_HELLO_REQUEST || state == MBEDTLS_SSL_CLIENT_HELLO;
}

bool HandshakeState::awaits_key_exchange() const noexcept {
  return ssl_->MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_CLIENT_KEY_EXCHANGE;
}

void HandshakeState::stand_for(base::Bytes original, std::size_t size_bytes,
                               std::size_t same_end_bytes) {
  HashMessage& hash = *crunch_message_hash(ssl_.get());
  CHECK(hash != Callbacks::hash_original);
  original_ = {original, 0, size_bytes, same_end_bytes, hash};
  hash = Callbacks::hash_original;
}

// mbedTLS does not always tell the peer why; and between the two ends' Finished it does so with
// its handshake key, where RFC 8446 section 4.4.4 has the server use the next one already.
Handshake::Progress HandshakeState::fail(int why, std::vector<std::byte>& out, std::size_t said) {
  failure_ = why;
  if (why == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) return Handshake::Progress::failed;
  out_ = &out;
  const mbedtls_ssl_session* negotiated = ssl_->MBEDTLS_PRIVATE(session_negotiate);
  // Null: both have said Finished, and mbedTLS seals with that next key itself.
  if (has_application_keys_ && negotiated != nullptr) {
    // All that is negotiated then is the client's Finished: RFC 8446 section 4.4.4.
    const std::uint8_t alert_code = why == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE
                                        ? std::uint8_t{MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR}
                                        : alert_for(why);
    out.resize(said);
    set_suite(keys_, negotiated->MBEDTLS_PRIVATE(ciphersuite));
    Records records(keys_);
    const std::array alert{std::byte{MBEDTLS_SSL_ALERT_LEVEL_FATAL}, std::byte{alert_code}};
    const std::array pieces{base::Bytes(alert)};
    out.resize(said + alert.size() + records.overhead_bytes());
    records.seal(ContentType::alert, pieces, out.data() + said);
  } else if (out.size() == said) {
    static_cast<void>(
        mbedtls_ssl_send_alert_message(ssl_.get(), MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert_for(why)));
  }
  return Handshake::Progress::failed;
}

Handshake::Progress HandshakeState::advance(base::Bytes in, std::size_t& taken,
                                            std::vector<std::byte>& out) {
  out_ = &out;
  in_ = in;
  const std::size_t said = out.size();
  const int answer = mbedtls_ssl_handshake(ssl_.get());
  taken = in.size() - in_.size();
  if (answer == MBEDTLS_ERR_SSL_WANT_READ) return Handshake::Progress::more;
  if (answer != 0) return fail(answer, out, said);
  // A record that held more than the handshake's end is no peer's that follows the rules.
  if (mbedtls_ssl_check_pending(ssl_.get()) != 0) {
    return fail(MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, out, said);
  }
  return take_keys() ? Handshake::Progress::done : Handshake::Progress::failed;
}

bool HandshakeState::take_keys() {
  set_suite(keys_, mbedtls_ssl_get_ciphersuite_id_from_ssl(ssl_.get()));
  keys_.receive.next_number = number_of(ssl_->MBEDTLS_PRIVATE(in_ctr));
  keys_.send.next_number = number_of(ssl_->MBEDTLS_PRIVATE(cur_out_ctr));
  if (mbedtls_ssl_get_version_number(ssl_.get()) == MBEDTLS_SSL_VERSION_TLS1_3) {
    keys_.version = Version::tls_1_3;
    return true;
  }
  keys_.version = Version::tls_1_2;
  return derive_1_2();
}

// RFC 5246 section 6.3: the key block holds the client's key, the server's, and their fixed parts.
bool HandshakeState::derive_1_2() {
  const std::size_t key = crypto::key_bytes(keys_.cipher);
  const std::size_t fixed = keys_.cipher == crypto::Cipher::chacha20_poly1305 ? 12 : 4;
  std::array<std::byte, std::size_t{2} * (32 + 12)> block;
  if (mbedtls_ssl_tls_prf(static_cast<mbedtls_tls_prf_types>(prf_), master_.data(), master_.size(),
                          "key expansion", randoms_.data(), randoms_.size(),
                          reinterpret_cast<unsigned char*>(block.data()), 2 * (key + fixed)) != 0) {
    return false;
  }
  const std::byte* at = block.data();
  std::byte* const client = of(End::client).secret.data();
  std::byte* const server = of(End::server).secret.data();
  std::copy_n(at, key, client);
  std::copy_n(at + key, key, server);
  std::copy_n(at + 2 * key, fixed, client + key);
  std::copy_n(at + 2 * key + fixed, fixed, server + key);
  base::wipe(block);
  return true;
}

}  // namespace tls
