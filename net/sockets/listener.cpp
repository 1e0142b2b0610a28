// SPDX-License-Identifier: ISC
#include "net/sockets/listener.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <netinet/tcp.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "net/sockets/address.hpp"

namespace net::sockets {

namespace {

using base::Descriptor;

// Connections that are complete and not accepted; the kernel cuts it to net.core.somaxconn.
constexpr int backlog = 4096;

// While connections come faster than they are accepted, the loop is let through so often.
constexpr int accepts_in_a_row_max = 64;

constexpr base::Duration pause_duration = std::chrono::milliseconds(50);

std::string sentence(int why, std::uint16_t port) {
  std::string text = "port " + std::to_string(port);
  if (why == EADDRINUSE) {
    return text + " is taken by another program: stop it (ss -ltnp shows which), or choose " +
           "another port";
  }
  if (why == EACCES) {
    return text + " is privileged: start as root, give the program the right (setcap " +
           "cap_net_bind_service=+ep FILE), or choose a port from 1024 on";
  }
  text.insert(0, "cannot listen on ");
  if (why == EADDRNOTAVAIL) {
    return text + ": the address is none of this machine's; ip address lists those that are";
  }
  return text + ": " + std::strerror(why);
}

bool set_option(const Descriptor& socket, int level, int option, int value) noexcept {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

bool has_no_ipv6(int why) noexcept {
  return why == EAFNOSUPPORT || why == EPROTONOSUPPORT || why == EADDRNOTAVAIL;
}

// 0, or errno.
int bind_and_listen(const Descriptor& socket, const Endpoint& at, Sharing sharing) noexcept {
  Address address;
  const socklen_t size = to_kernel(at, address);
  // The first of several threads binds alone, so that it notices another program; only then does
  // it let the others in.
  if (sharing == Sharing::joining && !set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1)) return errno;
  if (::bind(socket.get(), &address.any, size) != 0) return errno;
  if (sharing == Sharing::first && !set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1)) return errno;
  return ::listen(socket.get(), backlog) == 0 ? 0 : errno;
}

bool is_transient(int error) noexcept {
  switch (error) {  // accept(2): already-pending network errors, to be treated as EAGAIN
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

ListenResult<OpenDoor> open_door(const Endpoint& at, Sharing sharing, bool wait_for_first_bytes) {
  const bool every_address = at == Endpoint{{}, at.port};
  const int family = is_ipv4(at) ? AF_INET : AF_INET6;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int why = socket.get() < 0 ? errno : 0;
  if (why == 0) {
    set_option(socket, SOL_SOCKET, SO_REUSEADDR,
               1);  // over connections of an earlier run in TIME_WAIT
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    if (family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, every_address ? 0 : 1);
    if (wait_for_first_bytes) set_option(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    why = bind_and_listen(socket, at, sharing);
  }
  if (every_address && has_no_ipv6(why)) {
    return open_door(ipv4(0, 0, 0, 0, at.port), sharing, wait_for_first_bytes);
  }
  if (why != 0) return base::failure(sentence(why, at.port));
  Address bound;
  socklen_t size = sizeof bound;
  if (getsockname(socket.get(), &bound.any, &size) != 0) {
    return base::failure(sentence(errno, at.port));
  }
  return OpenDoor{socket.release(), from_kernel(bound).port};
}

// ---- Door

Door::Door(base::Loop& loop, base::Descriptors& descriptors, base::Log& log, Pool& pool,
           const OpenDoor& open)
    : loop_(loop),
      descriptors_(descriptors),
      log_(log),
      pool_(pool),
      fd_(open.fd),
      port_(open.port),
      pause_(loop, *this) {}

Door::~Door() {
  close();
  if (waiting_ != nullptr) waiting_->door_ = nullptr;
}

bool Door::start() noexcept {
  readable = true;
  return descriptors_.watch(fd_, *this);
}

void Door::cancel() noexcept {
  if (waiting_ == nullptr) return;
  waiting_->cancelled_ = true;
  loop_.schedule(*this);
}

void Door::close() noexcept {
  if (fd_ < 0) return;
  descriptors_.forget(fd_, *this);
  ::close(std::exchange(fd_, -1));
  pause_.disarm();
  cancel();
}

void Door::pause(int why) {
  readable = false;
  pause_.arm(loop_.now() + pause_duration);
  if (std::exchange(short_of_descriptors_, true)) return;
  log_.warning({"new connections to port ", std::to_string(port_), " wait: ", std::strerror(why),
                why == EMFILE ? " (the limit of the process, ulimit -n)" : ""});
}

void Door::Pause::expired() {
  door_.readable = true;
  door_.loop_.schedule(door_);
}

void Door::run() {
  in_a_row_ = 0;
  Accept* accept = waiting_;
  if (accept == nullptr || !accept->attempt()) return;
  waiting_ = nullptr;
  std::exchange(accept->waiting_, {}).resume();
}

// ---- Accept

bool Accept::attempt() {
  Door& door = *door_;
  if (cancelled_ || door.fd_ < 0) return true;
  if (!door.readable) return false;
  if (++door.in_a_row_ > accepts_in_a_row_max) {
    door.loop_.schedule(door);
    return false;
  }
  for (;;) {
    Address peer;
    socklen_t size = sizeof peer;
    int fd = accept4(door.fd_, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      door.short_of_descriptors_ = false;
      socket_ = &door.pool_.take(fd, from_kernel(peer));
      return true;
    }
    if (is_transient(errno)) continue;
    if (errno == EAGAIN) {
      door.readable = false;
    } else {
      door.pause(errno);
    }
    return false;
  }
}

void Accept::await_suspend(std::coroutine_handle<> waiting) noexcept {
  CHECK(door_->waiting_ == nullptr);
  waiting_ = waiting;
  door_->waiting_ = this;
}

// The coroutine is destroyed while it waits.
Accept::~Accept() {
  if (waiting_ && door_ != nullptr) door_->waiting_ = nullptr;
}

}  // namespace net::sockets
