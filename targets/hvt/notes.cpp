// SPDX-License-Identifier: ISC
// Nothing reads these in the image. A tender reads the first note of each PT_NOTE only, and the
// linker makes one PT_NOTE of neighbours that are aligned alike: so each has an alignment of its
// own, and none has that of the C library's notes (4 and 8).
#include "targets/hvt/notes.hpp"

#include "targets/hvt/abi.hpp"

namespace hvt_target {

struct NoteHeader {
  std::uint32_t name_bytes, content_bytes, type;
  char name[8];
};
static_assert(sizeof(NoteHeader) == hvt::note_header_bytes);

struct AbiNote {
  NoteHeader header;
  hvt::AbiNote content;
};

struct ManifestNote {
  NoteHeader header;
  std::uint8_t padding[hvt::manifest_note_padding];
  hvt::ManifestHeader manifest;
  hvt::ManifestEntry entries[2];
};
static_assert(offsetof(ManifestNote, manifest) == 24);

extern "C" {

// By these names the linker is told to take them.
extern const AbiNote hvt_abi_note;
extern const ManifestNote hvt_manifest_note;

[[gnu::section(".note.solo5.abi")]] alignas(16) constexpr AbiNote hvt_abi_note{
    {hvt::note_name_bytes, sizeof(hvt::AbiNote), hvt::abi_note_type, "Solo5"},
    {hvt::target_hvt, hvt::abi_version, {}}};

[[gnu::section(".note.solo5.manifest")]] alignas(32) constexpr ManifestNote hvt_manifest_note{
    {hvt::note_name_bytes, sizeof(ManifestNote) - sizeof(NoteHeader), hvt::manifest_note_type,
     "Solo5"},
    {},
    {hvt::manifest_version, 2},
    {{"", hvt::DeviceType::reserved_first, {}, 0, 0, {}},
     {"service", hvt::DeviceType::net, {}, 0, 0, {}}}};
}

}  // namespace hvt_target
