// SPDX-License-Identifier: ISC
// crunch/inspect/inspect.hpp: what is in an image, by what `crunch embed` and `crunch build` wrote
// into it.
//
// States:  read_image, and two ways to say it; graph_of.   Used by: `crunch inspect`, `crunch
//          describe`.
// Reads:   sections .crunch.image (the note of crunch build), .crunch.manifest (one JSON object for
//          each site, one after another), .crunch.graph (what the image is made of).
// JSON:    {"image": {"path", "size", "target", "crunch", "config"}, "sites": [manifest, ...],
//          "graph": {...}}; what an image lacks is null.

#pragma once

#include <string>

namespace crunch::inspect {

// Each throws a Failure with a sentence if the file is no image, or is damaged.
[[nodiscard]] std::string json_of(const std::string& path);
[[nodiscard]] std::string text_of(const std::string& path);

// What the image is made of, as crunch/config/describe.hpp wrote it.
[[nodiscard]] std::string graph_of(const std::string& path);

}  // namespace crunch::inspect
