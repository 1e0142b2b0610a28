// SPDX-License-Identifier: ISC
// tests/net/simulation_channel.hpp: a client's connection in the simulation, plain or with TLS by
// OpenSSL's client; and the server's end of TLS.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.hpp"
#include "base/task.hpp"
#include "net/lwip/lwip.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/over.hpp"

namespace simulation {

using namespace std::chrono_literals;
using Secure = tls::Over<net::Lwip>;

// Of RSA: its signatures are all of one length, so a seed sends the same number of bytes each time.
inline std::shared_ptr<const tls::Context> context(base::Entropy& entropy) {
  static const auto key = authority::make_key("RSA-2048");
  static const std::string certificate_pem = authority::pem(authority::make_certificate(key, {}));
  static const std::string key_pem = authority::pem(key);
  auto identity = tls::Identity::make({"certificate", base::bytes_of(certificate_pem)},
                                      {"key", base::bytes_of(key_pem)}, entropy);
  CHECK(identity.has_value());
  std::vector<tls::Identity> identities;
  identities.push_back(std::move(*identity));
  return std::make_shared<tls::Context>(std::move(identities), entropy);
}

class Channel {
 public:
  Channel(net::Lwip::Flow& flow, bool is_secure) : flow_(flow) {
    if (is_secure) tls_ = std::make_unique<test_client::Client>(test_client::Offer{});
  }

  // False, of all three: the connection ended, or the other end was not understood.
  base::Task<bool> open() {
    if (!tls_) co_return true;
    const bool sent = co_await put(tls_->step({}));
    bool good = sent;
    while (good && !tls_->is_open()) good = co_await take(16384);
    co_return good;
  }
  base::Task<bool> write(std::string_view text) {
    if (!tls_) {
      const bool plain = co_await put(std::string(text));
      co_return plain;
    }
    tls_->write(text);
    const bool sent = co_await put(tls_->step({}));
    co_return sent;
  }
  // Appends what has come, at least a byte; waits for it.
  base::Task<bool> read(std::string& into, std::size_t bytes_max) {
    if (!tls_) {
      auto bytes = co_await flow_.read(bytes_max, 300s);
      if (bytes) into += base::text_of(*bytes);
      co_return bytes.has_value();
    }
    bool good = true;
    while (good && tls_->received.empty()) good = co_await take(bytes_max);
    into += std::exchange(tls_->received, {});
    co_return good;
  }

 private:
  base::Task<bool> put(std::string bytes) {
    const net::Piece piece{base::bytes_of(bytes)};
    auto sent = co_await flow_.write({&piece, 1}, 120s);
    co_return sent.has_value();
  }
  base::Task<bool> take(std::size_t bytes_max) {
    auto bytes = co_await flow_.read(bytes_max, 300s);
    if (!bytes) co_return false;
    const std::string answer = tls_->step(base::text_of(*bytes));
    if (!answer.empty()) {
      const bool sent = co_await put(answer);
      if (!sent) co_return false;
    }
    co_return !tls_->has_failed();
  }

  net::Lwip::Flow& flow_;
  std::unique_ptr<test_client::Client> tls_;
};

}  // namespace simulation
