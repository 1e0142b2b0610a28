// SPDX-License-Identifier: ISC
// The manifest of an image with two block devices (notes.hpp).
#include "targets/hvt/notes.hpp"

namespace hvt_target {

extern "C" {
[[gnu::section(".note.solo5.manifest")]] alignas(32) constexpr ManifestNote<2> hvt_manifest_note_2 =
    manifest_note<2>();
}

}  // namespace hvt_target
