// SPDX-License-Identifier: ISC
// tests/tls/secure_peers.cpp: HTTP's conformance table over TLS, by OpenSSL's client.

#include <stdexcept>
#include <utility>

#include "tests/http/socket_peer.hpp"
#include "tests/tls/client.hpp"

namespace http_test {

namespace {

class SecurePeer final : public Peer {
 public:
  SecurePeer(std::unique_ptr<Peer> below, const test_client::Offer& offer,
             std::shared_ptr<SSL_SESSION>& session)
      : below_(std::move(below)),
        client_(offer),
        session_(session),
        updates_keys_(offer.version_min == TLS1_3_VERSION) {
    below_->send(client_.step({}));
    while (!client_.is_open()) {
      if (!take()) throw std::runtime_error("the TLS handshake failed: " + client_.alert());
    }
    if (client_.alpn() != offer.alpn.substr(1)) {
      throw std::runtime_error("the server does not speak " + offer.alpn.substr(1));
    }
    // In TLS 1.2 the last of it is ours.
    below_->send(client_.step({}));
  }
  ~SecurePeer() override {
    if (client_.session()) session_ = client_.session();
  }
  SecurePeer(const SecurePeer&) = delete;
  SecurePeer& operator=(const SecurePeer&) = delete;

  void send(std::string_view bytes) override {
    if (updates_keys_ && std::exchange(has_answered_, false)) client_.update_key(true);
    client_.write(bytes);
    below_->send(client_.step({}));
  }
  bool receive(std::string& into) override {
    while (client_.received.empty() && !client_.was_told_end()) {
      if (!take()) return false;
    }
    has_answered_ = !client_.received.empty();
    into += std::exchange(client_.received, {});
    return has_answered_;
  }
  bool is_ended() override {
    while (client_.received.empty() && !client_.was_told_end()) {
      if (!take()) return false;
    }
    return client_.received.empty();
  }
  [[nodiscard]] bool is_resumed() const { return client_.is_resumed(); }

 private:
  // Waits for bytes from below. False: none come, or they are not good.
  bool take() {
    std::string bytes;
    if (client_.has_failed() || !below_->receive(bytes)) return false;
    below_->send(client_.step(bytes));
    return !client_.has_failed();
  }

  std::unique_ptr<Peer> below_;
  test_client::Client client_;
  std::shared_ptr<SSL_SESSION>& session_;
  bool updates_keys_;
  bool has_answered_ = false;
};

class OpenSslPeers final : public SecurePeers {
 public:
  OpenSslPeers(int version, const std::string& protocol) {
    offer_.version_min = offer_.version_max = version;
    offer_.alpn = static_cast<char>(protocol.size()) + protocol;
  }
  std::unique_ptr<Peer> make(std::unique_ptr<Peer> below) override {
    offer_.resume = session_;
    auto peer = std::make_unique<SecurePeer>(std::move(below), offer_, session_);
    if (peer->is_resumed()) ++resumed_count_;
    return peer;
  }
  [[nodiscard]] std::size_t resumed_count() const override { return resumed_count_; }

 private:
  test_client::Offer offer_;
  std::shared_ptr<SSL_SESSION> session_;
  std::size_t resumed_count_ = 0;
};

}  // namespace

std::unique_ptr<SecurePeers> make_secure_peers(const std::string& version,
                                               const std::string& protocol) {
  if (version == "1.2") return std::make_unique<OpenSslPeers>(TLS1_2_VERSION, protocol);
  if (version == "1.3") return std::make_unique<OpenSslPeers>(TLS1_3_VERSION, protocol);
  throw std::runtime_error("--tls takes 1.2 or 1.3, not " + version);
}

}  // namespace http_test
