// SPDX-License-Identifier: ISC
#include "crunch/describe/graph.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "crunch/failure.hpp"

namespace crunch::describe {

namespace {

struct Device {
  std::string name;
  std::string module;
  std::vector<std::size_t> from;
};
struct Key {
  std::string name, doc, stage, value, origin;
  std::vector<std::string> words;  // one of which the value is; none: of another type
};
struct Graph {
  std::vector<Device> devices;
  std::vector<std::size_t> jobs;
  std::vector<Key> keys;
};

Graph parse(std::string_view text) {
  Graph graph;
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    for (const auto& device : json.at("devices")) {
      graph.devices.push_back({device.at("name"), device.at("module"), device.at("from")});
    }
    graph.jobs = json.at("jobs").get<std::vector<std::size_t>>();
    for (const auto& key : json.at("keys")) {
      graph.keys.push_back({key.at("name"), key.at("doc"), key.at("stage"), key.at("value"),
                            key.at("origin"), key.value("words", std::vector<std::string>())});
    }
  } catch (const nlohmann::json::exception& error) {
    throw Failure(std::string("the graph in the image cannot be read: ") + error.what());
  }
  // Each device stands after what it is built from, so that walking it ends.
  for (std::size_t i = 0; i < graph.devices.size(); ++i) {
    for (std::size_t below : graph.devices[i].from) {
      if (below >= i) throw Failure("the graph in the image has a cycle");
    }
  }
  for (std::size_t job : graph.jobs) {
    if (job >= graph.devices.size()) throw Failure("the graph in the image has no such job");
  }
  return graph;
}

struct TreeText {
  const Graph& graph;
  std::vector<bool> drawn;
  std::string out;

  void draw(std::size_t index, const std::string& before, const std::string& below) {
    const Device& device = graph.devices[index];
    bool again = drawn[index] && !device.from.empty();
    drawn[index] = true;
    out += before + device.name + " : " + device.module + (again ? " (above)" : "") + "\n";
    if (again) return;
    for (std::size_t i = 0; i < device.from.size(); ++i) {
      bool last = i + 1 == device.from.size();
      draw(device.from[i], below + (last ? "└── " : "├── "), below + (last ? "    " : "│   "));
    }
  }
};

// Devices are listed as they are connected.
std::string order_text(const Graph& graph) {
  std::string out = "\nConnected in this order, disconnected in the reverse\n";
  for (std::size_t i = 0; i < graph.devices.size(); ++i) {
    const Device& device = graph.devices[i];
    out += "  " + std::to_string(i + 1) + "  " + device.name;
    for (std::size_t below : device.from) {
      out += (below == device.from.front() ? " on " : ", ") + std::to_string(below + 1);
    }
    out += "\n";
  }
  return out;
}

std::string keys_text(const Graph& graph, bool of_build) {
  std::string out;
  std::size_t value_width = 0;
  std::size_t origin_width = 0;
  const auto is_shown = [of_build](const Key& key) { return (key.stage == "build") == of_build; };
  for (const Key& key : graph.keys) {
    if (!is_shown(key)) continue;
    value_width = std::max(value_width, key.name.size() + 1 + key.value.size());
    origin_width = std::max(origin_width, key.origin.size());
  }
  for (const Key& key : graph.keys) {
    if (!is_shown(key)) continue;
    std::string value = key.name + "=" + key.value;
    std::string origin = key.origin;
    value.resize(value_width, ' ');
    origin.resize(origin_width, ' ');
    out += (of_build ? "  " : "  --") + value + "  " + origin + "  " + key.doc;
    for (const std::string& word : key.words) {
      out += (&word == &key.words.front() ? " (" : "|") + word;
    }
    out += key.words.empty() ? "\n" : ")\n";
  }
  if (out.empty()) return "";
  return (of_build ? "\nBuild keys: crunch build --set KEY=VALUE\n" : "\nBoot keys\n") + out;
}

// `line_end` is "\\n" for lines in the middle, "\\l" for lines on the left.
std::string dot_quoted(std::string_view text, std::string_view line_end) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? std::string(line_end) : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

std::string text_of(std::string_view text) {
  Graph graph = parse(text);
  TreeText tree{graph, std::vector<bool>(graph.devices.size()), {}};
  for (std::size_t job : graph.jobs) tree.draw(job, "", "");
  return tree.out + order_text(graph) + keys_text(graph, false) + keys_text(graph, true);
}

std::string dot_of(std::string_view text) {
  Graph graph = parse(text);
  std::string out =
      "digraph appliance {\n  node [shape=box, fontname=\"sans-serif\"];\n"
      "  labelloc=b; labeljust=l; fontname=\"monospace\"; fontsize=10;\n";
  for (std::size_t i = 0; i < graph.devices.size(); ++i) {
    const Device& device = graph.devices[i];
    bool job = std::ranges::find(graph.jobs, i) != graph.jobs.end();
    out += "  d" + std::to_string(i) + " [label=" +
           dot_quoted(std::to_string(i + 1) + ". " + device.name + "\n" + device.module, "\\n") +
           (job ? ", style=bold" : "") + "];\n";
    for (std::size_t below : device.from) {
      out += "  d" + std::to_string(i) + " -> d" + std::to_string(below) + ";\n";
    }
  }
  return out + "  label=" + dot_quoted(keys_text(graph, false) + keys_text(graph, true), "\\l") +
         ";\n}\n";
}

std::string json_of(std::string_view text) {
  static_cast<void>(parse(text));
  return nlohmann::ordered_json::parse(text).dump(2) + "\n";
}

}  // namespace crunch::describe
