// SPDX-License-Identifier: ISC
#include "net/sockets/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace net::sockets {

namespace {

// One sendmsg: enough pieces for any response head and body; a longer list takes several.
constexpr std::size_t pieces_per_send_max = 64;
static_assert(pieces_per_send_max <= 1024, "IOV_MAX of Linux");

// One send, and one turn of a write that never has to wait: other flows get their turn too.
constexpr std::size_t send_bytes_max = std::size_t{1} << 21;
constexpr std::size_t turn_bytes_max = std::size_t{1} << 22;

}  // namespace

// ---- Read

Read::Read(Socket& socket, std::size_t bytes_max, base::Duration within) noexcept
    : Call(socket, socket.read_side_, within),
      socket_(socket),
      bytes_max_(std::min(bytes_max, Pool::read_bytes_max)) {
  CHECK(bytes_max > 0);
}

bool Read::attempt() noexcept {
  if (socket_.read_over_) return fail(*socket_.read_over_);
  if (!socket_.readable) return false;
  std::byte* buffer = socket_.pool_.buffer_.get();
  ssize_t got;
  do {
    got = ::recv(socket_.fd_, buffer, bytes_max_, 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    bytes_ = {buffer, static_cast<std::size_t>(got)};
    if (bytes_.size() < bytes_max_ && !socket_.hangup) socket_.readable = false;
    return true;
  }
  if (got < 0 && errno == EAGAIN) {
    socket_.readable = false;
    return false;
  }
  socket_.read_over_ = got == 0 ? Error::ended : Error::reset;
  return fail(*socket_.read_over_);
}

Result<Bytes> Read::await_resume() const noexcept {
  return outcome().transform([this] { return bytes_; });
}

// ---- Write

Write::Write(Socket& socket, std::span<const Piece> pieces, base::Duration stall) noexcept
    : Call(socket, socket.write_side_, stall), socket_(socket), left_(pieces) {}

std::optional<std::int64_t> Write::place_in_file(const Piece& piece) const noexcept {
  const Pool& pool = socket_.pool_;
  if (!piece.lasting || piece.bytes.size() < pool.from_file_bytes_min) return {};
  return pool.image_ != nullptr ? pool.image_->find(piece.bytes) : std::nullopt;
}

std::ptrdiff_t Write::send_from_file(Bytes bytes, std::int64_t offset,
                                     std::size_t& asked) noexcept {
  asked = std::min(bytes.size(), send_bytes_max);
  off_t from = offset;
  return ::sendfile(socket_.fd_, socket_.pool_.image_->fd(), &from, asked);
}

std::ptrdiff_t Write::send_some(std::size_t& asked) noexcept {
  const Bytes first = left_.first();
  if (auto place = place_in_file(left_.pieces().front())) {
    return send_from_file(first, *place + static_cast<std::int64_t>(left_.offset()), asked);
  }
  std::array<iovec, pieces_per_send_max> vectors;
  std::size_t count = 0;
  int flags = MSG_NOSIGNAL;
  asked = 0;
  for (const Piece& piece : left_.pieces()) {
    if (count > 0 && place_in_file(piece)) {
      flags |= MSG_MORE;  // so that a head travels in the same segment as its body
      break;
    }
    Bytes bytes = count == 0 ? first : piece.bytes;
    bytes = bytes.first(std::min(bytes.size(), send_bytes_max - asked));
    vectors[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    asked += bytes.size();
    if (count == pieces_per_send_max || asked == send_bytes_max) break;
  }
  if (count == 1) return ::send(socket_.fd_, vectors[0].iov_base, asked, flags);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket_.fd_, &message, flags);
}

bool Write::attempt() noexcept {
  if (socket_.write_over_) return fail(*socket_.write_over_);
  if (left_.is_empty()) return true;
  std::size_t sent = 0;
  while (socket_.writable) {
    std::size_t asked = 0;
    std::ptrdiff_t put = send_some(asked);
    if (put < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {
        socket_.write_over_ = Error::reset;
        return fail(Error::reset);
      }
      put = 0;
    }
    left_.advance(static_cast<std::size_t>(put));
    if (left_.is_empty()) return true;
    sent += static_cast<std::size_t>(put);
    if (static_cast<std::size_t>(put) < asked) {
      socket_.writable = false;
    } else if (sent >= turn_bytes_max) {
      socket_.wake();
      break;
    }
  }
  if (sent > 0) extend();
  return false;
}

// ---- Connected

Connected::Connected(Socket& socket, base::Duration within) noexcept
    : Call(socket, socket.write_side_, within), socket_(socket) {
  socket.writable = false;
}

bool Connected::attempt() noexcept {
  if (socket_.write_over_) return fail(*socket_.write_over_);
  if (!socket_.writable) return false;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_.fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == ETIMEDOUT) return fail(Error::timed_out);
  return error == 0 || fail(Error::reset);
}

// ---- Socket

Socket::Socket(Pool& pool) noexcept : Calls(pool.loop_, *this), pool_(pool) {}

void Socket::take(int fd, const Endpoint& peer) noexcept {
  fd_ = fd;
  peer_ = peer;
  watched_ = hangup = false;
  readable = writable = true;  // until a call says otherwise
  Calls::take();
}

bool Socket::can_wait() noexcept {
  // Registering reports what is there already, so no edge is lost between the call and it.
  if (!watched_) watched_ = pool_.descriptors_.watch(fd_, *this);
  return watched_;
}

Result<void> Socket::shutdown() noexcept {
  if (write_over_) return base::failure(*write_over_);
  write_over_ = Error::cancelled;
  if (::shutdown(fd_, SHUT_WR) != 0) return base::failure(Error::reset);
  return {};
}

void Socket::cancel() noexcept { fail_waiting(Error::cancelled); }

void Socket::close() noexcept {
  if (fd_ < 0) return;
  if (watched_) pool_.descriptors_.forget(fd_, *this);
  ::close(fd_);
  fd_ = -1;
  read_over_ = write_over_ = Error::cancelled;
  fail_waiting(Error::cancelled);
}

void Socket::release() noexcept {
  close();
  Calls::release();
}

void Socket::put_back() noexcept { pool_.put(*this); }

// ---- Pool

Pool::Pool(base::Loop& loop, base::Descriptors& descriptors, std::shared_ptr<const ImageFile> image)
    : loop_(loop),
      descriptors_(descriptors),
      image_(std::move(image)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(read_bytes_max)) {}

Pool::~Pool() { CHECK(taken_count_ == 0); }

bool Pool::prepare() noexcept {
  if (free_ != nullptr) return true;
  try {
    sockets_.push_back(std::make_unique<Socket>(*this));
  } catch (const std::bad_alloc&) {
    return false;
  }
  free_ = sockets_.back().get();
  return true;
}

Socket& Pool::take(int fd, const Endpoint& peer) noexcept {
  CHECK(free_ != nullptr);
  Socket& socket = *free_;
  free_ = std::exchange(socket.next_free_, nullptr);
  ++taken_count_;
  socket.take(fd, peer);
  return socket;
}

void Pool::put(Socket& socket) noexcept {
  socket.unschedule();
  socket.next_free_ = std::exchange(free_, &socket);
  --taken_count_;
}

}  // namespace net::sockets
