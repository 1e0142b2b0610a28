// SPDX-License-Identifier: ISC
// crunch/inspect/graph.hpp: what an image or an object is made of, as config/describe.hpp wrote it.
//
// States:  graph_of, graph_in, with_values.   Used by: crunch/{build,describe,inspect}.

#pragma once

#include <optional>
#include <string>

#include "crunch/inspect/file.hpp"

namespace crunch::inspect {

// The graph, as JSON, in an image; nothing if there is none.
[[nodiscard]] std::optional<std::string> graph_of(const ElfFile& file);
// The same, in an object that will be linked into an image. Throws a Failure if there is
// none.
[[nodiscard]] std::string graph_in(const std::string& object);

// A graph whose keys have "value" and "origin" too: what `settings`,
// [{"name","value","origin"}...], say, else the key's default.
[[nodiscard]] std::string with_values(const std::string& graph, const std::string& settings);

}  // namespace crunch::inspect
