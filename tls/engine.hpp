// SPDX-License-Identifier: ISC
// tls/engine.hpp: the server's handshake, made by mbedTLS behind this header.
//
// States:  Context, ServerHandshake.   Used by: tls/session.cpp.
// Policy:  TLS 1.3 and 1.2; ECDHE on x25519 and P-256; AES-128-GCM first where the processor has
//          AES, ChaCha20 where the client puts it first; ALPN http/1.1; tickets whose keys rotate.
// May include: base, tls/{certificates,handshake,records}.hpp.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "tls/certificates.hpp"
#include "tls/handshake.hpp"
#include "tls/records.hpp"

struct mbedtls_ssl_config;

namespace tls {

// The application protocols that a handshake offers (RFC 7301), the first one preferred.
enum class Offer : std::uint8_t {
  http_1_1,
  http_2,  // and HTTP/1.1
};

enum class Purpose : std::uint8_t {
  serving,
  challenge,  // to show a certificate to a CA: nothing but acme-tls/1 is offered (RFC 8737)
};

struct TicketUse;

// What all connections share: who the server is, what it offers, its ticket keys. Made once, never
// changed, safe to use from several threads; replaced as a whole when certificates change.
class Context {
 public:
  // Lifetime of a ticket, and how long a ticket key makes tickets; it opens them once as long.
  static constexpr std::uint32_t ticket_lifetime_s = 6 * 3600;

  // At least one identity. The first is shown to clients that name no host, or an unknown one.
  // `entropy` outlives the program's last connection.
  Context(std::vector<Identity> identities, base::Entropy& entropy,
          Purpose purpose = Purpose::serving);
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

  // One of them has a key that signs so in TLS 1.3: a SignatureScheme, RFC 8446 section 4.2.3.
  [[nodiscard]] bool signs(Shown shown, std::size_t scheme) const noexcept;

  // The suite of the TLS 1.2 session that a ticket resumes; 0: none.
  [[nodiscard]] int ticket_suite(base::Bytes ticket) const;

  // `preference`: tls::Preference's number.
  [[nodiscard]] const mbedtls_ssl_config& config(Offer offer,
                                                 std::size_t preference) const noexcept;

 private:
  struct State;
  [[nodiscard]] int configure(mbedtls_ssl_config& config, TicketUse& use, base::Entropy& entropy);

  std::vector<Identity> identities_;
  std::unique_ptr<State> state_;
};

// The server's end of one handshake, from the first record on. Costs about 40 KiB while it lives.
class ServerHandshake final : public Handshake {
 public:
  // `first_record` is looked at to choose the suites, not kept: it is still to be given. `shown`,
  // which outlives this, becomes the identities of which one was shown.
  ServerHandshake(std::shared_ptr<const Context> context, base::Bytes first_record, Offer offer,
                  Context::Shown& shown);
  ~ServerHandshake() override;

  // `in` is a record; of plain handshake messages, one that holds one message, whole. A ClientHello
  // may be longer than a record: then the header's length means nothing.
  Progress advance(base::Bytes in, std::size_t& taken, std::vector<std::byte>& out) override;
  [[nodiscard]] const TrafficKeys& keys() const noexcept override;
  [[nodiscard]] std::string_view protocol() const noexcept override;
  [[nodiscard]] bool was_given_up() const noexcept override;
  [[nodiscard]] bool awaits_hello() const noexcept override;

 private:
  struct State;
  Progress advance_with_hello(base::Bytes record, std::size_t& taken, std::vector<std::byte>& out);
  std::unique_ptr<State> state_;
};

}  // namespace tls
