// SPDX-License-Identifier: ISC
// crunch/inspect/inspect.hpp: what is in an image, by what `crunch embed` and `crunch build` wrote
// into it.
//
// States:  read_image, and two ways to say it; graph_of and what it is made from.
// Used by: `crunch inspect`, `crunch describe`.
// Reads:   sections .crunch.image (the note of crunch build), .crunch.manifest (one JSON object for
//          each site, one after another), .crunch.graph (what the image is made of).
// JSON:    {"image": {"path", "size", "target", "crunch", "config", "settings"}, "sites":
//          [manifest, ...], "graph": {...}}; what an image lacks is null.

#pragma once

#include <string>

namespace crunch::inspect {

// Each throws a Failure with a sentence if the file is no image, or is damaged.
[[nodiscard]] std::string json_of(const std::string& path);
[[nodiscard]] std::string text_of(const std::string& path);

// What the image is made of, as config/describe.hpp wrote it.
[[nodiscard]] std::string graph_of(const std::string& path);
// The same of an object that will be linked into one.
[[nodiscard]] std::string graph_in(const std::string& object);
// A graph whose keys have "value" and "origin" too: what `settings`,
// [{"name","value","origin"}...], say, else the key's default.
[[nodiscard]] std::string with_values(const std::string& graph, const std::string& settings);

}  // namespace crunch::inspect
