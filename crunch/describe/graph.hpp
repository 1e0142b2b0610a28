// SPDX-License-Identifier: ISC
// crunch/describe/graph.hpp: the graph of an appliance, as config/describe.hpp wrote it, for
// people.

#pragma once

#include <string>
#include <string_view>

namespace crunch::describe {

// Each takes the JSON of an ELF section `.crunch.graph` and throws std::runtime_error with a
// sentence if it is not one.

// A tree for each job; what was drawn before is drawn again by name only. Then the boot keys.
[[nodiscard]] std::string text_of(std::string_view graph);

// For graphviz: an arrow points from a device to what it is built from; below stand the keys.
[[nodiscard]] std::string dot_of(std::string_view graph);

// The same JSON, indented.
[[nodiscard]] std::string json_of(std::string_view graph);

}  // namespace crunch::describe
