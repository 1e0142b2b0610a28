// SPDX-License-Identifier: ISC
#include "crunch/inspect/graph.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crunch/failure.hpp"

namespace crunch::inspect {

// What is in a graph but not as it should be is left for its reader to refuse.
std::string with_values(const std::string& text, const std::string& settings) {
  // Members stay in the order in which they were written.
  using Json = nlohmann::ordered_json;
  Json graph = Json::parse(text);
  const Json set = Json::parse(settings);
  if (!graph.is_object() || !graph.contains("keys")) return graph.dump();
  for (Json& key : graph["keys"]) {
    if (!key.is_object() || !key.contains("default")) continue;
    key["value"] = key["default"];
    key["origin"] = "default";
    for (const Json& setting : set) {
      if (setting.at("name") != key.value("name", "")) continue;
      key["value"] = setting.at("value");
      key["origin"] = setting.at("origin");
    }
  }
  return graph.dump();
}

std::optional<std::string> graph_of(const ElfFile& file) {
  auto graph = file.section(".crunch.graph");
  // It was a literal array in C++, which has a zero behind it.
  if (graph) graph->erase(std::ranges::find(*graph, '\0'), graph->end());
  return graph;
}

std::string graph_in(const std::string& object) {
  auto graph = graph_of(ElfFile(object));
  if (!graph) throw Failure(in_quotes(object) + " does not say what it is made of");
  return *graph;
}

}  // namespace crunch::inspect
