// SPDX-License-Identifier: ISC
// tests/net/listening_test.cpp: ports, many connections, and having too few descriptors.
//
// Method: plain sockets stand for other programs and for clients. What needs rights that the
// tester may lack (many descriptors, a network namespace) is skipped with the reason.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "targets/unix/limits.hpp"
#include "tests/net/worlds.hpp"

namespace {

using Flow = net::Sockets::Flow;
using Listener = net::Sockets::Listener;

std::size_t open_descriptors() {
  auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

class Socket {
 public:
  explicit Socket(int flags = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  // Of 127.0.0.1; 0, or errno.
  int connect(std::uint16_t port) const {
    sockaddr_in at = address(port);
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 ? 0 : errno;
  }
  std::uint16_t listen(bool reuse_port) const {
    const int on = reuse_port ? 1 : 0;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in at = address(0);
    socklen_t size = sizeof at;
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    return ntohs(at.sin_port);
  }

 private:
  static sockaddr_in address(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  int fd_;
};

struct Listening : ::testing::Test {
  SocketsWorld world;
};

// ---- Ports

TEST_F(Listening, ATakenPortIsASentenceThatNamesIt) {
  for (bool reuse_port : {false, true}) {
    Socket other;
    const std::uint16_t port = other.listen(reuse_port);
    auto listener = world.stack().listen(port);
    ASSERT_FALSE(listener.has_value());
    EXPECT_EQ(listener.error(), "port " + std::to_string(port) +
                                    " is taken by another program: stop it (ss -ltnp shows " +
                                    "which), or choose another port");
    // Several threads would share it, but not with another program, even one that would.
    net::sockets::PortShare share;
    SocketsWorld shared(net::Sockets::Options{.address = world.at(0), .share = &share});
    EXPECT_FALSE(shared.stack().listen(port).has_value());
  }
}

TEST_F(Listening, APrivilegedPortSaysWhatToDo) {
  int first_free = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
  if (first_free < 2) GTEST_SKIP() << "this system has no privileged ports";
  const uid_t before = geteuid();
  ASSERT_EQ(seteuid(before == 0 ? 65534 : before), 0);
  auto listener = world.stack().listen(1);
  ASSERT_EQ(seteuid(before), 0);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error(),
            "port 1 is privileged: start as root, give the program the right (setcap "
            "cap_net_bind_service=+ep FILE), or choose a port from 1024 on");
}

TEST_F(Listening, AnAddressOfAnotherMachineIsASentence) {
  SocketsWorld elsewhere(net::ipv4(192, 0, 2, 1, 0));
  auto listener = elsewhere.stack().listen(8080);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error(),
            "cannot listen on port 8080: the address is none of this machine's; ip address lists "
            "those that are");
}

// Threads share a port: each has connections, none is lost.
Task<void> count_accepted(Listener& listener, int& count) {
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    ++count;
  }
}
TEST_F(Listening, ThreadsShareAPort) {
  net::sockets::PortShare share;
  auto options = [&](unsigned i) {
    return net::Sockets::Options{
        .address = world.at(0), .share = &share, .thread_index = i, .thread_count = 2};
  };
  net::Sockets first(world.loop(), world.epoll(), world.log(), options(0));
  net::Sockets second(world.loop(), world.epoll(), world.log(), options(1));
  auto a = first.listen(0);
  auto b = second.listen(0);
  ASSERT_TRUE(a && b) << b.error();
  EXPECT_EQ(a->port(), b->port());
  int counts[2] = {};
  world.loop().spawn(count_accepted(*a, counts[0]));
  world.loop().spawn(count_accepted(*b, counts[1]));
  auto clients = [](SocketsWorld& where, Listener& one, Listener& other) -> Task<void> {
    std::vector<Socket> sockets;
    for (int i = 0; i < 64; ++i) EXPECT_EQ(sockets.emplace_back().connect(one.port()), 0);
    co_await settle(where);
    one.close();
    other.close();
  };
  run(world, clients(world, *a, *b));
  EXPECT_EQ(counts[0] + counts[1], 64);
  EXPECT_GT(counts[0], 0);  // by chance 0 once in 2^64 runs
  EXPECT_GT(counts[1], 0);
}

// ---- A network of its own, with nothing but a loopback interface

class OwnNetwork {
 public:
  OwnNetwork() : before_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = unshare(CLONE_NEWNET) == 0;
    if (!entered_) return;
    Socket any;
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    REQUIRE(ioctl(any.fd(), SIOCSIFFLAGS, &request) == 0);
  }
  ~OwnNetwork() {
    if (entered_) setns(before_, CLONE_NEWNET);
    ::close(before_);
  }
  bool entered() const { return entered_; }

