// SPDX-License-Identifier: ISC
// tls/engine.hpp: the handshake, made by mbedTLS behind this header.
//
// States:  Context, Handshake.   Used by: tls/session.cpp.
// Policy:  TLS 1.3 and 1.2; ECDHE on x25519 and P-256; AES-128-GCM first where the processor has
//          AES, ChaCha20 where the client puts it first; ALPN http/1.1; tickets whose keys rotate.
// May include: base, tls/{certificates,records}.hpp.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "tls/certificates.hpp"
#include "tls/records.hpp"

struct mbedtls_ssl_config;

namespace tls {

// The application protocols that a handshake offers (RFC 7301), the first one preferred.
enum class Offer : std::uint8_t {
  http_1_1,
  http_2,  // and HTTP/1.1
};

// What all connections share: who the server is, what it offers, its ticket keys. Made once, never
// changed, safe to use from several threads; replaced as a whole when certificates change.
class Context {
 public:
  // Lifetime of a ticket, and how long a ticket key makes tickets; it opens them once as long.
  static constexpr std::uint32_t ticket_lifetime_s = 6 * 3600;

  // At least one identity. The first is shown to clients that name no host, or an unknown one.
  // `entropy` outlives the program's last connection.
  Context(std::vector<Identity> identities, base::Entropy& entropy);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] const std::vector<Identity>& identities() const noexcept { return identities_; }

  // A set of identities: bit i is the i-th, the last bit that one and all behind it.
  using Shown = std::uint64_t;
  // What is shown to a client that named `host` (or nothing, or an unknown one): all of one name.
  [[nodiscard]] Shown shown_to(std::string_view host) const noexcept;
  // Whether each of them covers `host`.
  [[nodiscard]] bool covers(Shown shown, std::string_view host) const noexcept;

  // `preference`: tls::Preference's number.
  [[nodiscard]] const mbedtls_ssl_config& config(Offer offer,
                                                 std::size_t preference) const noexcept;

 private:
  struct State;
  [[nodiscard]] int configure(mbedtls_ssl_config& config, const int* suites,
                              base::Entropy& entropy);

  std::vector<Identity> identities_;
  std::unique_ptr<State> state_;
};

// One handshake, from the first record on. Costs about 40 KiB while it lives.
class Handshake {
 public:
  // `first_record` is looked at to choose the suites, not kept: it is still to be given.
  Handshake(std::shared_ptr<const Context> context, base::Bytes first_record,
            Offer offer = Offer::http_1_1);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  enum class Progress : std::uint8_t {
    more,    // needs the peer's next bytes
    done,    // keys() are there; bytes that were not taken belong to the record layer
    failed,  // what is in `out` tells the peer why
  };
  // Takes from the front of `in` what it can use, and appends to `out` what is to be sent.
  Progress advance(base::Bytes in, std::size_t& taken, std::vector<std::byte>& out);

  [[nodiscard]] const TrafficKeys& keys() const noexcept;
  // Once it is done: the protocol that was agreed on, in characters that last; empty: none was
  // offered. And the identities of which one was shown.
  [[nodiscard]] std::string_view protocol() const noexcept;
  [[nodiscard]] Context::Shown shown() const noexcept;
  // It failed because the peer sent an alert: it wants no answer.
  [[nodiscard]] bool was_given_up() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tls
