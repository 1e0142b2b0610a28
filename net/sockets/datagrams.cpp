// SPDX-License-Identifier: ISC
#include "net/sockets/datagrams.hpp"

#include <cerrno>
#include <new>

#include <sys/socket.h>

#include "net/sockets/address.hpp"

namespace net::sockets {

ReceiveDatagram::ReceiveDatagram(DatagramSocket& socket, base::Duration within) noexcept
    : Call(socket, socket.read_side_, within), socket_(socket) {}

bool ReceiveDatagram::attempt() noexcept {
  if (socket_.read_over_) return fail(*socket_.read_over_);
  if (!socket_.readable) return false;
  auto& buffer = socket_.buffer_;
  ssize_t got;
  do {
    got = ::recv(socket_.fd_.get(), buffer.data(), buffer.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) {
    bytes_ = {buffer.data(), static_cast<std::size_t>(got)};
    return true;
  }
  if (errno != EAGAIN) return fail(Error::reset);  // and the error is taken: there may be more
  socket_.readable = false;
  return false;
}

Result<Bytes> ReceiveDatagram::await_resume() const noexcept {
  return outcome().transform([this] { return bytes_; });
}

DatagramSocket::DatagramSocket(base::Loop& loop, base::Descriptors& descriptors,
                               base::Descriptor fd) noexcept
    : Calls(loop, *this), descriptors_(descriptors), fd_(std::move(fd)) {
  readable = true;  // until a call says otherwise
  Calls::take();
}

bool DatagramSocket::can_wait() noexcept {
  if (!is_watched_) is_watched_ = descriptors_.watch(fd_.get(), *this);
  return is_watched_;
}

Result<void> DatagramSocket::send(Bytes bytes) noexcept {
  ssize_t sent;
  do {
    sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  // A full queue loses it, as the way may. What an earlier one met is told by the next call: it is
  // for who receives, so this one is sent again.
  if (sent < 0 && errno == ECONNREFUSED) {
    sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  if (sent < 0 && errno != EAGAIN && errno != ENOBUFS) return base::failure(Error::reset);
  return {};
}

void DatagramSocket::release() noexcept {
  if (is_watched_) descriptors_.forget(fd_.get(), *this);
  fd_ = base::Descriptor();
  read_over_ = write_over_ = Error::cancelled;
  fail_waiting(Error::cancelled);
  Calls::release();
}

Result<Datagrams> Datagrams::open(base::Loop& loop, base::Descriptors& descriptors,
                                  const Endpoint& peer) noexcept {
  Address address;
  const socklen_t size = to_kernel(peer, address);
  base::Descriptor fd(
      ::socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), &address.any, size) != 0) return base::failure(Error::reset);
  auto* socket = new (std::nothrow) DatagramSocket(loop, descriptors, std::move(fd));
  if (socket == nullptr) return base::failure(Error::reset);
  return Datagrams(*socket);
}

}  // namespace net::sockets
