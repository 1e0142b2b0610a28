// SPDX-License-Identifier: ISC
// tests/tls/client_world.hpp: tls::Over and tls::Client over another World, as a World of
// tests/net/worlds.hpp: both ends are ours.

#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/net/worlds.hpp"
#include "tests/tls/authority.hpp"
#include "tls/client.hpp"
#include "tls/over.hpp"

namespace client_world {

// Valid in simulated time too.
inline constexpr std::int64_t ten_years_s = std::int64_t{10} * 365 * 86400;

// An authority and what it has signed.
struct Issued {
  authority::Key root_key;
  authority::Certificate root;
  std::string chain;  // PEM: the server's, then the one between, if any
  std::string key;    // PEM
};

// RSA keys take long to make, so there is one of each size.
inline authority::Key key_of(const std::string& kind) {
  static std::map<std::string, authority::Key> kept;
  if (!kind.starts_with("RSA-")) return authority::make_key(kind);
  authority::Key& key = kept[kind];
  if (key == nullptr) key = authority::make_key(kind);
  return key;
}

// A chain of the kinds of keys that are named: the server's, the one between unless empty, the
// root's.
inline Issued issue(const std::string& kind, const std::string& between_kind,
                    const std::string& root_kind, authority::Wanted wanted = {}) {
  Issued out;
  out.root_key = key_of(root_kind);
  authority::Wanted as_root{.subject = "root",
                            .names = {},
                            .valid_from_s = -ten_years_s,
                            .valid_to_s = ten_years_s,
                            .is_authority = true};
  out.root = authority::make_certificate(out.root_key, as_root);
  wanted.issuer_key = out.root_key;
  wanted.issuer = out.root;
  std::string rest;
  if (!between_kind.empty()) {
    authority::Wanted as_between = as_root;
    as_between.subject = "between";
    as_between.issuer_key = out.root_key;
    as_between.issuer = out.root;
    wanted.issuer_key = key_of(between_kind);
    wanted.issuer = authority::make_certificate(wanted.issuer_key, as_between);
    rest = authority::pem(wanted.issuer);
  }
  if (wanted.valid_from_s == authority::Wanted{}.valid_from_s) wanted.valid_from_s = -ten_years_s;
  const authority::Key key = key_of(kind);
  out.chain = authority::pem(authority::make_certificate(key, wanted)) + rest;
  out.key = authority::pem(key);
  return out;
}

inline std::shared_ptr<const tls::Context> server_context(const Issued& issued) {
  auto identity =
      tls::Identity::make({"cert.pem", base::bytes_of(issued.chain)},
                          {"key.pem", base::bytes_of(issued.key)}, authority::entropy());
  if (!identity) throw std::runtime_error(identity.error());
  std::vector<tls::Identity> identities;
  identities.push_back(std::move(*identity));
  return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
}

inline std::shared_ptr<const tls::ClientContext> client_context(
    const authority::Certificate& root, std::vector<std::string> protocols = {}) {
  const std::string pem = authority::pem(root);
  auto anchors = tls::Anchors::make({"roots.pem", base::bytes_of(pem)});
  if (!anchors) throw std::runtime_error(anchors.error());
  return std::make_shared<tls::ClientContext>(
      std::make_shared<const tls::Anchors>(std::move(*anchors)), authority::entropy(),
      std::move(protocols));
}

// Serves by tls::Over, connects by tls::Client.
template <net::Stack Lower>
class Ends {
 public:
  using Over = tls::Over<Lower>;
  using Client = tls::Client<Lower>;
  using Flow = typename Over::Flow;
  using Listener = typename Over::Listener;

  Ends(Lower& lower, base::Loop& loop)
      : issued_(issue("P-256", "", "P-256")),
        over_(lower, loop, server_context(issued_)),
        client_(lower, loop, client_context(issued_.root), {.connections_max = 100}),
        named_(client_.to("localhost")) {}

  net::ListenResult<Listener> listen(std::uint16_t port) { return over_.listen(port); }
  Task<net::Result<Flow>> connect(const net::Endpoint& to, base::Duration within) {
    return named_.connect(to, within);
  }
  Over& over() { return over_; }
  Client& client() { return client_; }

 private:
  Issued issued_;
  Over over_;
  Client client_;
  typename Client::Named named_;
};

template <class Lower>
class WorldOn {
 public:
  using Stack = Ends<typename Lower::Stack>;
  WorldOn() : stack_(lower_.stack(), lower_.loop()) {}
  base::Loop& loop() { return lower_.loop(); }
  Stack& stack() { return stack_; }
  Lower& lower() { return lower_; }
  net::Endpoint at(std::uint16_t port) const { return lower_.at(port); }

 private:
  Lower lower_;
  Stack stack_;
};

}  // namespace client_world

using TlsClientWorld = client_world::WorldOn<SocketsWorld>;
using TlsClientMemoryWorld = client_world::WorldOn<MemoryWorld>;

static_assert(net::ClientStack<tls::Client<net::Sockets>::Named>);
static_assert(net::Stack<TlsClientWorld::Stack>);
