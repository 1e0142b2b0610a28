// SPDX-License-Identifier: ISC
// The manifest of an image with one block device (notes.hpp).
#include "targets/hvt/notes.hpp"

namespace hvt_target {

extern "C" {
[[gnu::section(".note.solo5.manifest")]] alignas(32) constexpr ManifestNote<1> hvt_manifest_note_1 =
    manifest_note<1>();
}

}  // namespace hvt_target
