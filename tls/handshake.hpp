// SPDX-License-Identifier: ISC
// tls/handshake.hpp: a handshake, of either end, as a session drives it.
//
// States:  Handshake.   Modelled by: tls/engine.hpp (the server), tls/client_engine.hpp.
// Used by: tls/session.cpp.   May include: base, tls/records.hpp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "tls/records.hpp"

namespace tls {

class Handshake {
 public:
  Handshake() = default;
  virtual ~Handshake() = default;
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  enum class Progress : std::uint8_t {
    more,    // needs the peer's next bytes
    done,    // keys() are there; bytes that were not taken belong to the record layer
    failed,  // what is in `out` tells the peer why
  };
  // Takes from the front of `in` what it can use, and appends to `out` what is to be sent.
  virtual Progress advance(base::Bytes in, std::size_t& taken, std::vector<std::byte>& out) = 0;

  [[nodiscard]] virtual const TrafficKeys& keys() const noexcept = 0;
  // Once it is done: the protocol that was agreed on, in characters that outlive the flow; empty:
  // none was offered.
  [[nodiscard]] virtual std::string_view protocol() const noexcept = 0;
  // It failed because the peer sent an alert: it wants no answer.
  [[nodiscard]] virtual bool was_given_up() const noexcept = 0;
  // The next message is a ClientHello, which is plain also after a change_cipher_spec.
  [[nodiscard]] virtual bool awaits_hello() const noexcept { return false; }
};

}  // namespace tls
