// SPDX-License-Identifier: ISC
// bench/http/floor.cpp: the floor: epoll, one recv and one send for a request, a constant answer.
//
// Nothing that serves HTTP from this kernel by epoll can take less CPU time. It takes every recv
// for one whole request, which the load generator's are.

#include <cerrno>
#include <cstdio>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/http/answer.hpp"

namespace {

struct Connection {
  int fd;
  std::size_t left = 0;  // of the answer, still to be sent
  bool closing = false;
};

class Floor {
 public:
  Floor(std::uint16_t port, std::string answer)
      : answer_(std::move(answer)), epoll_(epoll_create1(0)), listener_(listen_on(port)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    for (;;) {
      int count = epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events[i].data.ptr);
        if (connection == nullptr) {
          accept_all();
        } else if (connection->left > 0) {
          if ((events[i].events & EPOLLOUT) != 0) send_answer(connection);
        } else {
          serve(connection);
        }
      }
    }
  }

 private:
  static int listen_on(std::uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, 4096) != 0) {
      std::perror("floor: listen");
      std::exit(1);
    }
    return fd;
  }

  void accept_all() {
    for (;;) {
      int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      auto* connection = new Connection{fd};
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      event.data.ptr = connection;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }

  void serve(Connection* connection) {
    char request[4096];
    ssize_t got = recv(connection->fd, request, sizeof request, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return drop(connection);
    connection->closing = bench::wants_close({request, static_cast<std::size_t>(got)});
    connection->left = answer_.size();
    send_answer(connection);
  }

  void send_answer(Connection* connection) {
    const char* from = answer_.data() + (answer_.size() - connection->left);
    ssize_t put = send(connection->fd, from, connection->left, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) return drop(connection);
    if (put > 0) connection->left -= static_cast<std::size_t>(put);
    if (connection->left == 0 && connection->closing) drop(connection);
  }

  static void drop(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  std::string answer_;
  int epoll_;
  int listener_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::arguments_of(argc, argv);
  Floor(arguments.port, bench::make_answer(arguments.body_bytes)).run();
}
