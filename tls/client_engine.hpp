// SPDX-License-Identifier: ISC
// tls/client_engine.hpp: the client's handshake, made by mbedTLS behind this header.
//
// States:  Refusal, Problem, ClientContext, ClientHandshake.   Used by: tls/client.hpp.
// Policy:  TLS 1.3 and 1.2; ECDHE on x25519, P-256 and P-384; certificates are required, up to an
//          anchor, with ECDSA on P-256 and P-384 or RSA from 2048 bits on, signed with SHA-256 or
//          better, in date, and with the host among their subject alternative names (RFC 9525). No
//          resumption, no renegotiation, no certificate of its own.
// May include: base, tls/{anchors,handshake}.hpp.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/entropy.hpp"
#include "tls/anchors.hpp"
#include "tls/handshake.hpp"

struct mbedtls_ssl_config;

namespace tls {

// Why there is no session with a server.
enum class Refusal : std::uint8_t {
  none,
  clock_not_set,  // certificates cannot be checked yet
  no_memory,      // or too many connections at once
  bad_name,       // what is to be connected to is no host's name
  not_reached,    // the lower stack did not connect
  timed_out,
  cut,              // the server ended the connection in the handshake
  no_tls,           // what the server says is no TLS
  old_version,      // it is neither TLS 1.3 nor 1.2
  alert,            // the server refused by an alert
  no_protocol,      // it speaks none of the application protocols (RFC 7301)
  wrong_name,       // its certificate is for others
  expired,          // a certificate of its chain
  not_yet_valid,    // a certificate of its chain
  unknown_issuer,   // the chain leads to no anchor
  bad_certificate,  // not for servers, of a kind that is not supported, or broken
  broken,           // the server breaks TLS's rules; a wrong signature is among that
};

// And a sentence for a log, which begins with the host; what the server says is made printable.
struct Problem {
  Refusal why = Refusal::none;
  std::string text;
};

// What the connections of a client share. Never changed, safe to use from several threads.
class ClientContext {
 public:
  // `protocols` are offered by ALPN, the first one preferred; none: no ALPN. `entropy` outlives the
  // program's last connection.
  ClientContext(std::shared_ptr<const Anchors> anchors, base::Entropy& entropy,
                std::vector<std::string> protocols = {});
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  [[nodiscard]] const Anchors& anchors() const noexcept { return *anchors_; }
  [[nodiscard]] const std::vector<std::string>& protocols() const noexcept { return protocols_; }
  [[nodiscard]] const mbedtls_ssl_config& config() const noexcept { return *config_; }

 private:
  struct Free {
    void operator()(mbedtls_ssl_config* config) const noexcept;
  };
  std::shared_ptr<const Anchors> anchors_;
  std::vector<std::string> protocols_;
  std::vector<const char*> protocol_list_;  // as mbedTLS wants it
  std::unique_ptr<mbedtls_ssl_config, Free> config_;
};

// The client's end of one handshake. Costs about 45 KiB while it lives.
class ClientHandshake final : public Handshake {
 public:
  // `host` is a DNS name, or an IP address as text, which is not said to the server. `problem`
  // outlives this: it is set when the handshake fails. `now_s`: seconds since 1970-01-01 UTC.
  ClientHandshake(std::shared_ptr<const ClientContext> context, std::string_view host,
                  std::int64_t now_s, Problem& problem);
  ~ClientHandshake() override;

  Progress advance(base::Bytes in, std::size_t& taken, std::vector<std::byte>& out) override;
  [[nodiscard]] const TrafficKeys& keys() const noexcept override;
  [[nodiscard]] std::string_view protocol() const noexcept override;
  [[nodiscard]] bool was_given_up() const noexcept override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A DNS name of at most 253 characters, in ASCII (letters, digits, '-', '_' and '.'), or an IP
// address.
[[nodiscard]] bool is_host(std::string_view host) noexcept;

// "handshake_failure", of the code of an alert; unknown ones as their number.
[[nodiscard]] std::string alert_text(unsigned code);

}  // namespace tls
