// SPDX-License-Identifier: ISC
// tests/targets/unix/sandbox_dialing_test.cpp: a sealed process connects to a name, where a part in
// it needs that, and otherwise opens no socket.
//
// Method: as sandbox_test.cpp; the system calls are those that config/parts/dialing.hpp declares. A
//         thread of the test is the DNS server.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/parts/dialing.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/epoll.hpp"
#include "tests/net/resolver/dns.hpp"
#include "tests/targets/unix/sealed.hpp"

namespace {

using namespace std::chrono_literals;
using unix_target::Sandbox;

// A socket on the loopback interface, and its port.
struct Bound {
  explicit Bound(int kind) : fd(::socket(AF_INET, kind | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd.get(), any, sizeof address), 0);
    if (kind == SOCK_STREAM) {
      EXPECT_EQ(::listen(fd.get(), 8), 0);
    }
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd.get(), any, &size), 0);
    port = ntohs(address.sin_port);
  }
  base::Descriptor fd;
  std::uint16_t port = 0;
};

// Answers that every name has the address 127.0.0.1, until it is destroyed.
class DnsServer {
 public:
  DnsServer() {
    const timeval nap{0, 20'000};
    ::setsockopt(socket_.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap);
    thread_ = std::thread([this] { serve(); });
  }
  ~DnsServer() {
    ends_ = true;
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port; }

 private:
  void serve() {
    while (!ends_) {
      char buffer[512];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      auto* const any = reinterpret_cast<sockaddr*>(&from);
      const ssize_t got = ::recvfrom(socket_.fd.get(), buffer, sizeof buffer, 0, any, &size);
      if (got < 17) continue;
      const std::string_view asked(buffer, static_cast<std::size_t>(got));
      net::dns::Message message = net::dns::to(asked);
      if (asked[asked.size() - 3] == 1) {
        message.answers = {
            net::dns::record(net::dns::asked, 1, 60, std::string("\x7f\0\0\x01", 4))};
      }
      const std::string text = message.text();
      ::sendto(socket_.fd.get(), text.data(), text.size(), 0, any, size);
    }
  }
  Bound socket_{SOCK_DGRAM};
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

class Numbers final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& each : out) each = std::byte{++last_};
  }

 private:
  std::uint8_t last_ = 0;
};

// What a process has before it is sealed.
struct Process {
  explicit Process(std::uint16_t dns_port)
      : dialing(loop, entropy, stack, {net::ipv4(127, 0, 0, 1, dns_port)}) {
    epoll.serve(loop);
  }
  // 0: connected; else why not, in `said`.
  int connect(std::uint16_t port) {
    int status = 50;
    loop.spawn(dial(port, status));
    loop.run();
    return status;
  }
  base::Task<void> dial(std::uint16_t port, int& status) {
    auto flow = co_await dialing.connect("a.example", port, 10s);
    if (!flow) log.error({flow.error().what});
    status = flow ? 0 : 1;
  }
  unix_target::Console console{2};
  base::Log log{console};
  unix_target::Clock clock;
  unix_target::Epoll epoll{clock};
  base::Loop loop{clock, epoll};
  Numbers entropy;
  net::Sockets stack{loop, epoll, log};
  config::Dialing<net::Sockets> dialing;
};

TEST(SandboxDialing, ASealedProcessConnectsToANameWhereAPartSaysSo) {
  const DnsServer server;
  const Bound web(SOCK_STREAM);
  const auto process = std::make_unique<Process>(server.port());
  const Sandbox sandbox{.system_calls = config::ConnectDialing::system_calls};
  const End end = sealed(sandbox, [&] { return process->connect(web.port); });
  EXPECT_EQ(end.status, 0) << end.said;
}

TEST(SandboxDialing, WithoutThatPartItOpensNoSocket) {
  const std::array<int, 1> calls{SYS_recvfrom};
  const End end = sealed({.system_calls = calls}, call(SYS_socket, AF_INET, SOCK_DGRAM, 0));
  EXPECT_NE(end.status, 0);
}

TEST(SandboxDialing, WhatIsNoServerIsSaid) {
  using Texts = config::List<std::string_view>;
  EXPECT_EQ(config::servers_of(Texts{"192.0.2.1", "[2001:db8::1]:5353"}).size(), 2U);
  for (const auto& [text, what] : std::array<std::array<std::string_view, 2>, 2>{
           {{"dns.example", "--dns: 'dns.example' is not a server's address"},
            {"192.0.2.1:0", "--dns: '192.0.2.1:0' is not a server's address"}}}) {
    try {
      static_cast<void>(config::servers_of(Texts{text}));
      ADD_FAILURE() << text;
    } catch (const config::StartError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with(what)) << error.what();
    }
  }
  EXPECT_THROW(static_cast<void>(config::servers_of(Texts{"::1", "::2", "::3", "::4", "::5"})),
               config::StartError);
}

}  // namespace
