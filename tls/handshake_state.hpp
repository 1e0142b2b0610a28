// SPDX-License-Identifier: ISC
// tls/handshake_state.hpp: mbedTLS's context of a handshake, of either end; for tls/*.cpp only.
//
// States:  End, HandshakeState.   Used by: tls/engine.cpp, tls/client_engine.cpp.
// Its types are only named here, so that no header includes mbedTLS's.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "tls/early_data.hpp"
#include "tls/handshake.hpp"
#include "tls/records.hpp"

struct mbedtls_ssl_config;
struct mbedtls_ssl_context;

namespace tls {

enum class End : std::uint8_t { server, client };

// The alert that mbedTLS's error asks for, RFC 8446 section 6.2.
[[nodiscard]] std::uint8_t alert_for(int failure) noexcept;

// Owns the context, and the secrets until they go to the record layer; wipes them.
class HandshakeState {
 public:
  HandshakeState(End end, const mbedtls_ssl_config& config);
  ~HandshakeState();
  HandshakeState(const HandshakeState&) = delete;
  HandshakeState& operator=(const HandshakeState&) = delete;

  [[nodiscard]] mbedtls_ssl_context& ssl() noexcept { return *ssl_; }
  [[nodiscard]] const mbedtls_ssl_context& ssl() const noexcept { return *ssl_; }
  // The first error; 0: there was none.
  [[nodiscard]] int failure() const noexcept { return failure_; }
  [[nodiscard]] const TrafficKeys& keys() const noexcept { return keys_; }
  [[nodiscard]] std::string_view protocol() const noexcept;
  [[nodiscard]] bool was_given_up() const noexcept;
  [[nodiscard]] EarlyData& early() noexcept { return early_; }
  // TLS 1.3's keys for application data are there, and the peer's first records with them not.
  [[nodiscard]] bool has_application_keys() const noexcept { return has_application_keys_; }

  // The next message is the client's hello, the first or the one after a HelloRetryRequest.
  [[nodiscard]] bool awaits_hello() const noexcept;
  // TLS 1.2's.
  [[nodiscard]] bool awaits_key_exchange() const noexcept;

  // The next step is given a hello of that size, which stands for `original`: that one's bytes are
  // hashed. The last `same_end_bytes` are those of both. `original` stands until the step is over.
  void stand_for(base::Bytes original, std::size_t size_bytes, std::size_t same_end_bytes);

  // TLS 1.2: signatures that mbedTLS makes with PKCS#1 v1.5 are made with PSS, and say so.
  void sign_with_pss() noexcept { signs_with_pss_ = true; }
  [[nodiscard]] bool signs_with_pss() const noexcept { return signs_with_pss_; }

  // One step of the handshake with a whole record, or with nothing at its start.
  Handshake::Progress advance(base::Bytes in, std::size_t& taken, std::vector<std::byte>& out);
  // Before the first step: each step fails.
  void give_up(int why) noexcept { failure_ = why; }
  // Ends it, and tells the peer why. `said`: the size of `out` before the step.
  Handshake::Progress fail(int why, std::vector<std::byte>& out, std::size_t said);

 private:
  struct Callbacks;
  [[nodiscard]] bool take_keys();
  [[nodiscard]] bool derive_1_2();
  // Of TrafficKeys, whose secrets mbedTLS calls the client's and the server's.
  [[nodiscard]] TrafficKeys::Direction& of(End end) noexcept {
    return end == end_ ? keys_.send : keys_.receive;
  }

  // What is hashed of a hello that another one stands for.
  struct Original {
    base::Bytes message;
    std::size_t hashed_bytes = 0;
    std::size_t substitute_left = 0;  // bytes that mbedTLS has not hashed, as it believes
    std::size_t same_end_bytes = 0;
    int (*hash)(mbedtls_ssl_context*, const unsigned char*, std::size_t) = nullptr;
  };

  End end_;
  std::unique_ptr<mbedtls_ssl_context> ssl_;
  Original original_;
  TrafficKeys keys_;
  // TLS 1.2's, until the suite is known.
  std::array<unsigned char, 48> master_{};
  std::array<unsigned char, 64> randoms_{};  // the server's, then the client's
  int prf_ = 0;
  EarlyData early_;
  base::Bytes in_;
  std::vector<std::byte>* out_ = nullptr;
  int failure_ = 0;
  bool signs_with_pss_ = false;
  bool has_application_keys_ = false;  // the server has sent its Finished
};

}  // namespace tls
