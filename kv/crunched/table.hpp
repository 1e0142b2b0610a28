// SPDX-License-Identifier: ISC
// kv/crunched/table.hpp: the tables that `crunch embed` writes and kv::Crunched reads.
//
// A crunched site is two runs of bytes: an index, laid out as below, and the content, where the
// representations stand one after another. Both are relocation-free, so that embedding them takes
// an assembler no time (a C++ array of 100,000 initialised structs takes g++ 12 half a minute). The
// generated C++ holds only a Site with their addresses.
//
// Index:   Header, File[file_count] sorted by key (bytes, unsigned), FormRecord[form_count],
//          uint32_t[slot_count], sets of fields (kv/fields.hpp), keys. Little-endian; aligned to
//          index_alignment in memory; every offset counts bytes from the start of its part.
// Slots:   a hash table with linear probing: slot s holds 0 (empty) or 1 + the number of a File
//          whose search began at or before s. Keys that are there are found by it in a quarter of
//          the instructions that a binary search takes; order is for the others and for `list`.
// Writer:  kv/crunched/writer.hpp.   Change both together, and `magic` with them.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "kv/crunched/site.hpp"
#include "kv/kv.hpp"

namespace kv::crunched {

inline constexpr std::array<char, 8> magic{'c', 'r', 'u', 'n', 'c', 'h', '0', '2'};

// Where the index must start in memory: what its widest member needs.
inline constexpr std::size_t index_alignment = 8;

// Each representation starts at a multiple of this in the content; a large one at a page, so that
// a stack that sends it from the image's file (net/sockets) hands over whole pages: that takes half
// the CPU time of sending it from the middle of one.
inline constexpr std::uint64_t content_alignment = 16;
inline constexpr std::uint64_t page_alignment = 4096;
inline constexpr std::uint64_t page_aligned_bytes_min = 65536;
[[nodiscard]] constexpr std::uint64_t alignment_of(std::uint64_t size_bytes) {
  return size_bytes < page_aligned_bytes_min ? content_alignment : page_alignment;
}

struct Header {
  std::array<char, 8> magic;
  std::uint32_t file_count;
  std::uint32_t form_count;
  std::uint32_t slot_count;  // a power of two, more than file_count
  std::uint32_t zero;
  std::uint64_t field_bytes;
  std::uint64_t key_bytes;
  std::uint64_t content_bytes;
  std::array<char, 64> site_digest;  // hexadecimal SHA-256 over every path, time and content
};
static_assert(sizeof(Header) == 112);

struct File {
  std::uint32_t key_offset;  // in keys
  std::uint32_t key_bytes;
  std::int64_t modified_s;
  std::uint32_t first_form;  // identity; the others follow in the order of kv::Encoding
  std::uint8_t encodings;    // as in kv::Stat
  std::array<std::uint8_t, 3> zero;
};
static_assert(sizeof(File) == 24);

struct FormRecord {
  std::uint64_t content_offset;
  std::uint64_t size_bytes;
  Digest digest;
  // As in kv::Head; `fields` is the site's own.
  Head::Offset validators, type, middle, length, fields;
  std::uint32_t zero;
};
static_assert(sizeof(FormRecord) == 72);

// Where the search for a key begins: slot hash_of(key) modulo slot_count. Eight bytes a step; the
// keys are the site's own, so an attacker cannot choose them to collide.
[[nodiscard]] inline std::uint64_t hash_of(Key key) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;  // 2^64 / the golden ratio
  std::uint64_t hash = key.size() * odd;
  while (key.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, key.data(), 8);
    hash = (hash ^ word) * odd;
    hash ^= hash >> 32U;
    key.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  for (char byte : key) rest = rest << 8U | static_cast<unsigned char>(byte);
  hash = (hash ^ rest) * odd;
  return hash ^ hash >> 32U;
}

}  // namespace kv::crunched
