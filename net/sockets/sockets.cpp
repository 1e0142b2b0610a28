// SPDX-License-Identifier: ISC
#include "net/sockets/sockets.hpp"

#include <cerrno>

#include <netinet/tcp.h>
#include <unistd.h>

#include "net/sockets/address.hpp"

namespace net {

Sockets::Sockets(base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
                 const Options& options)
    : loop_(loop),
      descriptors_(descriptors),
      log_(log),
      options_(options),
      pool_(loop, descriptors) {}

ListenResult<Sockets::Listener> Sockets::listen(std::uint16_t port) {
  using sockets::Sharing;
  Endpoint at = options_.address;
  at.port = port;
  auto sharing = Sharing::none;
  if (options_.share != nullptr) {
    sharing = options_.thread_index == 0 ? Sharing::first : Sharing::joining;
  }
  if (sharing == Sharing::joining) {
    CHECK(listened_count_ < options_.share->ports.size());
    at.port = options_.share->ports[listened_count_++];
  }
  auto open = sockets::open_door(at, sharing, options_.wait_for_first_bytes);
  if (!open) return base::failure(std::move(open.error()));
  if (sharing == Sharing::first) options_.share->ports.push_back(open->port);
  auto door = std::make_unique<sockets::Door>(loop_, descriptors_, log_, pool_, *open);
  if (!door->start()) {
    return base::failure("the kernel has no memory to watch port " + std::to_string(port));
  }
  return Listener(std::move(door));
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
