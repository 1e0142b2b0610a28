// SPDX-License-Identifier: ISC
// tests/net/accept_failures_test.cpp: an accept4 that fails each time leaves the loop its turns,
// and is said once.
//
// Method: a seccomp filter answers accept4 with each error, in a child.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "tests/net/worlds.hpp"

namespace {

using Listener = net::Sockets::Listener;

class Lines final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

base::Descriptor client_of(std::uint16_t port) {
  base::Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return client;
}

// Every accept4 of this process fails with `error` from now on.
void take_accept_away(int error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(3);
  }
}

struct Failing {
  int error;
  bool for_good;  // the listener ends; else it tries again
};
constexpr Failing failing[] = {{EPERM, false},    {ECONNABORTED, false}, {EPROTO, false},
                               {ENETDOWN, false}, {EOPNOTSUPP, false},   {EMFILE, false},
                               {ENFILE, false},   {ENOBUFS, false},      {ENOMEM, false},
                               {EACCES, false},   {EFAULT, false},       {EINVAL, true},
                               {ENOTSOCK, true},  {EBADF, true},         {ENOSYS, true}};

Task<void> accept_one(Listener& listener, std::optional<net::Error>& error) {
  auto flow = co_await listener.accept();
  if (!flow) error = flow.error();
}

// 0: as it should be.
Task<void> fail_to_accept(SocketsWorld& world, Listener& listener, const Failing& how,
                          Lines& console, int& status) {
  const base::Descriptor client = client_of(listener.port());
  std::optional<net::Error> error;
  world.loop().spawn(accept_one(listener, error));
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const base::Instant begin = world.loop().now();
  co_await world.loop().sleep_for(150ms);
  const base::Descriptor second = client_of(listener.port());  // a new one ends no pause
  co_await world.loop().sleep_for(50ms);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const auto cpu_us = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
  };
  status = 0;
  if (world.loop().now() - begin > 20s) status |= 1;
  if (cpu_us(after) - cpu_us(before) > 100'000) status |= 2;
  if (console.lines.size() != 1) status |= 4;
  if (how.for_good != (error == net::Error::reset)) status |= 8;
  if (!how.for_good && error) status |= 16;
  listener.close();
}
TEST(AcceptFailures, AnAcceptThatFailsForGoodLeavesTheLoopItsTurnsAndIsSaidOnce) {
  for (const Failing& how : failing) {
    const pid_t child = fork();
    if (child == 0) {
      SocketsWorld own;
      Lines console;
      base::Log log(console);
      net::Sockets stack(own.loop(), own.epoll(), log, {.address = own.at(0)});
      auto listener = stack.listen(0);
      int status = 64;
      if (listener) {
        take_accept_away(how.error);
        run(own, fail_to_accept(own, *listener, how, console, status));
      }
      _exit(status);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << std::strerror(how.error) << ": exit status " << WEXITSTATUS(status);
  }
}

}  // namespace
