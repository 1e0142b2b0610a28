// SPDX-License-Identifier: ISC
// net/sockets/socket.hpp: one connected kernel socket, and the calls that wait on it.
//
// States:  Socket: taken (a Flow has it) -> closed -> free in its Pool, when no call waits.
// Owns:    Pool owns every Socket; a Socket owns its descriptor.
// Used by: net/sockets/sockets.hpp.
// Cost:    a read is one recv, a write one send or sendmsg; neither allocates, neither has a
//          coroutine frame. A socket is watched by epoll only from the first call that has to wait,
//          so a connection that brings its request along is never registered.
// Rules:   1. A direction is tried only while its flag (base::Watch) is set. A short read means
//             that the queue is empty, so the next read waits for an edge instead of asking for
//             EAGAIN; after a hangup there is no further edge, so then the flag stays.
//          2. net/calls.hpp's.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/descriptors.hpp"
#include "base/loop.hpp"
#include "net/calls.hpp"
#include "net/pieces.hpp"
#include "net/sockets/image_file.hpp"

namespace net::sockets {

class Pool;
class Socket;

class [[nodiscard]] Read final : public Call {
 public:
  Read(Socket& socket, std::size_t bytes_max, base::Duration within) noexcept;
  Result<Bytes> await_resume() const noexcept;

 private:
  bool attempt() noexcept override;

  Socket& socket_;
  std::size_t bytes_max_;
  Bytes bytes_;
};

class [[nodiscard]] Write final : public Call {
 public:
  Write(Socket& socket, std::span<const Piece> pieces, base::Duration stall) noexcept;
  Result<void> await_resume() const noexcept { return outcome(); }

 private:
  bool attempt() noexcept override;
  // One system call; the bytes that it took, or -1 with errno. `asked` is what it was given.
  std::ptrdiff_t send_some(std::size_t& asked) noexcept;
  std::ptrdiff_t send_from_file(Bytes bytes, std::int64_t offset, std::size_t& asked) noexcept;
  // Where a piece is in the program's file, if it should be sent from there.
  [[nodiscard]] std::optional<std::int64_t> place_in_file(const Piece& piece) const noexcept;

  Socket& socket_;
  PiecesLeft left_;
};

// Waits until a non-blocking connect has succeeded or failed.
class [[nodiscard]] Connected final : public Call {
 public:
  Connected(Socket& socket, base::Duration within) noexcept;
  Result<void> await_resume() const noexcept { return outcome(); }

 private:
  bool attempt() noexcept override;

  Socket& socket_;
};

class Socket final : public base::Watch, private Calls {
 public:
  explicit Socket(Pool& pool) noexcept;

  void take(int fd, const Endpoint& peer) noexcept;
  Result<void> shutdown() noexcept;
  void cancel() noexcept;
  void close() noexcept;
  // close(), and back to the pool when the last waiting call has its answer.
  void release() noexcept;
  [[nodiscard]] const Endpoint& peer() const noexcept { return peer_; }

 private:
  friend class Pool;
  friend class Read;
  friend class Write;
  friend class Connected;

  void run() override { answer_one(); }
  bool can_wait() noexcept override;
  void put_back() noexcept override;

  Pool& pool_;
  int fd_ = -1;
  bool watched_ = false;
  Endpoint peer_;
  Socket* next_free_ = nullptr;
};

// The sockets of one loop, and the buffer that all their reads share: what a read gives stands
// until the reader suspends, and until then no other flow of the loop reads.
class Pool {
 public:
  // `image` may be other pools', too.
  Pool(base::Loop& loop, base::Descriptors& descriptors, std::shared_ptr<const ImageFile> image);
  // Every flow must have gone, with its waiting calls; it is checked.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Makes sure that there is a free socket. False: no memory. At most as many are made as there
  // are descriptors.
  [[nodiscard]] bool prepare() noexcept;
  // After prepare().
  Socket& take(int fd, const Endpoint& peer) noexcept;
  void put(Socket& socket) noexcept;
  [[nodiscard]] std::size_t taken_count() const noexcept { return taken_count_; }

  static constexpr std::size_t read_bytes_max = 65536;
  // Lasting pieces from this size on are sent from the program's file, if they are in it: below, a
  // copy is cheaper than the second system call.
  std::size_t from_file_bytes_min = 65536;

 private:
  friend class Socket;
  friend class Read;
  friend class Write;
  base::Loop& loop_;
  base::Descriptors& descriptors_;
  std::shared_ptr<const ImageFile> image_;  // null: nothing is sent from it
  std::unique_ptr<std::byte[]> buffer_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  Socket* free_ = nullptr;
  std::size_t taken_count_ = 0;
};

}  // namespace net::sockets
