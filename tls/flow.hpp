// SPDX-License-Identifier: ISC
// tls/flow.hpp: a connection whose session is open, as a flow.
//
// Models:   net::Flow, over another one.   Used by: tls/over.hpp, tls/client.hpp.
// Owns:     its connection.   May include: base, net/flow.hpp, tls/connection.hpp.

#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "net/flow.hpp"
#include "tls/connection.hpp"

namespace tls {

template <net::Flow Lower>
class SecureFlow {
 public:
  explicit SecureFlow(std::unique_ptr<Connection<Lower>> connection)
      : connection_(std::move(connection)) {}
  SecureFlow(SecureFlow&&) noexcept = default;
  SecureFlow& operator=(SecureFlow&&) noexcept = default;

  base::Task<net::Result<base::Bytes>> read(std::size_t n, base::Duration within) {
    return connection_->read(n, within);
  }
  base::Task<net::Result<void>> write(std::span<const net::Piece> pieces, base::Duration stall) {
    return connection_->write(pieces, stall);
  }
  base::Task<net::Result<void>> shutdown(base::Duration within) {
    return connection_->shutdown(within);
  }
  void cancel() { connection_->lower.cancel(); }
  void close() {
    if (connection_) connection_->lower.close();
  }
  [[nodiscard]] net::Endpoint peer() { return connection_->lower.peer(); }
  [[nodiscard]] std::string_view protocol() { return connection_->session.protocol(); }
  [[nodiscard]] bool serves(std::string_view host) { return connection_->session.serves(host); }

 private:
  std::unique_ptr<Connection<Lower>> connection_;
};

}  // namespace tls
