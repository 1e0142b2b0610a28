// SPDX-License-Identifier: ISC
// tls/early_data.hpp: which records of a client are 0-RTT data, that we do not take and must skip.
//
// States:  EarlyData: not offered, or awaited -> over.   Used by: tls/engine.cpp.
// Method:  RFC 8446 section 4.2.10. After a request for another key share, records of application
//          data are skipped until the second ClientHello. Otherwise a record that does not open
//          under the client's handshake key is one of early data, and the first that does is the
//          client's second flight. mbedTLS can skip only what belongs to a ticket that it knows.
// Bounds:  skipped_bytes_max; and nothing is skipped for a client that did not announce it.
// May include: base, crypto, tls/records.hpp.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/wipe.hpp"
#include "tls/records.hpp"

namespace tls {

class EarlyData {
 public:
  // What servers' tickets commonly allow is 16,384; records' headers and tags come to it.
  static constexpr std::size_t skipped_bytes_max = 65536;

  EarlyData() = default;
  ~EarlyData() { base::wipe(secret_); }
  EarlyData(const EarlyData&) = delete;
  EarlyData& operator=(const EarlyData&) = delete;

  // The client's first hello announced it.
  void announce() noexcept { is_awaited_ = true; }
  // The client's handshake traffic secret; the server has answered with its own flight.
  void set_secret(base::Bytes secret) noexcept;

  enum class Verdict : std::uint8_t { keep, skip, too_much };
  // Of a whole record, with its header, in the order in which they come.
  [[nodiscard]] Verdict judge(base::Bytes record);

 private:
  [[nodiscard]] bool opens(base::Bytes record) const;

  bool is_awaited_ = false;
  bool hello_seen_ = false;
  std::size_t skipped_bytes_ = 0;
  std::array<std::byte, secret_bytes_max> secret_{};
  std::size_t secret_bytes_ = 0;
};

}  // namespace tls
