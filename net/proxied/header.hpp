// SPDX-License-Identifier: ISC
// net/proxied/header.hpp: what a proxy says of a connection before the connection's own bytes.
//
// States:  Header.   Used by: net/proxied/over.hpp.   May include: base, net/endpoint.hpp.
// Source:  The PROXY protocol, versions 1 and 2 (HAProxy Technologies, proxy-protocol.txt).
// Rule:    a header is taken byte for byte as the specification writes it, or refused. wanted()
//          never asks for a byte behind it, so the connection's own bytes stay in the flow.
// Left:    TLVs of version 2 are skipped, a checksum among them too.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "net/endpoint.hpp"

namespace net::proxied {

class Header {
 public:
  enum class State : std::uint8_t { reading, complete, refused };

  [[nodiscard]] State state() const noexcept { return state_; }

  // How many bytes may be read next: at least 1 while `reading`.
  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  // At most wanted() bytes, in order.
  void take(base::Bytes bytes) noexcept;

  // Of a complete one: where the client's connection to the proxy comes from. Nothing: the proxy
  // speaks for itself (LOCAL), or does not know (UNKNOWN, UNSPEC, Unix sockets).
  [[nodiscard]] const std::optional<Endpoint>& source() const noexcept { return source_; }

 private:
  void take_text() noexcept;
  void take_binary() noexcept;
  void finish(const std::optional<Endpoint>& source) noexcept {
    state_ = State::complete;
    source_ = source;
  }
  [[nodiscard]] std::string_view kept() const noexcept { return {kept_.data(), kept_count_}; }

  State state_ = State::reading;
  std::size_t wanted_ = 12;       // no header is shorter
  std::array<char, 107> kept_{};  // the longest of version 1; of version 2 up to the addresses
  std::uint8_t kept_count_ = 0;
  bool is_skipping_ = false;  // of version 2, what is behind them
  std::size_t left_to_skip_ = 0;
  std::optional<Endpoint> source_;
};

}  // namespace net::proxied
