// SPDX-License-Identifier: ISC
// tls/message_assembly.hpp: the plain messages of a handshake, put together from records.
//
// States:  LongHellos, MessageAssembly.   Used by: tls/session.cpp.
// Why:     a message may come in any number of records; mbedTLS wants it in one, whose version it
//          knows. A record's limits are no part of what the handshake authenticates.
// Bounds:  a ClientHello has at most hello_bytes_max, other messages fit a record.
// Source:  RFC 8446 section 5.1; RFC 5246 section 6.2.1 and appendix E.1.
// May include: base, tls/records.hpp.

#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "tls/records.hpp"

namespace tls {

// Bytes for ClientHellos that are longer than a record, of all sessions that share it: others are
// refused while those are on their way. It outlives them.
struct LongHellos {
  std::size_t bytes_left = 0;
};

class MessageAssembly {
 public:
  // All that a ClientHello can have: RFC 8446 section 4.1.2.
  static constexpr std::size_t hello_bytes_max = 131400;

  MessageAssembly() = default;
  ~MessageAssembly() { clear(); }
  MessageAssembly(const MessageAssembly&) = delete;
  MessageAssembly& operator=(const MessageAssembly&) = delete;

  void share(LongHellos& room) noexcept { long_hellos_ = &room; }

  [[nodiscard]] bool is_empty() const noexcept { return record_.empty(); }
  // As one record. A hello may be too long for that: then its header's length means nothing.
  [[nodiscard]] base::Bytes record() const noexcept { return record_; }

  // Adds a record; true: the message is whole. `is_first`: it must be a ClientHello, in a record of
  // any version 3,x.
  [[nodiscard]] base::Result<bool, Alert> add(base::Bytes record, bool is_first);
  void clear() noexcept;

 private:
  [[nodiscard]] base::Result<void, Alert> reserve(std::size_t size, bool is_hello);
  void give_back() noexcept;

  std::vector<std::byte> record_;
  LongHellos* long_hellos_ = nullptr;
  std::size_t long_hello_bytes_ = 0;  // taken from it
};

}  // namespace tls
