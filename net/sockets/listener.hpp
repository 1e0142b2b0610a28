// SPDX-License-Identifier: ISC
// net/sockets/listener.hpp: a listening kernel socket, and the accept that waits on it.
//
// States:  Door: open -> paused (no descriptor or memory left; every 50 ms it tries again) -> open;
//          open or paused -> closed.
// Owns:    its descriptor.   Used by: net/sockets/sockets.hpp.   Source: accept(2).

#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptors.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "net/sockets/socket.hpp"
#include "net/stack.hpp"

namespace net::sockets {

// Which ports the first thread has bound, in order, so that the others bind the same: they are
// known before the others start, and not changed afterwards.
struct PortShare {
  std::vector<std::uint16_t> ports;
};

// How this thread's port stands to other threads' and other programs'.
enum class Sharing : std::uint8_t {
  none,    // nobody else may listen
  first,   // no other program may listen; the threads that come later do
  joining  // with the first thread, which has bound the port already
};

struct OpenDoor {
  int fd;
  std::uint16_t port;
};
// A bound, listening, non-blocking socket; TCP_NODELAY is set, and its connections inherit it.
ListenResult<OpenDoor> open_door(const Endpoint& at, Sharing sharing, bool wait_for_first_bytes);

class Accept;

class Door final : public base::Watch {
 public:
  // Takes the descriptor over.
  Door(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, Pool& pool,
       const OpenDoor& open);
  ~Door();
  // False: the kernel refused to watch it.
  [[nodiscard]] bool start() noexcept;
  void cancel() noexcept;
  void close() noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  friend class Accept;
  class Pause final : public base::Timer {
   public:
    Pause(base::Loop& loop, Door& door) noexcept : Timer(loop), door_(door) {}
    void expired() override;

   private:
    Door& door_;
  };

  void run() override;
  void pause(int why);

  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  Pool& pool_;
  int fd_;
  std::uint16_t port_;
  Pause pause_;
  bool short_of_descriptors_ = false;  // said so once; until an accept succeeds
  int in_a_row_ = 0;                   // accepted since the loop was last let through
  Accept* waiting_ = nullptr;
};

// The awaiter of an accept. The answer is socket(): null when it was cancelled.
class [[nodiscard]] Accept {
 public:
  explicit Accept(Door& door) noexcept : door_(&door) {}
  ~Accept();
  Accept(const Accept&) = delete;
  Accept& operator=(const Accept&) = delete;
  bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept;
  [[nodiscard]] Socket* socket() const noexcept { return socket_; }

 private:
  friend class Door;
  bool attempt();

  Door* door_;
  std::coroutine_handle<> waiting_{};
  bool cancelled_ = false;
  Socket* socket_ = nullptr;
};

}  // namespace net::sockets
