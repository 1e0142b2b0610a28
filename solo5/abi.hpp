// SPDX-License-Identifier: ISC
// solo5/abi.hpp: what a guest and a tender of Solo5's hvt ABI, version 2, agree on (x86-64).
//
// States:  numbers and structures as they lie in memory; nothing here does anything.
// Used by: the guest and the tender; neither includes the other.
// Source:  Solo5's public headers hvt_abi.h, elf_abi.h, mft_abi.h and hvt_ring.h, v0.12.1.

#pragma once

#include <cstddef>
#include <cstdint>

namespace solo5 {

// Where an image may begin, and what memory may be.
inline constexpr std::uint64_t load_address_min = 0x100000;
inline constexpr std::uint64_t memory_unit_bytes = 0x200000;
inline constexpr std::uint64_t memory_bytes_max = 0x100000000;

// The notes of an image: name "Solo5", each in a PT_NOTE of its own.
inline constexpr std::uint32_t abi_note_type = 0x31494241;       // "ABI1"
inline constexpr std::uint32_t manifest_note_type = 0x3154464d;  // "MFT1"
inline constexpr char note_name[8] = "Solo5";                    // padded with zeros
inline constexpr std::uint32_t note_name_bytes = 6;
inline constexpr std::size_t note_header_bytes = 20;  // three u32s and the padded name

struct AbiNote {
  std::uint32_t target, version, reserved[2];
};
static_assert(sizeof(AbiNote) == 16);
inline constexpr std::uint32_t target_hvt = 1;
inline constexpr std::uint32_t abi_version = 2;

// The devices of an image. A handle is an index in `entries`.
enum class DeviceType : std::uint32_t { block = 1, net = 2, reserved_first = 1U << 30U };

struct BlockDetails {
  std::uint64_t capacity_bytes;
  std::uint16_t block_bytes;
  std::uint16_t flags;  // 0 in a file; Solo5's tenders leave it, ours sets block_is_durable
  std::uint16_t reserved[2];
};
// A write that is answered `ok` survives a loss of power.
inline constexpr std::uint16_t block_is_durable = 1;
struct NetDetails {
  std::uint8_t mac[6];
  std::uint16_t mtu_bytes;
  std::uint8_t reserved[8];
};
inline constexpr std::size_t device_name_bytes = 68;  // with its terminating zero
struct ManifestEntry {
  char name[device_name_bytes];
  DeviceType type;
  union {
    BlockDetails block;
    NetDetails net;
  };
  std::uint64_t backing;  // the tender's, of no use to a guest
  std::uint8_t attached;  // 0 in a file, 1 for the guest
  std::uint8_t padding[7];
};
static_assert(sizeof(ManifestEntry) == 104 && offsetof(ManifestEntry, backing) == 88 &&
              offsetof(ManifestEntry, attached) == 96);

inline constexpr std::uint32_t manifest_version = 1;
inline constexpr std::uint32_t manifest_entries_max = 64;
struct ManifestHeader {
  std::uint32_t version, count;
};
// In the note, four bytes come before the header, so that it is aligned.
inline constexpr std::size_t manifest_note_padding = 4;

// What the guest finds at its entry, RDI pointing to it.
struct BootInfo {
  std::uint64_t memory_bytes, kernel_end, tsc_hz, command_line, manifest;
  std::uint32_t host_features, guest_features;  // tenders up to 0.10 end before these
  std::uint64_t net_ring;
};
static_assert(sizeof(BootInfo) == 56);
inline constexpr std::size_t command_line_bytes_max = 8191;

// Hypercalls: a 32-bit `out` of the address of a structure to port_base + number.
inline constexpr std::uint16_t port_base = 0x500;
enum class Call : std::uint8_t {
  walltime = 1,
  puts = 2,
  poll = 3,
  block_write = 4,
  block_read = 5,
  net_write = 6,
  net_read = 7,
  halt = 8,
};
enum class Answer : std::int32_t { ok = 0, again = 1, invalid = 2, unspecified = 3 };

struct Walltime {
  std::uint64_t ns;  // since 1970-01-01 UTC
};
struct Puts {
  std::uint64_t data, bytes;
};
struct Poll {
  std::uint64_t timeout_ns;
  std::uint64_t ready;  // bit 1 << handle
  std::int32_t count;
  std::uint32_t padding;
};
// Bit 0 of Poll::ready is no device's, for entry 0 is reserved. Our tender sets it once when it is
// asked to end, to which our guest answers by draining. Others neither set it nor look at it.
inline constexpr std::uint64_t ready_to_stop = 1;

struct BlockTransfer {
  std::uint64_t handle, offset, data, bytes;
  Answer answer;
  std::uint32_t padding;
};
static_assert(offsetof(BlockTransfer, answer) == 32);
struct NetTransfer {
  std::uint64_t handle, data, bytes;  // net_read: `bytes` becomes the frame's
  Answer answer;
  std::uint32_t padding;
};
static_assert(offsetof(NetTransfer, answer) == 24);
struct Halt {
  std::uint64_t cookie;  // 0, or the address of 512 bytes
  std::int32_t status;
  std::uint32_t padding;
};
inline constexpr std::size_t halt_cookie_bytes = 512;

// The network ring, which a tender may offer (since Solo5 0.11): the guest puts entries for all its
// network devices there, the tender carries them out in order, and answers those that read. Indices
// only grow; modulo `ring_size` they are places.
inline constexpr std::uint32_t feature_ring = 1;        // in host_features; and net_ring is not 0
inline constexpr std::uint16_t ring_kick_port = 0x600;  // a 32-bit `out` of anything
inline constexpr std::uint32_t ring_size = 1024;
enum class RingOperation : std::uint32_t { net_write = 1, net_read = 2 };
struct RingEntry {
  RingOperation operation;
  std::uint32_t handle;
  std::uint64_t data;
  std::uint32_t bytes, id;
  std::uint64_t reserved;
};
struct RingCommit {
  std::uint32_t id;  // of the entry that it answers
  Answer answer;
  std::uint32_t bytes, reserved;
};
struct Ring {
  // Written by the guest alone.
  std::uint32_t entries_put, commits_taken;
  std::uint8_t padding[56];
  // Written by the tender alone. needs_kick: it will not look at the ring before it is kicked.
  std::uint32_t entries_taken, commits_put, needs_kick;
  std::uint8_t more_padding[52];
  RingEntry entries[ring_size];
  RingCommit commits[ring_size];
};
static_assert(sizeof(RingEntry) == 32 && sizeof(RingCommit) == 16);
static_assert(offsetof(Ring, entries_taken) == 64 && offsetof(Ring, entries) == 128);
static_assert(offsetof(Ring, commits) == 128 + 32 * ring_size);

}  // namespace solo5
