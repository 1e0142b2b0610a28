// SPDX-License-Identifier: ISC
#include "tests/tls/client.hpp"

#include <array>
#include <cstdlib>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace test_client {
namespace {

void require(bool good) {
  if (!good) std::abort();  // the test is wrong, or OpenSSL is
}

}  // namespace

int Client::keep_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<Client*>(SSL_get_app_data(ssl))->session_ = {session, SSL_SESSION_free};
  return 1;
}

void Client::keep_alert(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) == 0 || (where & SSL_CB_READ) == 0) return;
  static_cast<Client*>(SSL_get_app_data(ssl))->alert_ = SSL_alert_desc_string_long(value);
}

// "CLIENT_TRAFFIC_SECRET_0 <the client's random> <the secret>", in hexadecimal digits.
void Client::keep_secret(const SSL* ssl, const char* line) {
  const std::string_view text = line;
  if (!text.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) return;
  std::string& secret = static_cast<Client*>(SSL_get_app_data(ssl))->traffic_secret_;
  secret.clear();
  for (std::size_t at = text.rfind(' ') + 1; at + 1 < text.size(); at += 2) {
    secret += static_cast<char>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16));
  }
}

Client::Client(const Offer& offer) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  SSL_CTX_set_info_callback(context, keep_alert);
  SSL_CTX_set_keylog_callback(context, keep_secret);
  require(SSL_CTX_set_min_proto_version(context, offer.version_min) == 1);
  require(SSL_CTX_set_max_proto_version(context, offer.version_max) == 1);
  if (!offer.suites_1_3.empty()) {
    require(SSL_CTX_set_ciphersuites(context, offer.suites_1_3.c_str()) == 1);
  }
  if (!offer.suites_1_2.empty()) {
    require(SSL_CTX_set_cipher_list(context, offer.suites_1_2.c_str()) == 1);
  }
  if (!offer.groups.empty()) {
    require(SSL_CTX_set1_groups_list(context, offer.groups.c_str()) == 1);
  }
  if (!offer.signature_algorithms.empty()) {
    require(SSL_CTX_set1_sigalgs_list(context, offer.signature_algorithms.c_str()) == 1);
  }
  if (!offer.alpn.empty()) {
    require(SSL_CTX_set_alpn_protos(context,
                                    reinterpret_cast<const unsigned char*>(offer.alpn.data()),
                                    static_cast<unsigned>(offer.alpn.size())) == 0);
  }
  ssl_ = {SSL_new(context), SSL_free};
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (!offer.name.empty()) SSL_set_tlsext_host_name(ssl_.get(), offer.name.c_str());
  if (offer.resume) require(SSL_set_session(ssl_.get(), offer.resume.get()) == 1);
  SSL_set_connect_state(ssl_.get());
}

// OpenSSL forgets the session of a connection that was not shut down.
Client::~Client() { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN); }

std::string Client::step(std::string_view in) {
  if (!in.empty()) BIO_write(SSL_get_rbio(ssl_.get()), in.data(), static_cast<int>(in.size()));
  ERR_clear_error();
  if (!is_open()) {
    const int done = SSL_do_handshake(ssl_.get());
    const int why = SSL_get_error(ssl_.get(), done);
    failed_ = failed_ || (done != 1 && why != SSL_ERROR_WANT_READ);
  }
  std::array<char, 16384> buffer;
  while (is_open()) {
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) {
      const int why = SSL_get_error(ssl_.get(), got);
      failed_ = failed_ || (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN);
      break;
    }
    received.append(buffer.data(), static_cast<std::size_t>(got));
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_reset(SSL_get_wbio(ssl_.get()));
  return out;
}

void Client::write(std::string_view text) {
  if (text.empty()) return;
  require(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
          static_cast<int>(text.size()));
}

void Client::write_early(std::string_view text) {
  std::size_t written = 0;
  require(SSL_write_early_data(ssl_.get(), text.data(), text.size(), &written) == 1 &&
          written == text.size());
}

void Client::close_notify() { SSL_shutdown(ssl_.get()); }
void Client::update_key(bool ask) {
  require(SSL_key_update(ssl_.get(),
                         ask ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  SSL_do_handshake(ssl_.get());
}
void Client::renegotiate() {
  SSL_renegotiate(ssl_.get());
  SSL_do_handshake(ssl_.get());
}

std::string Client::group() const {
  const int id = static_cast<int>(SSL_get_negotiated_group(ssl_.get()));
  return id == NID_undef ? "" : OBJ_nid2sn(id & 0xffff);
}

std::string Client::alpn() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

std::string Client::certificate_name() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return {};
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return {};
  const ASN1_STRING* first = sk_GENERAL_NAME_value(names, 0)->d.dNSName;
  std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(first)),
                   static_cast<std::size_t>(ASN1_STRING_length(first)));
  GENERAL_NAMES_free(names);
  return name;
}

int Client::certificate_kind() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? 0 : EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
}

}  // namespace test_client
