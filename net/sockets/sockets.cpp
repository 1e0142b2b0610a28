// SPDX-License-Identifier: ISC
#include "net/sockets/sockets.hpp"

#include <cerrno>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/sockets/address.hpp"

namespace net {

namespace {

// All threads send from one descriptor: sendfile says where from, and moves no position.
std::shared_ptr<const sockets::ImageFile> image_of(const Sockets::Options& options) {
  if (!options.sends_image) return nullptr;
  if (options.share == nullptr) return std::make_shared<const sockets::ImageFile>();
  if (options.share->image == nullptr) {
    options.share->image = std::make_shared<const sockets::ImageFile>();
  }
  return options.share->image;
}

}  // namespace

Sockets::Sockets(base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
                 const Options& options)
    : loop_(loop),
      descriptors_(descriptors),
      log_(log),
      options_(options),
      pool_(loop, descriptors, image_of(options)) {}

ListenResult<sockets::BoundSocket> Sockets::open_for_all(Endpoint at) {
  using sockets::Sharing;
  auto own = sockets::open_listening_socket(at, Sharing::first, options_.wait_for_first_bytes);
  if (!own) return own;
  at.port = own->port;
  sockets::PortShare::Port shared{own->port, {}};
  for (unsigned i = 1; i < options_.thread_count; ++i) {
    auto open = sockets::open_listening_socket(at, Sharing::joining, options_.wait_for_first_bytes);
    if (!open) {
      ::close(own->fd);
      return open;
    }
    shared.of_others.emplace_back(open->fd);
  }
  options_.share->ports.push_back(std::move(shared));
  return own;
}

std::optional<ListenResult<sockets::BoundSocket>> Sockets::take_over(std::uint16_t port) {
  const bool is_first = options_.share == nullptr || options_.thread_index == 0;
  if (!is_first || !options_.take_listening) return std::nullopt;
  const int fd = options_.take_listening(port);
  if (fd < 0) return std::nullopt;
  const sockets::BoundSocket own =
      sockets::adopt_listening_socket(fd, port, options_.wait_for_first_bytes);
  if (options_.share == nullptr) return own;
  // The threads accept from one queue.
  sockets::PortShare::Port shared{port, {}};
  for (unsigned i = 1; i < options_.thread_count; ++i) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      ::close(own.fd);
      return base::failure("no descriptor is left for port " + std::to_string(port));
    }
    shared.of_others.emplace_back(copy);
  }
  options_.share->ports.push_back(std::move(shared));
  return own;
}

ListenResult<Sockets::Listener> Sockets::listen(std::uint16_t port) {
  using sockets::Sharing;
  Endpoint at = options_.address;
  at.port = port;
  ListenResult<sockets::BoundSocket> open;
  if (auto taken = take_over(port)) {
    open = std::move(*taken);
  } else if (options_.share == nullptr) {
    open = sockets::open_listening_socket(at, Sharing::none, options_.wait_for_first_bytes);
  } else if (options_.thread_index == 0) {
    open = open_for_all(at);
  } else {
    CHECK(listened_count_ < options_.share->ports.size());
    auto& shared = options_.share->ports[listened_count_++];
    open = sockets::BoundSocket{shared.of_others.at(options_.thread_index - 1).release(),
                                shared.number};
  }
  if (!open) return base::failure(std::move(open.error()));
  auto listening =
      std::make_unique<sockets::ListeningSocket>(loop_, descriptors_, log_, pool_, *open);
  if (!listening->start()) {
    return base::failure("the kernel has no memory to watch port " + std::to_string(port));
  }
  return Listener(std::move(listening));
}

base::Task<Result<Sockets::Flow>> Sockets::connect(const Endpoint& to, base::Duration within) {
  sockets::Address address;
  const socklen_t size = sockets::to_kernel(to, address);
  int fd = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return base::failure(Error::reset);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!pool_.prepare()) {
    ::close(fd);
    co_return base::failure(Error::reset);
  }
  Flow flow(pool_.take(fd, to));
  int answer = ::connect(fd, &address.any, size);
  if (answer != 0 && errno != EINPROGRESS) co_return base::failure(Error::reset);
  if (answer != 0) {
    Result<void> connected = co_await flow.connected(within);
    if (!connected) co_return base::failure(connected.error());
  }
  co_return std::move(flow);
}

}  // namespace net
