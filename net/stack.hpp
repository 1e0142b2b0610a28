// SPDX-License-Identifier: ISC
// net/stack.hpp: what it means to be a place where flows come from.
//
// States:  Listener, ServerStack, ClientStack, Stack.   Modelled by: net/sockets, net/lwip;
//          tls::Over is a ServerStack.
// Used by: http/server.hpp.   May include: base only.
// Source:  the shape follows MirageOS's Tcpip.Stack; accepting is pulled by a coroutine instead of
//          pushed.

#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "net/endpoint.hpp"
#include "net/flow.hpp"

namespace net {

// Why a port could not be listened on: for start-up, so it is a sentence that names the port and
// what to do.
template <class T>
using ListenResult = base::Result<T, std::string>;

// Where connections to one port arrive.
//
// Laws (tests/net/laws_test.cpp):
//   1. accept() answers the next connection, in order of arrival; it waits without limit. Momentary
//      trouble (a peer that has gone, no descriptors left) is waited out inside, not answered. If
//      the port can never accept again, it fails with `reset`, from then on, and the log says why.
//   2. cancel() makes a waiting accept fail with `cancelled` from the loop's next turn.
//   3. close() frees the port at once; flows that were accepted go on. The destructor calls it.
//   4. port() is the port that is really bound (useful after listening on port 0).
template <class L>
concept Listener = std::movable<L> && requires(L& listener) {
  typename L::Flow;
  requires Flow<typename L::Flow>;
  { listener.accept() } -> base::AwaitableOf<Result<typename L::Flow>>;
  { listener.port() } -> std::same_as<std::uint16_t>;
  { listener.cancel() } -> std::same_as<void>;
  { listener.close() } -> std::same_as<void>;
};

// What accepts connections. A stack outlives its listeners and flows.
template <class S>
concept ServerStack = requires(S& stack, std::uint16_t port) {
  typename S::Flow;
  typename S::Listener;
  requires Listener<typename S::Listener>;
  requires std::same_as<typename S::Listener::Flow, typename S::Flow>;
  { stack.listen(port) } -> std::same_as<ListenResult<typename S::Listener>>;
};

// What opens connections.
template <class S>
concept ClientStack = requires(S& stack, const Endpoint& to, base::Duration within) {
  typename S::Flow;
  requires Flow<typename S::Flow>;
  { stack.connect(to, within) } -> base::AwaitableOf<Result<typename S::Flow>>;
};

template <class S>
concept Stack = ServerStack<S> && ClientStack<S>;

}  // namespace net
