// SPDX-License-Identifier: ISC
#include "net/sockets/listener.hpp"

#include <algorithm>
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

// While connections come faster than they are accepted, or fail, the loop is let through so often.
constexpr int accepts_in_a_row_max = 64;
// Connections that fail one after the other: more of them are a sign that each will.
constexpr int failures_in_a_row_max = 16;

constexpr base::Duration pause_shortest = std::chrono::milliseconds(50);
constexpr base::Duration pause_longest = std::chrono::milliseconds(800);
constexpr base::Duration calm_for = std::chrono::milliseconds(500);

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

// accept(2): errors of one connection that was waiting, so the next one may be taken at once. EPERM
// is a firewall's word for one connection, and a seccomp filter's for all.
bool is_of_one_connection(int error) noexcept {
  switch (error) {
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

// The descriptor is no listening socket, or there is no such system call: that does not change.
bool is_for_good(int error) noexcept {
  return error == EBADF || error == ENOTSOCK || error == EINVAL || error == ENOSYS;
}

const char* hint(int error) noexcept {
  if (error == EMFILE) return " (the limit of the process, ulimit -n)";
  if (error == ENFILE) return " (the limit of the system, sysctl fs.file-max)";
  if (error == EPERM) return " (a firewall or a seccomp filter forbids accept4)";
  return "";
}

}  // namespace

ListenResult<BoundSocket> open_listening_socket(const Endpoint& at, Sharing sharing,
                                                bool wait_for_first_bytes) {
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
    return open_listening_socket(ipv4(0, 0, 0, 0, at.port), sharing, wait_for_first_bytes);
  }
  if (why != 0) return base::failure(sentence(why, at.port));
  Address bound;
  socklen_t size = sizeof bound;
  if (getsockname(socket.get(), &bound.any, &size) != 0) {
    return base::failure(sentence(errno, at.port));
  }
  return BoundSocket{socket.release(), from_kernel(bound).port};
}

BoundSocket adopt_listening_socket(int fd, std::uint16_t port, bool wait_for_first_bytes) noexcept {
  Descriptor socket(fd);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  if (wait_for_first_bytes) set_option(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  return {socket.release(), port};
}

// ---- ListeningSocket

ListeningSocket::ListeningSocket(base::Loop& loop, base::Descriptors& descriptors, base::Log& log,
                                 Pool& pool, const BoundSocket& open)
    : loop_(loop),
      descriptors_(descriptors),
      log_(log),
      pool_(pool),
      fd_(open.fd),
      port_(open.port),
      pause_(loop, *this) {}

ListeningSocket::~ListeningSocket() {
  close();
  if (waiting_ != nullptr) waiting_->listening_ = nullptr;
}

bool ListeningSocket::start() noexcept {
  readable = true;
  return descriptors_.watch(fd_, *this);
}

void ListeningSocket::cancel() noexcept {
  if (waiting_ == nullptr) return;
  waiting_->cancelled_ = true;
  loop_.schedule(*this);
}

void ListeningSocket::close() noexcept {
  if (fd_ < 0) return;
  descriptors_.forget(fd_, *this);
  ::close(std::exchange(fd_, -1));
  pause_.disarm();
  cancel();
}

// accept4 has given a connection, or has said that there is none.
void ListeningSocket::worked() {
  if (state_ != State::paused) return;
  state_ = State::calm;
  pause_.arm(loop_.now() + calm_for);
}

void ListeningSocket::failed(int why) {
  if (is_for_good(why)) {
    state_ = State::broken;
    log_.error({"no connection to port ", std::to_string(port_),
                " can be accepted any more: ", std::strerror(why)});
    return;
  }
  const bool is_first = state_ == State::open;
  pause_for_ = is_first ? pause_shortest : std::min(pause_for_ * 2, pause_longest);
  pause_.arm(loop_.now() + pause_for_);
  state_ = State::paused;
  if (!is_first) return;
  failing_since_ = loop_.now();
  log_.warning({"new connections to port ", std::to_string(port_), " wait: ", std::strerror(why),
                hint(why)});
}

void ListeningSocket::pause_is_over() {
  if (state_ == State::paused) {
    readable = true;
    loop_.schedule(*this);
    return;
  }
  state_ = State::open;
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - failing_since_);
  log_.info({"new connections to port ", std::to_string(port_), " are accepted again, after ",
             std::to_string(ms.count()), " ms"});
}

void ListeningSocket::run() {
  in_a_row_ = 0;
  Accept* accept = waiting_;
  if (accept == nullptr || !accept->attempt()) return;
  waiting_ = nullptr;
  std::exchange(accept->waiting_, {}).resume();
}

// ---- Accept

bool Accept::attempt() {
  ListeningSocket& listening = *listening_;
  if (cancelled_ || listening.fd_ < 0) return true;
  // A new connection ends no pause.
  if (listening.state_ == ListeningSocket::State::paused && listening.pause_.is_armed())
    return false;
  for (int failures = 0;
       listening.readable && listening.state_ != ListeningSocket::State::broken;) {
    if (++listening.in_a_row_ > accepts_in_a_row_max) {
      listening.loop_.schedule(listening);
      return false;
    }
    // Before the kernel hands one out, so that none is lost: it waits there.
    if (!listening.pool_.prepare()) {
      listening.failed(ENOMEM);
      return false;
    }
    Address peer;
    socklen_t size = sizeof peer;
    int fd = accept4(listening.fd_, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      socket_ = &listening.pool_.take(fd, from_kernel(peer));
      listening.worked();
      return true;
    }
    const int why = errno;
    if (why == EAGAIN) {
      listening.readable = false;
      listening.worked();
    } else if (!is_of_one_connection(why) || ++failures > failures_in_a_row_max) {
      listening.failed(why);
      return listening.state_ == ListeningSocket::State::broken;
    }
  }
  return listening.state_ == ListeningSocket::State::broken;
}

void Accept::await_suspend(std::coroutine_handle<> waiting) noexcept {
  CHECK(listening_->waiting_ == nullptr);
  waiting_ = waiting;
  listening_->waiting_ = this;
}

// The coroutine is destroyed while it waits.
Accept::~Accept() {
  if (waiting_ && listening_ != nullptr) listening_->waiting_ = nullptr;
}

}  // namespace net::sockets
