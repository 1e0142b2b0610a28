// SPDX-License-Identifier: ISC
// net/sockets/listener.hpp: a listening kernel socket, and the accept that waits on it.
//
// States:  ListeningSocket: open -> paused (accept4 fails, as without descriptors or memory; it
//          tries again after 50 ms, then after twice as long, up to 0.8 s) -> calm (it worked
//          again; 0.5 s without a failure) -> open; each of them -> broken (the socket can never
//          accept again: the accept fails with `reset`) or closed. Leaving `open` and coming back
//          to it is one log line each.
// Owns:    its descriptor.   Used by: net/sockets/sockets.hpp.   Source: accept(2).

#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "net/sockets/socket.hpp"
#include "net/stack.hpp"

namespace net::sockets {

// What the threads of a process share: the ports, in order, and for each the listening sockets of
// the threads that come after the first. It opens all of them, as it may be the only one that has
// the right to. Known before the others start; each takes its own away then.
struct PortShare {
  struct Port {
    std::uint16_t number;
    std::vector<base::Descriptor> of_others;  // the first is thread 1's
  };
  std::vector<Port> ports;
  std::shared_ptr<const ImageFile> image;
};

// How this thread's port stands to other threads' and other programs'.
enum class Sharing : std::uint8_t {
  none,    // no other process may listen
  first,   // no other program may listen; the threads that come later do
  joining  // with the first thread, which has bound the port already
};

struct BoundSocket {
  int fd;
  std::uint16_t port;
};
// A bound, listening, non-blocking socket; TCP_NODELAY is set, and its connections inherit it.
ListenResult<BoundSocket> open_listening_socket(const Endpoint& at, Sharing sharing,
                                                bool wait_for_first_bytes);

// The same of a socket that listens already.
[[nodiscard]] BoundSocket adopt_listening_socket(int fd, std::uint16_t port,
                                                 bool wait_for_first_bytes) noexcept;

class Accept;

class ListeningSocket final : public base::Watch {
 public:
  // Takes the descriptor over.
  ListeningSocket(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, Pool& pool,
                  const BoundSocket& open);
  ~ListeningSocket();
  // False: the kernel refused to watch it.
  [[nodiscard]] bool start() noexcept;
  void cancel() noexcept;
  void close() noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  friend class Accept;
  class Pause final : public base::Timer {
   public:
    Pause(base::Loop& loop, ListeningSocket& listening) noexcept
        : Timer(loop), listening_(listening) {}
    void expired() override { listening_.pause_is_over(); }

   private:
    ListeningSocket& listening_;
  };

  void run() override;
  enum class State : std::uint8_t { open, paused, calm, broken };
  void worked();
  void failed(int why);
  void pause_is_over();

  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  Pool& pool_;
  int fd_;
  std::uint16_t port_;
  Pause pause_;
  State state_ = State::open;
  base::Duration pause_for_{};
  base::Instant failing_since_{};
  int in_a_row_ = 0;  // attempts since the loop was last let through
  Accept* waiting_ = nullptr;
};

// The awaiter of an accept. The answer is socket(): null when it was cancelled, or when the socket
// is broken.
class [[nodiscard]] Accept {
 public:
  explicit Accept(ListeningSocket& listening) noexcept : listening_(&listening) {}
  ~Accept();
  Accept(const Accept&) = delete;
  Accept& operator=(const Accept&) = delete;
  bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept;
  [[nodiscard]] Socket* socket() const noexcept { return socket_; }
  // Why there is none.
  [[nodiscard]] Error error() const noexcept {
    const bool is_broken =
        listening_ != nullptr && listening_->state_ == ListeningSocket::State::broken;
    return is_broken && !cancelled_ ? Error::reset : Error::cancelled;
  }

 private:
  friend class ListeningSocket;
  bool attempt();

  ListeningSocket* listening_;
  std::coroutine_handle<> waiting_{};
  bool cancelled_ = false;
  Socket* socket_ = nullptr;
};

}  // namespace net::sockets
