// SPDX-License-Identifier: ISC
// tests/net/datagrams_test.cpp: the laws of net::Datagrams, by number, on the kernel's sockets.
// (tests/net/lwip_datagrams_test.cpp plays them on our own stack.)
//
// Method:  the peer is a plain socket of the kernel's on the loopback interface.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "base/descriptor.hpp"
#include "net/sockets/address.hpp"
#include "tests/net/worlds.hpp"

namespace {

using net::sockets::Address;

class UdpPeer {
 public:
  explicit UdpPeer(const net::Endpoint& at = net::ipv4(127, 0, 0, 1, 0)) {
    Address address;
    const socklen_t size = net::sockets::to_kernel(at, address);
    fd_ = base::Descriptor(::socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::bind(fd_.get(), &address.any, size), 0);
    socklen_t got = sizeof address;
    EXPECT_EQ(::getsockname(fd_.get(), &address.any, &got), 0);
    at_ = net::sockets::from_kernel(address);
  }
  [[nodiscard]] const net::Endpoint& at() const { return at_; }
  // The next that came, or "nothing"; `from` is who sent it.
  std::string take() {
    char buffer[8192];
    Address address;
    socklen_t size = sizeof address;
    const ssize_t got = ::recvfrom(fd_.get(), buffer, sizeof buffer, 0, &address.any, &size);
    if (got < 0) return "nothing";
    from = net::sockets::from_kernel(address);
    return {buffer, static_cast<std::size_t>(got)};
  }
  void send(const net::Endpoint& to, const std::string& text) {
    Address address;
    const socklen_t size = net::sockets::to_kernel(to, address);
    EXPECT_EQ(::sendto(fd_.get(), text.data(), text.size(), 0, &address.any, size),
              static_cast<ssize_t>(text.size()));
  }
  net::Endpoint from;

 private:
  base::Descriptor fd_;
  net::Endpoint at_;
};

std::string text_of(const net::Result<net::Bytes>& bytes) {
  return bytes ? std::string(base::text_of(*bytes))
               : "error " + std::to_string(static_cast<int>(bytes.error()));
}
const std::string timed_out = text_of(base::failure(net::Error::timed_out));

Task<void> laws_1_to_4(SocketsWorld& world) {
  UdpPeer peer;
  auto datagrams = world.stack().open_datagrams(peer.at());
  REQUIRE(datagrams.has_value());
  EXPECT_TRUE(datagrams->send(bytes_of("question")));
  EXPECT_EQ(peer.take(), "question");
  // 2. Of somebody else, even on the same host, nothing is given.
  UdpPeer other;
  other.send(peer.from, "lie");
  auto nothing = co_await datagrams->receive(10ms);
  EXPECT_EQ(text_of(nothing), timed_out);
  // 1. Whole, in order; the empty one too; what is too large is cut.
  const std::string large(net::datagram_bytes_max + 100, 'x');
  for (const std::string& each : {std::string("a"), std::string(), std::string("bc"), large}) {
    peer.send(peer.from, each);
  }
  for (const std::string& each :
       {std::string("a"), std::string(), std::string("bc"), large.substr(100)}) {
    auto got = co_await datagrams->receive(long_time);
    EXPECT_EQ(text_of(got), each);
  }
  // 4. And it goes on after a time-out.
  auto late = co_await datagrams->receive(0ms);
  EXPECT_EQ(text_of(late), timed_out);
  peer.send(peer.from, "late");
  auto got = co_await datagrams->receive(long_time);
  EXPECT_EQ(text_of(got), "late");
}
TEST(DatagramLaws, L1ToL4_OnlyThePeersDatagramsWholeAndInOrder) {
  SocketsWorld world;
  run(world, laws_1_to_4(world));
}

Task<void> law_4_nobody(SocketsWorld& world) {
  net::Endpoint nobody;
  {
    const UdpPeer gone;
    nobody = gone.at();
  }
  auto datagrams = world.stack().open_datagrams(nobody);
  REQUIRE(datagrams.has_value());
  EXPECT_TRUE(datagrams->send(bytes_of("question")));
  auto refused = co_await datagrams->receive(long_time);
  EXPECT_EQ(text_of(refused), text_of(base::failure(net::Error::reset)));
  // Somebody comes.
  UdpPeer peer(nobody);
  EXPECT_TRUE(datagrams->send(bytes_of("again")));
  EXPECT_EQ(peer.take(), "again");
  peer.send(peer.from, "answer");
  auto got = co_await datagrams->receive(long_time);
  EXPECT_EQ(text_of(got), "answer");
}
TEST(DatagramLaws, L4_ThatNobodyIsThereIsToldAndOutlived) {
  SocketsWorld world;
  run(world, law_4_nobody(world));
}

Task<void> law_5(SocketsWorld& world) {
  UdpPeer peer;
  auto opened = world.stack().open_datagrams(peer.at());
  REQUIRE(opened.has_value());
  std::optional<net::Sockets::Datagrams> datagrams(std::move(*opened));
  std::string outcome;
  auto wait = [](auto& socket, std::string& out) -> Task<void> {
    auto got = co_await socket.receive(long_time);
    out = text_of(got);
  };
  datagrams->cancel();  // nobody waits
  for (const bool destroys : {false, true}) {
    outcome.clear();
    world.loop().spawn(wait(*datagrams, outcome));
    co_await settle(world);
    EXPECT_EQ(outcome, "");
    destroys ? datagrams.reset() : datagrams->cancel();
    EXPECT_EQ(outcome, "") << "not from inside the call";
    co_await settle(world);
    EXPECT_EQ(outcome, text_of(base::failure(net::Error::cancelled)));
  }
}
TEST(DatagramLaws, L5_CancelEndsAWaitingReceive) {
  SocketsWorld world;
  run(world, law_5(world));
}

TEST(DatagramLaws, PortsAreNotPredictable) {
  SocketsWorld world;
  UdpPeer peer;
  std::set<std::uint16_t> ports;
  int neighbours = 0;
  std::uint16_t last = 0;
  for (int i = 0; i < 64; ++i) {
    auto datagrams = world.stack().open_datagrams(peer.at());
    ASSERT_TRUE(datagrams && datagrams->send(bytes_of("x")));
    EXPECT_EQ(peer.take(), "x");
    ports.insert(peer.from.port);
    neighbours += peer.from.port == last + 1 || peer.from.port == last + 2 ? 1 : 0;
    last = peer.from.port;
  }
  EXPECT_GT(ports.size(), 32U);
  EXPECT_LT(neighbours, 16);
}

TEST(DatagramLaws, WithoutAWayItFails) {
  SocketsWorld world;
  // An address that no socket of this kind can be connected to: a broadcast one.
  EXPECT_FALSE(world.stack().open_datagrams(net::ipv4(255, 255, 255, 255, 53)));
}

}  // namespace
