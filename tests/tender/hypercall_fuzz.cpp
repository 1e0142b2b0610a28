// SPDX-License-Identifier: ISC
// tests/tender/hypercall_fuzz.cpp: any access to a port, over any structure.
//
// Input: two bytes of port, one of size, one of kind, four of address; the rest lies at that
//        address, if it fits. The port of the ring's kick: the rest is an entry of the ring.
// Held:  a request's buffers are in memory, and those to be written are not in code; its handle is
//        that of a device of its kind.

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "tender/hypercall.hpp"

namespace {

constexpr std::uint64_t memory_bytes = 2U << 20U;
constexpr std::uint64_t code_begin = 0x100000;
constexpr std::uint64_t code_end = 0x140000;

struct World {
  World() : bytes(memory_bytes), memory(bytes) {
    memory.forbid_writing(code_begin, code_end);
    manifest[0].type = solo5::DeviceType::reserved_first;
    manifest[1].type = manifest[3].type = solo5::DeviceType::net;
    manifest[2].type = solo5::DeviceType::block;
    manifest[1].attached = manifest[2].attached = 1;
  }
  void check_inside(base::Bytes part, bool is_written) const {
    const auto begin = static_cast<std::uint64_t>(part.data() - bytes.data());
    CHECK(begin <= memory_bytes);
    CHECK(part.size() <= memory_bytes - begin);
    if (is_written && !part.empty()) {
      CHECK(begin + part.size() <= code_begin || begin >= code_end);
    }
  }
  std::vector<std::byte> bytes;
  tender::GuestMemory memory;
  solo5::ManifestEntry manifest[4]{};
};

// One for each kind of request.
struct Checker {
  const World& world;
  bool is_entry;  // of the ring: there is no structure to answer in
  void operator()(const tender::WalltimeRequest& request) const {
    CHECK(world.memory.copy_out(request.at, solo5::Walltime{}));
  }
  void operator()(const tender::PutsRequest& request) const {
    world.check_inside(request.text, false);
  }
  void operator()(const tender::PollRequest& request) const {
    CHECK(world.memory.copy_out(request.at, request.call));
  }
  void operator()(const tender::BlockWriteRequest& request) const {
    check_block(request.call, request.at);
    world.check_inside(request.from, false);
  }
  void operator()(const tender::BlockReadRequest& request) const {
    check_block(request.call, request.at);
    world.check_inside(request.to, true);
  }
  void operator()(const tender::NetWriteRequest& request) const {
    CHECK(request.call.handle == 1);
    CHECK(is_entry || world.memory.copy_out(request.at, request.call));
    world.check_inside(request.frame, false);
  }
  void operator()(const tender::NetReadRequest& request) const {
    CHECK(request.call.handle == 1);
    CHECK(is_entry || world.memory.copy_out(request.at, request.call));
    world.check_inside(request.to, true);
  }
  void operator()(const tender::HaltRequest& request) const {
    CHECK(request.call.cookie == 0 ||
          world.memory.readable(request.call.cookie, solo5::halt_cookie_bytes));
  }
  void check_block(const solo5::BlockTransfer& call, std::uint64_t at) const {
    CHECK(call.handle == 2);
    CHECK(world.memory.copy_out(at, call));
    const solo5::BlockDetails device{1U << 20U, 512, 0, {}};
    if (tender::block_answer(device, call) != solo5::Answer::ok) return;
    CHECK(call.bytes <= device.capacity_bytes);
    CHECK(call.offset <= device.capacity_bytes - call.bytes);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t head_bytes = 8;
  if (size < head_bytes || size > head_bytes + 64) return 0;
  static World& world = *new World;
  tender::Access access;
  std::memcpy(&access.port, data, 2);
  access.bytes = data[2];
  access.is_out = (data[3] & 1U) == 0;
  access.count = data[3] / 2U + 1;
  std::memcpy(&access.value, data + 4, 4);
  const std::size_t rest = size - head_bytes;
  if (access.value < memory_bytes && rest <= memory_bytes - access.value) {
    std::memcpy(world.bytes.data() + access.value, data + head_bytes, rest);
  }
  if (access.port == solo5::ring_kick_port) {
    solo5::RingEntry entry{};
    std::memcpy(&entry, data + head_bytes, std::min(rest, sizeof entry));
    const auto work = decode_entry(world.memory, world.manifest, entry);
    if (work) std::visit(Checker{world, true}, *work);
    CHECK(work || !work.error().empty());
    return 0;
  }
  const auto request = decode(world.memory, world.manifest, access);
  if (!request) {
    CHECK(!request.error().empty());
    return 0;
  }
  CHECK(access.is_out && access.bytes == 4 && access.count == 1);
  std::visit(Checker{world, false}, *request);
  return 0;
}
