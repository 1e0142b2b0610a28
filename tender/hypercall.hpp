// SPDX-License-Identifier: ISC
// tender/hypercall.hpp: what a guest asks for, checked before anything is done.
//
// States:  Access, Request, decode, decode_entry, block_answer.   Used by:
//          tender/server.cpp.
// Rule:    the guest may be hostile. A request that comes out has its structure copied, its buffers
//          in memory (and writable where they are to be written) and its handle on a device of the
//          right kind; everything else is a sentence, and ends the guest.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "solo5/abi.hpp"
#include "tender/memory.hpp"

namespace tender {

// What the processor says that the guest did to a port.
struct Access {
  bool is_out = false;
  std::uint8_t bytes = 0;
  std::uint32_t count = 0;  // 1, but for string instructions
  std::uint16_t port = 0;
  std::uint32_t value = 0;
};

// `at`: where the structure lies, to which the answer goes: all of it may be written. What came by
// the ring has none.
struct WalltimeRequest {
  std::uint64_t at = 0;
};
struct PutsRequest {
  base::Bytes text;
};
struct PollRequest {
  std::uint64_t at = 0;
  solo5::Poll call{};
};
struct BlockWriteRequest {
  std::uint64_t at = 0;
  solo5::BlockTransfer call{};
  base::Bytes from;
};
struct BlockReadRequest {
  std::uint64_t at = 0;
  solo5::BlockTransfer call{};
  base::MutableBytes to;
};
struct NetWriteRequest {
  std::uint64_t at = 0;
  solo5::NetTransfer call{};
  base::Bytes frame;
};
struct NetReadRequest {
  std::uint64_t at = 0;
  solo5::NetTransfer call{};
  base::MutableBytes to;
};
struct HaltRequest {
  solo5::Halt call{};
};

using Request = std::variant<WalltimeRequest, PutsRequest, PollRequest, BlockWriteRequest,
                             BlockReadRequest, NetWriteRequest, NetReadRequest, HaltRequest>;

// `manifest`: as the guest sees it; what is not attached has no handle.
[[nodiscard]] base::Result<Request, std::string> decode(
    const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
    const Access& access);

// The same of an entry of the ring, of which the guest no longer changes this copy.
[[nodiscard]] base::Result<Request, std::string> decode_entry(
    const GuestMemory& memory, std::span<const solo5::ManifestEntry> manifest,
    const solo5::RingEntry& entry);

// Whether so much of a block device may be read or written: whole blocks, all of them there.
[[nodiscard]] solo5::Answer block_answer(const solo5::BlockDetails& device,
                                         const solo5::BlockTransfer& call) noexcept;

}  // namespace tender
