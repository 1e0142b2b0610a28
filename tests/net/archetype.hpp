// SPDX-License-Identifier: ISC
// tests/net/archetype.hpp: the least that models Flow, Listener, Stack, Connector and NetDevice.
//
// A template that is instantiated on these uses nothing of its parameters but what the concepts
// say: no copying, no default constructor, no member that only some stack has. Never run.

#pragma once

#include <utility>

#include "base/task.hpp"
#include "net/connector.hpp"
#include "net/device.hpp"
#include "net/flow.hpp"
#include "net/stack.hpp"

namespace net {

// Awaitable as little as can be: by operator co_await, an rvalue only.
template <class T>
class ArchetypeAnswer {
 public:
  struct Awaiter {
    static bool await_ready() { return true; }
    static void await_suspend(std::coroutine_handle<>) {}
    static T await_resume() { base::panic(__FILE__, __LINE__, "an archetype was run"); }
  };
  Awaiter operator co_await() && { return {}; }
  ArchetypeAnswer() = default;
  ArchetypeAnswer(const ArchetypeAnswer&) = delete;
  ArchetypeAnswer& operator=(const ArchetypeAnswer&) = delete;
};

// Converts to an Endpoint and is none.
struct ArchetypePeer {
  operator Endpoint() const { return {}; }  // NOLINT: as the concept has it
};

class ArchetypeFlow {
 public:
  ArchetypeFlow() = delete;
  ArchetypeFlow(const ArchetypeFlow&) = delete;
  ArchetypeFlow(ArchetypeFlow&&) = default;
  ArchetypeFlow& operator=(const ArchetypeFlow&) = delete;
  ArchetypeFlow& operator=(ArchetypeFlow&&) = default;
  ArchetypeAnswer<Result<Bytes>> read(std::size_t, base::Duration) { return {}; }
  ArchetypeAnswer<Result<void>> write(std::span<const Piece>, base::Duration) { return {}; }
  ArchetypeAnswer<Result<void>> shutdown(base::Duration) { return {}; }
  void cancel() {}
  void close() {}
  ArchetypePeer peer() { return {}; }
  std::string_view protocol() { return {}; }
  bool serves(std::string_view) { return true; }
};
static_assert(Flow<ArchetypeFlow>);

class ArchetypeConnector {
 public:
  using Flow = ArchetypeFlow;
  ArchetypeConnector() = delete;
  ArchetypeConnector(const ArchetypeConnector&) = delete;
  ArchetypeConnector& operator=(const ArchetypeConnector&) = delete;
  ArchetypeAnswer<ConnectResult<Flow>> connect(std::string_view, std::uint16_t, base::Duration) {
    return {};
  }
};
static_assert(Connector<ArchetypeConnector>);

class ArchetypeListener {
 public:
  using Flow = ArchetypeFlow;
  ArchetypeListener() = delete;
  ArchetypeListener(const ArchetypeListener&) = delete;
  ArchetypeListener(ArchetypeListener&&) = default;
  ArchetypeListener& operator=(const ArchetypeListener&) = delete;
  ArchetypeListener& operator=(ArchetypeListener&&) = default;
  ArchetypeAnswer<Result<Flow>> accept() { return {}; }
  std::uint16_t port() { return 0; }
  void cancel() {}
  void close() {}
};
static_assert(Listener<ArchetypeListener>);

class ArchetypeServerStack {
 public:
  using Flow = ArchetypeFlow;
  using Listener = ArchetypeListener;
  ArchetypeServerStack() = delete;
  ArchetypeServerStack(const ArchetypeServerStack&) = delete;
  ArchetypeServerStack& operator=(const ArchetypeServerStack&) = delete;
  ListenResult<Listener> listen(std::uint16_t) { return base::failure(std::string()); }
};
static_assert(ServerStack<ArchetypeServerStack> && !ClientStack<ArchetypeServerStack>);

class ArchetypeClientStack {
 public:
  using Flow = ArchetypeFlow;
  ArchetypeClientStack() = delete;
  ArchetypeClientStack(const ArchetypeClientStack&) = delete;
  ArchetypeClientStack& operator=(const ArchetypeClientStack&) = delete;
  ArchetypeAnswer<Result<Flow>> connect(const Endpoint&, base::Duration) { return {}; }
};
static_assert(ClientStack<ArchetypeClientStack> && !ServerStack<ArchetypeClientStack>);

class ArchetypeDevice {
 public:
  ArchetypeDevice() = delete;
  ArchetypeDevice(const ArchetypeDevice&) = delete;
  ArchetypeDevice& operator=(const ArchetypeDevice&) = delete;
  static Mac mac() { return {}; }
  static std::size_t mtu_bytes() { return 0; }
  static Offload offload() { return {}; }
  bool send(const FrameOut&, Release) { return false; }
  std::optional<FrameIn> receive() { return {}; }
  void listen(base::Work*, base::Work*) {}
};
static_assert(NetDevice<ArchetypeDevice>);

}  // namespace net