 private:
  int before_;
  bool entered_ = false;
};

Task<void> try_both_families(SocketsWorld& world, bool ipv6_works) {
  auto listener = world.stack().listen(0);
  REQUIRE(listener.has_value());
  const net::Endpoint four = net::ipv4(127, 0, 0, 1, listener->port());
  net::Endpoint six{{}, listener->port()};
  six.address[15] = 1;
  auto by_four = co_await world.stack().connect(four, long_time);
  REQUIRE(by_four.has_value());
  auto accepted = co_await listener->accept();
  REQUIRE(accepted.has_value());
  EXPECT_EQ(net::address_text(accepted->peer()), "127.0.0.1");
  EXPECT_NE(accepted->peer().port, 0);
  auto by_six = co_await world.stack().connect(six, long_time);
  EXPECT_EQ(by_six.has_value(), ipv6_works);
  if (!by_six) co_return;
  auto accepted_six = co_await listener->accept();
  REQUIRE(accepted_six.has_value());
  EXPECT_EQ(net::address_text(accepted_six->peer()), "::1");
}
TEST(ListeningEverywhere, TakesIpv4AndIpv6) {
  OwnNetwork network;
  if (!network.entered()) GTEST_SKIP() << "no right to make a network namespace";
  if (!std::filesystem::exists("/proc/sys/net/ipv6")) GTEST_SKIP() << "the kernel has no IPv6";
  SocketsWorld world{net::Endpoint{}};
  run(world, try_both_families(world, true));
}
TEST(ListeningEverywhere, TakesIpv4WhereIpv6IsOff) {
  OwnNetwork network;
  if (!network.entered()) GTEST_SKIP() << "no right to make a network namespace";
  for (const char* which : {"all", "lo"}) {
    std::ofstream("/proc/sys/net/ipv6/conf/" + std::string(which) + "/disable_ipv6") << 1;
  }
  SocketsWorld world{net::Endpoint{}};
  run(world, try_both_families(world, false));
}

// ---- Many connections

Task<void> echo_once(Flow flow) {
  auto bytes = co_await flow.read(16, 120s);
  REQUIRE(bytes.has_value());
  EXPECT_TRUE(co_await send(flow, base::text_of(*bytes)));
}

// Fewer than the listener's backlog: if that overflowed, connections would be completed by
// retransmissions, up to a minute later.
constexpr int batch = 500;

// Connects so often that all are open at once, then has each echo a word; the exit status.
int many_clients(std::uint16_t port, int connections) {
  std::vector<Socket> clients;
  char text[8];
  for (int i = 1; i <= connections; ++i) {
    if (clients.emplace_back().connect(port) != 0) return 1;
    // The server answers the last of a batch when it holds all until then.
    if (i % batch == 0 && recv(clients.back().fd(), text, 5, MSG_WAITALL) != 5) return 2;
  }
  for (const Socket& client : clients) {
    if (::send(client.fd(), "ping", 4, MSG_NOSIGNAL) != 4) return 3;
  }
  for (const Socket& client : clients) {
    if (recv(client.fd(), text, 4, MSG_WAITALL) != 4 || std::memcmp(text, "ping", 4) != 0) return 4;
  }
  return 0;
}

Task<void> hold_open(SocketsWorld& world, Listener& listener, int connections) {
  std::vector<Flow> flows;
  while (static_cast<int>(flows.size()) < connections) {
    auto flow = co_await listener.accept();
    REQUIRE(flow.has_value());
    flows.push_back(std::move(*flow));
    if (flows.size() % batch == 0) {
      EXPECT_TRUE(co_await send(flows.back(), "ready"));
    }
  }
  EXPECT_EQ(world.stack().flow_count(), static_cast<std::size_t>(connections));
  for (Flow& flow : flows) world.loop().spawn(echo_once(std::move(flow)));
}
TEST_F(Listening, TenThousandConnectionsAreHeldAtOnceAndNoDescriptorLeaks) {
  constexpr int connections = 10'000;
  if (unix_target::raise_descriptor_limit() < connections + 100) {
    GTEST_SKIP() << "the limit of descriptors (ulimit -Hn) is below " << connections + 100;
  }
  const std::size_t before = open_descriptors();
  auto listener = world.stack().listen(0);
  ASSERT_TRUE(listener.has_value());
  const pid_t child = fork();  // the clients need as many descriptors again
  if (child == 0) _exit(many_clients(listener->port(), connections));
  run(world, hold_open(world, *listener, connections));
  if (HasFailure()) kill(child, SIGKILL);  // it may wait for what does not come
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  listener->close();
  EXPECT_EQ(world.stack().flow_count(), 0U);
  EXPECT_EQ(open_descriptors(), before);
}

