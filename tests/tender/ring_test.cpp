// SPDX-License-Identifier: ISC
// The tender's end of the network ring, served on sockets in the place of taps: what a good guest
// gets, and, as a table, how hostile ones end.

#include "tender/ring.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>

#include "tender/server.hpp"
#include "tests/tender/sample.hpp"

namespace {

using solo5::Answer;
using solo5::RingOperation;
using tender::Access;
using tender::GuestMemory;

constexpr std::uint64_t size = 2U << 20U;  // the ring lies behind
constexpr std::uint64_t data = 0x190000;
constexpr std::uint64_t code_begin = 0x100000;
constexpr std::uint64_t code_end = 0x110000;
constexpr std::uint32_t net_handle = 1;
constexpr Access kick{true, 4, 1, solo5::ring_kick_port, 0};

// A guest's memory and ring; device 1 is the network, whose other side is `wire`.
struct World {
  explicit World(std::uint32_t first_index = 0) : bytes(size + sizeof(solo5::Ring)) {
    memory.forbid_writing(code_begin, code_end);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    manifest = {hvt_test::device("", solo5::DeviceType::reserved_first),
                hvt_test::device("service", solo5::DeviceType::net),
                hvt_test::device("storage", solo5::DeviceType::block)};
    manifest[1].attached = manifest[2].attached = 1;
    server.emplace(memory, manifest, std::vector<int>{-1, ends[0], -1}, ring_bytes(), -1, stop,
                   tender::Reports{});
    skip(first_index);
  }
  ~World() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  base::MutableBytes ring_bytes() { return base::MutableBytes(bytes).subspan(size); }
  solo5::Ring& ring() { return *reinterpret_cast<solo5::Ring*>(ring_bytes().data()); }
  void put(RingOperation operation, std::uint64_t at, std::uint32_t length, std::uint32_t id = 0,
           std::uint32_t handle = net_handle) {
    ring().entries[ring().entries_put++ % solo5::ring_size] = {operation, handle, at,
                                                               length,    id,     0};
  }
  // Why the guest is to be ended; "": it is not.
  std::string serve(const Access& access = kick) {
    const auto result = server->serve(access);
    if (result) {
      EXPECT_FALSE(result->has_value());
    }
    return result ? "" : result.error();
  }
  // So many reads that find nothing, so that indices wrap.
  void skip(std::uint32_t count) {
    for (; count > 0; --count) {
      put(RingOperation::net_read, data, 1514);
      ASSERT_EQ(serve(), "");
      ++ring().commits_taken;
    }
  }
  void send(const std::string& frame) const {
    EXPECT_EQ(::send(ends[1], frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  [[nodiscard]] std::string sent() const {
    char frame[2000];
    const ssize_t got = ::recv(ends[1], frame, sizeof frame, 0);
    return got < 0 ? "nothing" : std::string(frame, static_cast<std::size_t>(got));
  }
  std::string in_memory(std::uint64_t at, std::size_t count) {
    return {reinterpret_cast<char*>(bytes.data()) + at, count};
  }

  std::vector<std::byte> bytes;
  GuestMemory memory{base::MutableBytes(bytes).first(size)};
  std::vector<solo5::ManifestEntry> manifest;
  int ends[2] = {-1, -1};
  volatile std::sig_atomic_t stop = 0;
  std::optional<tender::Server> server;
};

TEST(Ring, SaysThatItNeedsAKick) {
  World world;
  EXPECT_EQ(world.ring().needs_kick, 1U);
  EXPECT_EQ(world.serve(), "");  // nothing is waiting
  EXPECT_EQ(world.ring().entries_taken, 0U);
}

TEST(Ring, IsServedInOrder) {
  for (const std::uint32_t first : {0U, solo5::ring_size - 2}) {  // the second: over the end
    World world(first);
    const std::string one(60, '1');
    const std::string two(1514, '2');
    std::memcpy(world.bytes.data() + data, one.data(), one.size());
    std::memcpy(world.bytes.data() + data + 0x1000, two.data(), two.size());
    world.send("first");
    world.send("second");
    world.put(RingOperation::net_write, data, 60);
    world.put(RingOperation::net_read, data + 0x2000, 1514, 7);
    world.put(RingOperation::net_write, data + 0x1000, 1514);
    for (std::uint32_t id = 8; id < 11; ++id) {
      world.put(RingOperation::net_read, data + 0x1000 * (id - 5), 1514, id);
    }
    ASSERT_EQ(world.serve(), "");
    EXPECT_EQ(world.sent(), one);
    EXPECT_EQ(world.sent(), two);
    EXPECT_EQ(world.sent(), "nothing");
    EXPECT_EQ(world.ring().entries_taken, first + 6);
    ASSERT_EQ(world.ring().commits_put, first + 4);
    const struct {
      Answer answer;
      std::uint32_t bytes;
    } wanted[] = {{Answer::ok, 5}, {Answer::ok, 6}, {Answer::again, 0}, {Answer::again, 0}};
    for (std::uint32_t i = 0; i < 4; ++i) {
      const solo5::RingCommit& commit = world.ring().commits[(first + i) % solo5::ring_size];
      EXPECT_EQ(commit.id, 7 + i);
      EXPECT_EQ(commit.answer, wanted[i].answer) << i;
      EXPECT_EQ(commit.bytes, wanted[i].bytes) << i;
    }
    EXPECT_EQ(world.in_memory(data + 0x2000, 5), "first");
    EXPECT_EQ(world.in_memory(data + 0x3000, 6), "second");
  }
}

TEST(Ring, TakesAsMuchAsItHas) {
  World world(3);
  for (std::uint32_t i = 0; i < solo5::ring_size; ++i) world.put(RingOperation::net_read, data, 9);
  EXPECT_EQ(world.serve(), "");
  EXPECT_EQ(world.ring().commits_put, 3 + solo5::ring_size);
  world.put(RingOperation::net_read, data, 9);
  EXPECT_EQ(world.serve(), "the ring: there is no room for an answer");
}

// What the guest writes over the tender's own indices changes nothing but what the guest sees.
TEST(Ring, KeepsItsIndices) {
  World world;
  world.ring().entries_taken = world.ring().commits_put = 0xffffff00;
  world.put(RingOperation::net_read, data, 9);
  ASSERT_EQ(world.serve(), "");
  EXPECT_EQ(world.ring().entries_taken, 1U);
  EXPECT_EQ(world.ring().commits_put, 1U);
  EXPECT_EQ(world.ring().commits[0].answer, Answer::again);
}

TEST(Ring, HostileGuestsAreEnded) {
  const auto net_write = RingOperation::net_write;
  const auto net_read = RingOperation::net_read;
  const struct {
    const char* name;
    std::function<void(World&)> does;
    const char* says;
  } cases[] = {
      {"too many", [](World& w) { w.ring().entries_put = 1025; },
       "the ring: it says that 1025 entries wait, and there are 1024"},
      {"goes back", [](World& w) { w.skip(3), w.ring().entries_put = 2; }, "4294967295 entries"},
      {"answers it did not get",
       [=](World& w) { w.put(net_read, data, 9), w.ring().commits_taken = 1; },
       "there is no room for an answer"},
      {"no operation", [](World& w) { w.put(RingOperation{0}, data, 9); }, "no operation 0x0"},
      {"another", [](World& w) { w.put(RingOperation{0xffffffff}, data, 9); },
       "no operation 0xffffffff"},
      {"no device", [=](World& w) { w.put(net_write, data, 9, 0, 3); }, "with the handle 0x3"},
      {"the first", [=](World& w) { w.put(net_read, data, 9, 0, 0); }, "with the handle 0x0"},
      {"far", [=](World& w) { w.put(net_write, data, 9, 0, 0xffffffff); }, "handle 0xffffffff"},
      {"a disk", [=](World& w) { w.put(net_write, data, 9, 0, 2); }, "with the handle 0x2"},
      {"beyond", [=](World& w) { w.put(net_write, size - 8, 9); },
       "ring_write: the 0x9 bytes at 0x1ffff8 are not all in the guest's memory"},
      {"wraps", [=](World& w) { w.put(net_write, ~std::uint64_t{3}, 9); }, "ring_write: the 0x9"},
      {"the ring", [=](World& w) { w.put(net_read, size, 9); }, "ring_read: the 0x9 bytes at"},
      {"code", [=](World& w) { w.put(net_read, code_end - 1, 9); },
       "are not all in memory that may be written"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.name);
    World world;
    one.does(world);
    const std::string said = world.serve();
    EXPECT_NE(said.find(one.says), std::string::npos) << said;
    EXPECT_EQ(world.sent(), "nothing");
  }
}

TEST(Ring, IsKickedInOneWayOnly) {
  World world;
  EXPECT_NE(world.serve({true, 2, 1, solo5::ring_kick_port, 0}), "");
  EXPECT_NE(world.serve({true, 4, 2, solo5::ring_kick_port, 0}), "");
  EXPECT_NE(world.serve({false, 4, 1, solo5::ring_kick_port, 0}), "");
  EXPECT_NE(world.serve({true, 4, 1, solo5::ring_kick_port + 1, 0}), "");
  // Where no ring is, nothing can be kicked.
  world.server.emplace(world.memory, world.manifest, std::vector<int>{-1, -1, -1},
                       base::MutableBytes(), -1, world.stop, tender::Reports{});
  EXPECT_EQ(world.serve(), "it writes to port 0x600, which is no hypercall");
}

// A console that nobody reads, with standard output made one for a while.
TEST(Puts, AConsoleThatNobodyReadsDoesNotStopTheGuest) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::fflush(stdout);
  const int before = ::dup(STDOUT_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  World world;
  const solo5::Puts call{data, 5000};
  std::memcpy(world.bytes.data() + 0x120000, &call, sizeof call);
  const Access puts{true, 4, 1,
                    static_cast<std::uint16_t>(solo5::port_base + unsigned(solo5::Call::puts)),
                    0x120000};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(world.serve(puts), "");  // 500 KB
  ::dup2(before, STDOUT_FILENO);
  int waiting = 0;
  ::ioctl(ends[0], FIONREAD, &waiting);
  EXPECT_GT(waiting, 4096);
  for (const int fd : {before, ends[0], ends[1]}) ::close(fd);
}

}  // namespace
