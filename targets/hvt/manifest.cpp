// SPDX-License-Identifier: ISC
// The manifest of an image without block devices (notes.hpp).
#include "targets/hvt/notes.hpp"

namespace hvt_target {

extern "C" {
[[gnu::section(".note.solo5.manifest")]] alignas(32) constexpr ManifestNote<0> hvt_manifest_note =
    manifest_note<0>();
}

}  // namespace hvt_target
