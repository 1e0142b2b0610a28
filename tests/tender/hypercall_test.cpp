// SPDX-License-Identifier: ISC
// Hypercalls: those that are good, and, as a table, those of a hostile guest.

#include "tender/hypercall.hpp"

#include <gtest/gtest.h>

#include "tests/tender/sample.hpp"

namespace {

using solo5::Answer;
using tender::Access;
using tender::GuestMemory;
using tender::Request;

constexpr std::uint64_t size = 2U << 20U;
constexpr std::uint32_t at = 0x180000;  // of the structure
constexpr std::uint64_t data = 0x190000;
constexpr std::uint64_t code_begin = 0x100000;
constexpr std::uint64_t code_end = 0x110000;

// A guest's memory with code that may not be written, a net device, a block device, and a net
// device that is not attached.
struct World {
  World() : bytes(size), memory(bytes) {
    memory.forbid_writing(code_begin, code_end);
    manifest = {hvt_test::device("", solo5::DeviceType::reserved_first),
                hvt_test::device("service", solo5::DeviceType::net),
                hvt_test::device("storage", solo5::DeviceType::block),
                hvt_test::device("other", solo5::DeviceType::net)};
    manifest[1].attached = manifest[2].attached = 1;
  }

  template <class T>
  void put(std::uint64_t address, const T& value) {
    ASSERT_LE(address + sizeof value, bytes.size());
    std::memcpy(bytes.data() + address, &value, sizeof value);
  }
  [[nodiscard]] base::Result<Request, std::string> call(solo5::Call which,
                                                        std::uint32_t where = at) {
    const auto port = static_cast<std::uint16_t>(solo5::port_base + static_cast<unsigned>(which));
    return decode(memory, manifest, Access{true, 4, 1, port, where});
  }

