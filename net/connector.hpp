// SPDX-License-Identifier: ISC
// net/connector.hpp: what opens flows to names.
//
// States:  Connector, ConnectResult.   Modelled by: net/resolver/dialer.hpp.
// Used by: http/client.   May include: base, net/flow.hpp.

#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "net/flow.hpp"

namespace net {

// Why there is no flow. `what` is a sentence for the log that names the host, the port and what
// failed, for each address that was tried; empty: there was no memory for it.
struct ConnectFailure {
  Error error = Error::reset;
  std::string what{};
};
template <class T>
using ConnectResult = base::Result<T, ConnectFailure>;

// Laws (tests/net/resolver/dialer_test.cpp):
//   1. connect(host, port, within) answers a flow to `host`, or a ConnectFailure after at most
//      `within`. `host` is a name or the text of an address, without brackets; it need only live
//      until the answer.
//   2. It throws nothing: that there was no memory is a failure too.
//   3. Destroying what waits for it closes what was opened.
template <class C>
concept Connector = requires(C& connector, std::string_view host, std::uint16_t port,
                             base::Duration within) {
  typename C::Flow;
  requires Flow<typename C::Flow>;
  { connector.connect(host, port, within) } -> base::AwaitableOf<ConnectResult<typename C::Flow>>;
};

}  // namespace net
