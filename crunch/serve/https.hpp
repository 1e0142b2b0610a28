// SPDX-License-Identifier: ISC
// crunch/serve/https.hpp: HTTPS beside the preview's HTTP.
//
// Owns:    a server of the same site over TLS.   A crunch without TLS (no CRUNCH_SERVE_HTTPS) has
//          the same class, which is never made: crunch/certificate refuses before.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/entropy.hpp"
#include "base/loop.hpp"
#include "crunch/certificate/certificate.hpp"
#include "http/server.hpp"
#include "kv/kv.hpp"
#include "net/stack.hpp"
#ifdef CRUNCH_SERVE_HTTPS
#include "tls/over.hpp"
#endif

namespace crunch::serve {

#ifdef CRUNCH_SERVE_HTTPS

template <kv::Source Site, net::ServerStack Lower>
class Https {
 public:
  // `pair` was checked (crunch/certificate). All but it outlive this.
  Https(Site& site, Lower& lower, base::Loop& loop, base::Entropy& entropy,
        const certificate::Pair& pair, const http::Options& options, http::AccessLog& log)
      : stack_(lower, loop, context_of(pair, entropy)), server_(site, stack_, loop, options, log) {
    stack_.offer_http2(
        [this](std::size_t under_way) { return server_.has_room_for_http2(under_way); });
  }

  net::ListenResult<void> listen(std::uint16_t port) { return server_.listen(port); }
  [[nodiscard]] std::uint16_t port() { return server_.port(); }
  base::Task<void> run() { return server_.run(); }
  void use(std::shared_ptr<const http::site::Rules> rules) { server_.use(std::move(rules)); }
  void drain() { server_.drain(); }

 private:
  static std::shared_ptr<const tls::Context> context_of(const certificate::Pair& pair,
                                                        base::Entropy& entropy) {
    auto identity = tls::Identity::make({pair.certificates_name, base::bytes_of(pair.certificates)},
                                        {pair.key_name, base::bytes_of(pair.key)}, entropy);
    CHECK(identity.has_value());
    std::vector<tls::Identity> identities;
    identities.push_back(std::move(*identity));
    return std::make_shared<tls::Context>(std::move(identities), entropy);
  }

  tls::Over<Lower> stack_;
  http::Server<Site, tls::Over<Lower>> server_;
};

#else

template <kv::Source Site, net::ServerStack Lower>
class Https {
 public:
  Https(Site&, Lower&, base::Loop&, base::Entropy&, const certificate::Pair&, const http::Options&,
        http::AccessLog&) {
    CHECK(!"without TLS");
  }
  net::ListenResult<void> listen(std::uint16_t) { return {}; }
  [[nodiscard]] std::uint16_t port() { return 0; }
  base::Task<void> run() { co_return; }
  void use(const std::shared_ptr<const http::site::Rules>&) {}
  void drain() {}
};

#endif

}  // namespace crunch::serve
