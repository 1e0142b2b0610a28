// SPDX-License-Identifier: ISC
// tests/tls/client.hpp: OpenSSL's client without input and output: bytes in, bytes out.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace test_client {

struct Offer {
  int version_min = TLS1_2_VERSION;
  int version_max = TLS1_3_VERSION;
  std::string suites_1_3 = {};  // empty: OpenSSL's own
  std::string suites_1_2 = {};
  std::string groups = {};
  std::string signature_algorithms = {};
  std::string name = "localhost";
  std::string alpn = {};  // in wire form
  std::shared_ptr<SSL_SESSION> resume = {};
};

class Client {
 public:
  explicit Client(const Offer& offer);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Takes what the server sent, and gives what is to be sent to it.
  std::string step(std::string_view in);
  // Before the first step: 0-RTT, which the session that is resumed must allow.
  void write_early(std::string_view text);
  [[nodiscard]] bool was_early_taken() const {
    return SSL_get_early_data_status(ssl_.get()) == SSL_EARLY_DATA_ACCEPTED;
  }
  // For the next step.
  void write(std::string_view text);
  void close_notify();
  void update_key(bool ask_for_the_same);
  void renegotiate();

  [[nodiscard]] bool is_open() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  [[nodiscard]] bool has_failed() const { return failed_; }
  [[nodiscard]] bool was_told_end() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  [[nodiscard]] std::string suite() const { return SSL_get_cipher_name(ssl_.get()); }
  [[nodiscard]] std::string group() const;
  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] std::string certificate_name() const;
  [[nodiscard]] int certificate_kind() const;  // EVP_PKEY_EC, EVP_PKEY_RSA
  [[nodiscard]] bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // The last session that can be resumed.
  [[nodiscard]] std::shared_ptr<SSL_SESSION> session() const { return session_; }
  [[nodiscard]] const std::string& alert() const { return alert_; }
  // Of TLS 1.3: with what this end seals application data, until it updates its key.
  [[nodiscard]] const std::string& traffic_secret() const { return traffic_secret_; }

  std::string received;

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static void keep_alert(const SSL* ssl, int where, int value);
  static void keep_secret(const SSL* ssl, const char* line);

  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  std::shared_ptr<SSL_SESSION> session_;
  std::string alert_;  // the server's
  std::string traffic_secret_;
  bool failed_ = false;
};

}  // namespace test_client
