// SPDX-License-Identifier: ISC
// targets/hvt/notes.hpp: what the image asks of a tender: the ABI's version, and its devices.
//
// States:  the handles of the devices; ManifestNote, need_manifest.
// Manifest: a tender starts an image only if each device of its manifest is attached. So there is
//          an object for each number of block devices (manifest.cpp and its neighbours), and an
//          image refers to the one that it needs; the others stay in the archive.
// Source:  Solo5's elf_abi.h and mft_abi.h.

#pragma once

#include <cstddef>
#include <cstdint>

#include "solo5/abi.hpp"

namespace hvt_target {

// The handle of the network device `service`: its index in the manifest. Block devices follow.
inline constexpr std::uint64_t service_handle = 1;
inline constexpr std::uint64_t first_block_handle = 2;
inline constexpr std::size_t blocks_max = 2;
// The name of block device 1, 2, ... in the manifest.
inline constexpr const char* block_names[blocks_max] = {"disk1", "disk2"};

struct NoteHeader {
  std::uint32_t name_bytes, content_bytes, type;
  char name[8];
};
static_assert(sizeof(NoteHeader) == solo5::note_header_bytes);

template <std::size_t blocks>
struct ManifestNote {
  NoteHeader header;
  std::uint8_t padding[solo5::manifest_note_padding];
  solo5::ManifestHeader manifest;
  solo5::ManifestEntry entries[first_block_handle + blocks];
};
static_assert(offsetof(ManifestNote<0>, manifest) == 24);

template <std::size_t blocks>
constexpr ManifestNote<blocks> manifest_note() noexcept {
  using Note = ManifestNote<blocks>;
  Note out{{solo5::note_name_bytes, sizeof(Note) - sizeof(NoteHeader), solo5::manifest_note_type,
            "Solo5"},
           {},
           {solo5::manifest_version, first_block_handle + blocks},
           {{"", solo5::DeviceType::reserved_first, {}, 0, 0, {}},
            {"service", solo5::DeviceType::net, {}, 0, 0, {}}}};
  for (std::size_t i = 0; i < blocks; ++i) {
    solo5::ManifestEntry& entry = out.entries[first_block_handle + i];
    // Not by <algorithm>: machine.cpp includes this and is compiled without floating point.
    for (std::size_t at = 0; at < sizeof "disk1"; ++at) entry.name[at] = block_names[i][at];
    entry.type = solo5::DeviceType::block;
  }
  return out;
}

// Each is constexpr where it is defined.
extern "C" {
// NOLINTBEGIN(bugprone-dynamic-static-initializers)
extern const ManifestNote<0> hvt_manifest_note;
extern const ManifestNote<1> hvt_manifest_note_1;
extern const ManifestNote<2> hvt_manifest_note_2;
// NOLINTEND(bugprone-dynamic-static-initializers)
}

// The image that calls this has a manifest with so many block devices. One image, one number.
template <std::size_t blocks>
void need_manifest() noexcept {
  static_assert(blocks <= blocks_max, "an image for hvt has at most two block devices");
  const void* note = &hvt_manifest_note;
  if constexpr (blocks == 1) note = &hvt_manifest_note_1;
  if constexpr (blocks == 2) note = &hvt_manifest_note_2;
  asm volatile("" : : "r"(note));
}

}  // namespace hvt_target