// While connections queue, other work of the loop has its turn.
class Bystander final : public base::Work {
 public:
  Bystander(base::Loop& loop, const int& accepted) : loop_(loop), accepted_(accepted) {
    loop_.schedule(*this);
  }
  void run() override {
    most_between = std::max(most_between, accepted_ - before_);
    before_ = accepted_;
    loop_.schedule(*this);
  }
  int most_between = 0;

 private:
  base::Loop& loop_;
  const int& accepted_;
  int before_ = 0;
};
Task<void> storm(SocketsWorld& world, Listener& listener, std::vector<Socket>& clients, int& count,
                 int& most_between) {
  for (const Socket& client : clients) {
    const int answer = client.connect(listener.port());
    REQUIRE(answer == 0 || answer == EINPROGRESS);
  }
  Bystander bystander(world.loop(), count);
  world.loop().spawn(count_accepted(listener, count));
  while (count < static_cast<int>(clients.size())) co_await world.loop().sleep_for(1ms);
  most_between = bystander.most_between;
  listener.close();
}
TEST_F(Listening, AStormOfConnectionsLeavesTheLoopItsTurns) {
  std::vector<Socket> clients;
  for (int i = 0; i < 400; ++i) clients.emplace_back(SOCK_NONBLOCK);
  auto listener = world.stack().listen(0);
  ASSERT_TRUE(listener.has_value());
  int count = 0;
  int most_between = 0;
  run(world, storm(world, *listener, clients, count, most_between));
  EXPECT_EQ(count, 400);
  EXPECT_GT(most_between, 1);
  EXPECT_LE(most_between, 64);
}

// ---- No descriptors left

class Lines final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { lines.emplace_back(text); }
  std::vector<std::string> lines;
};

class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now{limit, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

Task<void> too_few(SocketsWorld& world, Listener& listener, Lines& console) {
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i) REQUIRE(clients.emplace_back().connect(listener.port()) == 0);
  int accepted = 0;
  std::optional<DescriptorLimit> limit;
  limit.emplace(static_cast<rlim_t>(clients.back().fd() + 1));
  world.loop().spawn(count_accepted(listener, accepted));
  co_await world.loop().sleep_for(120ms);  // so that it tries more than once
  EXPECT_EQ(accepted, 0);
  EXPECT_EQ(console.lines.size(), 1U);
  limit.reset();
  while (accepted < 3) co_await world.loop().sleep_for(1ms);
  EXPECT_EQ(console.lines.size(), 1U);
  while (console.lines.size() < 2) co_await world.loop().sleep_for(10ms);
  listener.close();
}
TEST_F(Listening, WithoutDescriptorsConnectionsWaitAndOneLineSaysSo) {
  Lines console;
  base::Log log(console);
  net::Sockets stack(world.loop(), world.epoll(), log, {.address = world.at(0)});
  auto listener = stack.listen(0);
  ASSERT_TRUE(listener.has_value());
  run(world, too_few(world, *listener, console));
  ASSERT_EQ(console.lines.size(), 2U);
  const std::string port = std::to_string(listener->port());
  EXPECT_EQ(console.lines[0],
            "warning: new connections to port " + port +
                " wait: Too many open files (the limit of the process, ulimit -n)\n");
  EXPECT_TRUE(console.lines[1].starts_with("new connections to port " + port +
                                           " are accepted again, after "))
      << console.lines[1];
}

// ---- Accepting when the first bytes are there

Task<void> first_bytes(Listener& listener) {
  Socket silent;
  EXPECT_EQ(silent.connect(listener.port()), 0);
  Socket talking;
  EXPECT_EQ(talking.connect(listener.port()), 0);
  REQUIRE(::send(talking.fd(), "first", 5, 0) == 5);
  auto flow = co_await listener.accept();
  REQUIRE(flow.has_value());
  auto bytes = co_await flow->read(10, long_time);
  REQUIRE(bytes.has_value());
  EXPECT_EQ(base::text_of(*bytes), "first");
}
TEST_F(Listening, WaitsForFirstBytesWhenAskedTo) {
  SocketsWorld deferring(
      net::Sockets::Options{.address = world.at(0), .wait_for_first_bytes = true});
  auto listener = deferring.stack().listen(0);
  ASSERT_TRUE(listener.has_value());
  run(deferring, first_bytes(*listener));
}

}  // namespace
