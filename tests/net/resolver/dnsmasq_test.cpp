// SPDX-License-Identifier: ISC
// tests/net/resolver/dnsmasq_test.cpp: lookups at a DNS server that others have written.
//
// Method:  dnsmasq runs on a free port of the loopback interface with a few names, and is asked by
//          UDP and, where the answer is long, by TCP.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/resolver/resolver.hpp"
#include "net/sockets/address.hpp"
#include "targets/unix/entropy.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::resolver::Answer;
using net::resolver::Error;
using net::resolver::Type;

// A port that is free for both protocols, most likely.
std::uint16_t free_port() {
  const base::Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  net::sockets::Address address;
  const socklen_t size = net::sockets::to_kernel(net::ipv4(127, 0, 0, 1, 0), address);
  EXPECT_EQ(::bind(fd.get(), &address.any, size), 0);
  socklen_t got = sizeof address;
  EXPECT_EQ(::getsockname(fd.get(), &address.any, &got), 0);
  return net::sockets::from_kernel(address).port;
}

class Dnsmasq : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v dnsmasq > /dev/null") != 0) {
      GTEST_SKIP() << "SKIPPED: dnsmasq is not installed";
    }
    std::vector<std::string> words{"dnsmasq",
                                   "--keep-in-foreground",
                                   "--port=" + std::to_string(port_),
                                   "--listen-address=127.0.0.1",
                                   "--bind-interfaces",
                                   "--conf-file=/dev/null",
                                   "--pid-file=",
                                   "--user=",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--local=/example/",
                                   "--host-record=a.example,192.0.2.7,2001:db8::7,60",
                                   "--host-record=v4.example,192.0.2.8",
                                   "--cname=alias.example,second.example",
                                   "--cname=second.example,a.example"};
    for (int i = 1; i <= 60; ++i) {
      words.push_back("--host-record=many.example,10.0.0." + std::to_string(i));
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = fork();
    if (process_ == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDERR_FILENO);
      ::execvp("dnsmasq", arguments.data());
      ::_exit(127);
    }
  }
  ~Dnsmasq() override {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Task<void> look_up(std::string name, Type type, std::string& out) {
    // It may still be starting: then nobody is there, which is told at once.
    for (int tries = 200; tries > 0; --tries) {
      Answer answer = co_await resolver_.lookup(name, type, 10s);
      out.clear();
      if (answer) {
        for (const net::Endpoint& each : answer->all()) out += net::address_text(each) + " ";
      } else {
        out = net::resolver::text_of(answer.error());
      }
      if (answer || answer.error() != Error::timed_out) co_return;
      co_await world_.loop().sleep_for(20ms);
    }
  }
  std::string look_up(const std::string& name, Type type = Type::a) {
    std::string out;
    run(world_, look_up(name, type, out));
    return out;
  }

  std::uint16_t port_ = free_port();
  pid_t process_ = -1;
  SocketsWorld world_;
  unix_target::Entropy entropy_;
  net::NameServers servers_ = [this] {
    net::NameServers servers;
    const net::Endpoint one = net::ipv4(127, 0, 0, 1, port_);
    servers.configure({&one, 1});
    return servers;
  }();
  net::resolver::Resolver<net::Sockets> resolver_{world_.loop(), entropy_, world_.stack(),
                                                  servers_};
};

TEST_F(Dnsmasq, IsUnderstood) {
  EXPECT_EQ(look_up("a.example"), "192.0.2.7 ");
  EXPECT_EQ(look_up("A.EXAMPLE.", Type::aaaa), "2001:db8::7 ");
  EXPECT_EQ(look_up("alias.example"), "192.0.2.7 ");
  EXPECT_EQ(look_up("alias.example", Type::aaaa), "2001:db8::7 ");
  EXPECT_EQ(look_up("v4.example"), "192.0.2.8 ");
  EXPECT_EQ(look_up("v4.example", Type::aaaa), "has no address");
  EXPECT_EQ(look_up("nothing.example"), "does not exist");
  // Of a zone that it neither has nor may ask others about.
  EXPECT_EQ(look_up("www.example.org"), "could not be looked up: the DNS servers fail");
}

TEST_F(Dnsmasq, LongAnswersComeByTcp) {
  const std::string many = look_up("many.example");
  EXPECT_EQ(std::ranges::count(many, ' '), std::ptrdiff_t{net::resolver::addresses_max}) << many;
  EXPECT_TRUE(many.starts_with("10.0.0.")) << many;
}

}  // namespace
