// SPDX-License-Identifier: ISC
// net/flow.hpp: what it means to be a reliable, ordered stream of bytes between two ends.
//
// States:  Flow, Piece, Error.   Modelled by: net/sockets, net/lwip, tls.
// Used by: http/server.hpp.   May include: base only.
// Source:  the shape follows MirageOS's Mirage_flow.S; deadlines, borrowed reads and lasting pieces
//          are ours.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "net/endpoint.hpp"

namespace net {

using base::Bytes;

// Why a flow moved no more bytes. All are expected; none is logged as a fault.
enum class Error : std::uint8_t {
  ended,      // the peer finished sending, in order
  reset,      // the peer or the network broke the flow (a truncated TLS stream too)
  timed_out,  // nothing moved within the time allowed
  cancelled,  // cancel() or close() was called on this end
};

template <class T>
using Result = base::Result<T, Error>;

// Bytes to write, in place.
struct Piece {
  Bytes bytes;
  // The bytes never change and live as long as the stack: it may send them by reference, after
  // `write` has answered. Otherwise they need only live until then.
  bool lasting = false;
};

// A flow.
//
// The laws, which tests/net/laws_test.cpp checks by number on every flow:
//   1. read(n, within) gives at least 1 and at most n bytes (n > 0), or an Error. The bytes belong
//      to the flow and stand only until the reader next suspends or calls the flow: use or copy
//      them at once.
//   2. After a read answered an Error, no later read succeeds, and it answers the same Error
//      (timed_out and cancelled excepted, which a later read may outlive).
//   3. write(pieces, stall) answers when the flow has taken every byte of every piece, in order. It
//      fails with timed_out when the peer takes nothing for `stall`. After any write Error the
//      stream is broken: only close is left. Empty pieces and an empty span are allowed.
//   4. One read and one write may wait at the same time, not two of either.
//   5. shutdown(within) says in order that no more is written; reading goes on. write afterwards
//      fails.
//   6. cancel() makes a waiting read and write fail with `cancelled`, from the loop's next turn,
//      and is harmless without one. It does not close.
//   7. close() is immediate, frees what the flow holds, and is harmless twice; the destructor calls
//      it. Close after shutdown and a read that `ended` loses no byte on the way; otherwise the
//      peer may see a reset.
//   8. A flow is moved only while nothing waits on it.
//   9. protocol() is what ALPN negotiated (RFC 7301), "h2" for instance; empty: nothing was. It
//      stays the same, and its characters outlive the flow.
//  10. serves(host) says whether whoever opened the flow may take this end for `host`, without a
//      port: a flow with a certificate answers whether that covers it, any other flow yes.
template <class F>
concept Flow = std::movable<F> && requires(F& flow, std::size_t n, std::span<const Piece> pieces,
                                           base::Duration duration, std::string_view host) {
  { flow.read(n, duration) } -> base::AwaitableOf<Result<Bytes>>;
  { flow.write(pieces, duration) } -> base::AwaitableOf<Result<void>>;
  { flow.shutdown(duration) } -> base::AwaitableOf<Result<void>>;
  { flow.cancel() } -> std::same_as<void>;
  { flow.close() } -> std::same_as<void>;
  { flow.peer() } -> std::convertible_to<Endpoint>;
  { flow.protocol() } -> std::same_as<std::string_view>;
  { flow.serves(host) } -> std::same_as<bool>;
};

}  // namespace net
