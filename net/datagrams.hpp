// SPDX-License-Identifier: ISC
// net/datagrams.hpp: what it means to exchange datagrams (UDP) with one peer.
//
// States:  Datagrams, DatagramStack.   Modelled by: net/sockets, net/lwip.
// Used by: net/resolver.   May include: base only.
// Source:  RFC 768; ports by RFC 6056, algorithm 1.

#pragma once

#include <concepts>
#include <cstddef>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "net/endpoint.hpp"
#include "net/flow.hpp"

namespace net {

// The largest datagram that is sent or received.
inline constexpr std::size_t datagram_bytes_max = 4096;

// Datagrams to one peer and from it, from a port of ours that cannot be predicted.
//
// Laws (tests/net/datagrams_test.cpp):
//   1. receive(within) gives one datagram of the peer, its address and its port, whole, and in the
//      order in which they came; an Error otherwise. Larger ones than datagram_bytes_max are cut.
//      The bytes stand until the next call.
//   2. Datagrams of others are never given.
//   3. send(bytes) never waits. That it succeeded says nothing of arrival; it fails with `reset`
//      where nothing can be sent at all. Datagrams may be lost, never cut.
//   4. receive fails with timed_out after `within`, and with `reset` where the stack hears from the
//      network that the peer is not there; a later receive may succeed.
//   5. cancel() makes a waiting receive fail with `cancelled`, from the loop's next turn; the
//      destructor frees the port at once.
template <class D>
concept Datagrams = std::movable<D> && requires(D& datagrams, Bytes bytes, base::Duration within) {
  { datagrams.send(bytes) } -> std::same_as<Result<void>>;
  { datagrams.receive(within) } -> base::AwaitableOf<Result<Bytes>>;
  { datagrams.cancel() } -> std::same_as<void>;
};

// What opens them. It fails with `reset` where there is no port, no way to the peer or no memory.
template <class S>
concept DatagramStack = requires(S& stack, const Endpoint& peer) {
  typename S::Datagrams;
  requires Datagrams<typename S::Datagrams>;
  { stack.open_datagrams(peer) } -> std::same_as<Result<typename S::Datagrams>>;
};

}  // namespace net
