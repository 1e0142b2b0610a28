// SPDX-License-Identifier: ISC
// crunch/inspect/print.hpp: an image's description for people and for programs.
//
// States:  text_of, json_of, sbom_of.   Used by: `crunch inspect`.
// JSON:    {"image": {"path", "size", "format", "crunch", "target", "config", "certificates",
//          "settings", "libraries", "solo5"}, "sites": [manifest, ...], "graph": {...}}; what an
//          image lacks is left out of "image", and "graph" is null.

#pragma once

#include <string>

#include "crunch/inspect/image.hpp"

namespace crunch::inspect {

[[nodiscard]] std::string text_of(const Image& image);
[[nodiscard]] std::string json_of(const Image& image);

// A software bill of materials: SPDX 2.3 as JSON, with the image, and each library that is linked
// into it, as packages. The time in it is SOURCE_DATE_EPOCH if that is set, else now. Throws a
// Failure if the image has no list of libraries.
// Source: the SPDX specification 2.3, clauses 6 to 11.
[[nodiscard]] std::string sbom_of(const Image& image);

}  // namespace crunch::inspect
