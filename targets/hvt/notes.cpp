// SPDX-License-Identifier: ISC
// Nothing reads the notes in the image. A tender reads the first note of each PT_NOTE only, and the
// linker makes one PT_NOTE of neighbours that are aligned alike: so this one and the manifest
// have alignments of their own, and neither has that of the C library's notes (4 and 8).
#include "targets/hvt/notes.hpp"

namespace hvt_target {

struct AbiNote {
  NoteHeader header;
  solo5::AbiNote content;
};

extern "C" {

// By this name the linker is told to take it.
extern const AbiNote hvt_abi_note;

[[gnu::section(".note.solo5.abi")]] alignas(16) constexpr AbiNote hvt_abi_note{
    {solo5::note_name_bytes, sizeof(solo5::AbiNote), solo5::abi_note_type, "Solo5"},
    {solo5::target_hvt, solo5::abi_version, {}}};
}

}  // namespace hvt_target