  std::vector<std::byte> bytes;
  GuestMemory memory;
  std::vector<solo5::ManifestEntry> manifest;
};

TEST(Hypercall, GoodOnesAreCopied) {
  World world;
  world.put(at, solo5::Puts{data, 5});
  auto puts = world.call(solo5::Call::puts);
  ASSERT_TRUE(puts);
  const auto& text = std::get<tender::PutsRequest>(*puts).text;
  EXPECT_EQ(text.data(), world.bytes.data() + data);
  EXPECT_EQ(text.size(), 5U);

  world.put(at, solo5::NetTransfer{1, data, 1514, Answer::ok, 0});
  auto write = world.call(solo5::Call::net_write);
  ASSERT_TRUE(write);
  auto read = world.call(solo5::Call::net_read);
  ASSERT_TRUE(read);
  // What the guest changes now changes nothing.
  world.put(at, solo5::NetTransfer{9, 0, ~0ULL, Answer::ok, 0});
  EXPECT_EQ(std::get<tender::NetWriteRequest>(*write).frame.size(), 1514U);
  EXPECT_EQ(std::get<tender::NetReadRequest>(*read).to.size(), 1514U);
  EXPECT_EQ(std::get<tender::NetReadRequest>(*read).call.handle, 1U);

  world.put(at, solo5::BlockTransfer{2, 512, data, 1024, Answer::ok, 0});
  EXPECT_TRUE(world.call(solo5::Call::block_write));
  EXPECT_TRUE(world.call(solo5::Call::block_read));
  world.put(at, solo5::Poll{1000, 0, 0, 0});
  EXPECT_TRUE(world.call(solo5::Call::poll));
  EXPECT_TRUE(world.call(solo5::Call::walltime));
  world.put(at, solo5::Halt{0, 7, 0});
  auto halt = world.call(solo5::Call::halt);
  ASSERT_TRUE(halt);
  EXPECT_EQ(std::get<tender::HaltRequest>(*halt).call.status, 7);
}

TEST(Hypercall, BadPortsEndTheGuest) {
  World world;
  world.put(at, solo5::Puts{data, 5});
  const Access good{true, 4, 1, 0x502, at};
  ASSERT_TRUE(decode(world.memory, world.manifest, good));
  struct {
    const char* name;
    Access access;
    const char* words;
  } const bad[] = {
      {"in", {false, 4, 1, 0x502, at}, "no port can be read"},
      {"one byte", {true, 1, 1, 0x502, at}, "1 times 1 bytes"},
      {"two bytes", {true, 2, 1, 0x502, at}, "1 times 2 bytes"},
      {"a string", {true, 4, 9, 0x502, at}, "9 times 4 bytes"},
      {"none", {true, 4, 0, 0x502, at}, "0 times"},
      {"port 0x500", {true, 4, 1, 0x500, at}, "no hypercall"},
      {"port 0x509", {true, 4, 1, 0x509, at}, "no hypercall"},
      {"the ring's", {true, 4, 1, 0x600, at}, "no hypercall"},
      {"a PC's", {true, 1, 1, 0x3f8, 'a'}, "port 0x3f8"},
      {"port 0", {true, 4, 1, 0, at}, "no hypercall"},
      {"the last port", {true, 4, 1, 0xffff, at}, "no hypercall"},
  };
  for (const auto& probe : bad) {
    SCOPED_TRACE(probe.name);
    const auto request = decode(world.memory, world.manifest, probe.access);
    ASSERT_FALSE(request);
    EXPECT_NE(request.error().find(probe.words), std::string::npos) << request.error();
  }
}

TEST(Hypercall, BadStructuresEndTheGuest) {
  constexpr std::size_t bytes_of[] = {
      0, sizeof(solo5::Walltime), 16, sizeof(solo5::Poll), 40, 40, 32, 32, 16};
  World world;
  for (unsigned number = 1; number <= 8; ++number) {
    SCOPED_TRACE(number);
    const auto which = static_cast<solo5::Call>(number);
    for (const std::uint64_t where :
         {size - bytes_of[number] + 1, size - 1, size, size + 1, std::uint64_t{~0U}}) {
      EXPECT_FALSE(world.call(which, static_cast<std::uint32_t>(where))) << where;
    }
    // Answers are not written over code.
    const bool is_answered = which != solo5::Call::puts && which != solo5::Call::halt;
    world.put(code_begin, solo5::NetTransfer{number < 6 ? 2U : 1U, data, 512, Answer::ok, 0});
    if (number == 4 || number == 5) {
      world.put(code_begin, solo5::BlockTransfer{2, 0, data, 512, Answer::ok, 0});
    }
    if (is_answered) {
      const auto request = world.call(which, code_begin);
      ASSERT_FALSE(request);
      EXPECT_NE(request.error().find("may be written"), std::string::npos) << request.error();
    }
  }
}

struct Buffer {
  const char* name;
  std::uint64_t address, bytes;
  bool reads, writes;  // whether the guest may have it read, and written
};
const Buffer buffers[] = {
    {"good", data, 100, true, true},
    {"empty", data, 0, true, true},
    {"all", code_end, size - code_end, true, true},
    {"one too many", data, size - data + 1, false, false},
    {"behind memory", size, 1, false, false},
    {"empty, behind memory", size, 0, false, false},
    {"length wraps to 0", data, 0 - data, false, false},
    {"length wraps into memory", data, 0 - data + 16, false, false},
    {"longest", 0, ~0ULL, false, false},
    {"highest", ~0ULL, 1, false, false},
    {"highest and longest", ~0ULL, ~0ULL, false, false},
    {"4 GiB further", data + (1ULL << 32U), 8, false, false},
    {"code", code_begin, 8, true, false},
    {"code's last byte", code_end - 1, 8, true, false},
    {"up to code", code_begin - 8, 8, true, true},
    {"into code", code_begin - 8, 9, true, false},
    {"around code", code_begin - 8, code_end - code_begin + 16, true, false},
};

TEST(Hypercall, BadBuffersEndTheGuest) {
  World world;
  for (const Buffer& buffer : buffers) {
    SCOPED_TRACE(buffer.name);
    const std::uint64_t from = buffer.address;
    world.put(at, solo5::Puts{from, buffer.bytes});
    EXPECT_EQ(world.call(solo5::Call::puts).has_value(), buffer.reads);
    world.put(at, solo5::NetTransfer{1, from, buffer.bytes, Answer::ok, 0});
    EXPECT_EQ(world.call(solo5::Call::net_write).has_value(), buffer.reads);
    EXPECT_EQ(world.call(solo5::Call::net_read).has_value(), buffer.writes);
    world.put(at, solo5::BlockTransfer{2, 0, from, buffer.bytes, Answer::ok, 0});
    EXPECT_EQ(world.call(solo5::Call::block_write).has_value(), buffer.reads);
    EXPECT_EQ(world.call(solo5::Call::block_read).has_value(), buffer.writes);
  }
}

TEST(Hypercall, BadHandlesEndTheGuest) {
  World world;
  // 0 is reserved, 3 is not attached, 4 is not there.
  for (const std::uint64_t handle :
       {0ULL, 3ULL, 4ULL, 64ULL, 1ULL << 32U, (1ULL << 32U) + 1, ~0ULL}) {
    SCOPED_TRACE(handle);
    world.put(at, solo5::NetTransfer{handle, data, 60, Answer::ok, 0});
    EXPECT_FALSE(world.call(solo5::Call::net_write));
    EXPECT_FALSE(world.call(solo5::Call::net_read));
    world.put(at, solo5::BlockTransfer{handle, 0, data, 512, Answer::ok, 0});
    EXPECT_FALSE(world.call(solo5::Call::block_write));
    EXPECT_FALSE(world.call(solo5::Call::block_read));
  }
  // Of the other kind.
  world.put(at, solo5::NetTransfer{2, data, 60, Answer::ok, 0});
  EXPECT_FALSE(world.call(solo5::Call::net_write));
  world.put(at, solo5::BlockTransfer{1, 0, data, 512, Answer::ok, 0});
  EXPECT_FALSE(world.call(solo5::Call::block_read));
}

TEST(Hypercall, BadCookiesEndTheGuest) {
  World world;
  struct {
    std::uint64_t cookie;
    bool good;
  } const cases[] = {{0, true},           {data, true},  {size - 512, true},
                     {size - 511, false}, {size, false}, {~0ULL, false}};
  for (const auto& one : cases) {
    world.put(at, solo5::Halt{one.cookie, 0, 0});
    EXPECT_EQ(world.call(solo5::Call::halt).has_value(), one.good) << one.cookie;
  }
}

TEST(Hypercall, BlocksAreWholeAndThere) {
  const solo5::BlockDetails device{4096, 512, 0, {}};
  struct {
    std::uint64_t offset, bytes;
    Answer answer;
  } const cases[] = {
      {0, 512, Answer::ok},
      {3584, 512, Answer::ok},
      {0, 4096, Answer::ok},
      {0, 0, Answer::invalid},
      {1, 512, Answer::invalid},
      {0, 511, Answer::invalid},
      {4096, 512, Answer::invalid},
      {0, 4608, Answer::invalid},
      {512, 0 - 512ULL, Answer::invalid},
      {0 - 512ULL, 512, Answer::invalid},
      {0 - 512ULL, 1024, Answer::invalid},
  };
  for (const auto& one : cases) {
    const solo5::BlockTransfer call{2, one.offset, data, one.bytes, Answer::ok, 0};
    EXPECT_EQ(tender::block_answer(device, call), one.answer) << one.offset << " " << one.bytes;
  }
  const solo5::BlockTransfer call{2, 0, data, 512, Answer::ok, 0};
  EXPECT_EQ(tender::block_answer({4096, 0, 0, {}}, call), Answer::invalid);
}

}  // namespace
