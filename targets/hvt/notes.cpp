// SPDX-License-Identifier: ISC
// Nothing reads these in the image. A tender reads the first note of each PT_NOTE only, and the
// linker makes one PT_NOTE of neighbours that are aligned alike: so each has an alignment of its
// own, and none has that of the C library's notes (4 and 8).
#include "targets/hvt/notes.hpp"

#include "solo5/abi.hpp"

namespace hvt_target {

struct NoteHeader {
  std::uint32_t name_bytes, content_bytes, type;
  char name[8];
};
static_assert(sizeof(NoteHeader) == solo5::note_header_bytes);

struct AbiNote {
  NoteHeader header;
  solo5::AbiNote content;
};

struct ManifestNote {
  NoteHeader header;
  std::uint8_t padding[solo5::manifest_note_padding];
  solo5::ManifestHeader manifest;
  solo5::ManifestEntry entries[2];
};
static_assert(offsetof(ManifestNote, manifest) == 24);

extern "C" {

// By these names the linker is told to take them.
extern const AbiNote hvt_abi_note;
extern const ManifestNote hvt_manifest_note;

[[gnu::section(".note.solo5.abi")]] alignas(16) constexpr AbiNote hvt_abi_note{
    {solo5::note_name_bytes, sizeof(solo5::AbiNote), solo5::abi_note_type, "Solo5"},
    {solo5::target_hvt, solo5::abi_version, {}}};

[[gnu::section(".note.solo5.manifest")]] alignas(32) constexpr ManifestNote hvt_manifest_note{
    {solo5::note_name_bytes, sizeof(ManifestNote) - sizeof(NoteHeader), solo5::manifest_note_type,
     "Solo5"},
    {},
    {solo5::manifest_version, 2},
    {{"", solo5::DeviceType::reserved_first, {}, 0, 0, {}},
     {"service", solo5::DeviceType::net, {}, 0, 0, {}}}};
}

}  // namespace hvt_target
