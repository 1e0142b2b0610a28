// SPDX-License-Identifier: ISC
// tests/http/sockets_test.cpp: the conformance table over kernel sockets.
//
// Method:  the server on a port that the kernel gives, in this process; the conformance client, the
//          same that is run against images and guests, as another.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "http/server.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/http/memory_world.hpp"

namespace {

// Ends the server when the client has ended.
base::Task<> drain_after(base::Loop& loop, pid_t client, int& status, auto& server) {
  while (waitpid(client, &status, WNOHANG) == 0) {
    co_await loop.sleep_for(std::chrono::milliseconds(5));
  }
  server.drain();
}

pid_t start_client(const std::string& port, const char* cut) {
  pid_t child = fork();
  if (child == 0) {
    execl(CONFORMANCE_CLIENT, CONFORMANCE_CLIENT, "--host", "127.0.0.1", "--port", port.c_str(),
          "--encodings", "--cut", cut, nullptr);
    _exit(127);
  }
  return child;
}

template <class Store>
void run_client(Store& store, base::Loop& loop, net::Sockets& sockets, const char* cut) {
  unix_target::Console console{2};
  http::AccessLog log(console, loop, http::LogFormat::off);
  http::Server<Store, net::Sockets> server(store, sockets, loop, {}, log);
  auto listening = server.listen(0);
  ASSERT_TRUE(listening.has_value()) << listening.error();
  pid_t client = start_client(std::to_string(server.port()), cut);
  ASSERT_GT(client, 0);
  int status = -1;
  loop.spawn(server.run());
  loop.spawn(drain_after(loop, client, status, server));
  loop.run();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see what the client printed";
}

TEST(Sockets, TheConformanceTable) {
  unix_target::Console console{2};
  base::Log log{console};
  unix_target::Clock clock;
  unix_target::Epoll epoll{clock};
  base::Loop loop{clock, epoll};
  epoll.serve(loop);
  net::Sockets sockets(loop, epoll, log,
                       net::Sockets::Options{.address = net::ipv4(127, 0, 0, 1, 0)});
  http_test::ScriptedStore quick;
  http_test::WaitingStore slow(loop);
  http_test::put_site(quick);
  http_test::put_site(slow.site);
  run_client(quick, loop, sockets, "0");
  run_client(quick, loop, sockets, "61");
  run_client(slow, loop, sockets, "0");
}

}  // namespace
