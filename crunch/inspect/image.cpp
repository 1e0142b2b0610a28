// SPDX-License-Identifier: ISC
#include "crunch/inspect/image.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "crunch/failure.hpp"
#include "crunch/inspect/file.hpp"
#include "crunch/inspect/graph.hpp"

namespace crunch::inspect {
namespace {

// Members stay in the order in which they were written.
using Json = nlohmann::ordered_json;

std::string text_at(const Json& json, const char* member) {
  return json.at(member).get<std::string>();
}

Form form_of(const Json& json, const std::string& encoding) {
  return {encoding, json.at("size").get<std::uint64_t>(), text_at(json, "sha256")};
}

File file_of(const Json& json) {
  File file{text_at(json, "path"),
            text_at(json, "type"),
            json.value("caching", ""),
            json.value("stored", ""),
            form_of(json, ""),
            text_at(json, "modified"),
            {}};
  for (const auto& [encoding, form] : json.at("encodings").items()) {
    file.compressed.push_back(form_of(form, encoding));
  }
  return file;
}

// The objects of the manifest stand one after another.
std::vector<Site> sites_of(const std::string& manifest) {
  std::vector<Site> sites;
  std::istringstream in(manifest);
  while (in >> std::ws && in.peek() != std::char_traits<char>::eof()) {
    Json json;
    in >> json;
    Site site{text_at(json, "name"), json.value("crunch", ""), text_at(json, "site_digest"), {}};
    for (const Json& file : json.at("files")) site.files.push_back(file_of(file));
    sites.push_back(std::move(site));
  }
  return sites;
}

void take_note(Image& image, const Json& note) {
  image.target = text_at(note, "target");
  image.crunch = text_at(note, "crunch");
  image.config = text_at(note, "config");
  for (const Json& one : note.value("certificates", Json::array())) {
    image.certificates.push_back({one.at("names").get<std::vector<std::string>>(),
                                  text_at(one, "not_before"), text_at(one, "not_after"),
                                  text_at(one, "key")});
  }
  for (const Json& one : note.value("settings", Json::array())) {
    image.settings.push_back({text_at(one, "name"), text_at(one, "value"), text_at(one, "origin")});
  }
}

void take_graph(Image& image, const std::string& graph, const Json& note) {
  image.graph = with_values(graph, note.value("settings", Json::array()).dump());
  const Json json = Json::parse(image.graph);
  for (const Json& key : json.at("keys")) {
    image.keys.push_back({text_at(key, "name"), text_at(key, "doc"), key.value("stage", "boot"),
                          text_at(key, "value"), text_at(key, "origin")});
  }
}

std::vector<Library> libraries_of(const Json& list) {
  std::vector<Library> libraries;
  for (const Json& one : list) {
    libraries.push_back({text_at(one, "name"), text_at(one, "version"), text_at(one, "licence"),
                         text_at(one, "source"), text_at(one, "purl")});
  }
  return libraries;
}

// What a tender of Solo5 is asked for; nothing: the image is for none.
std::optional<Solo5> solo5_of(const ElfFile& file, const std::string& path) {
  const auto abi = file.section(abi_section);
  const auto devices = file.section(devices_section);
  if (!abi || !devices) return std::nullopt;
  return read_solo5(*abi, *devices, path);
}

}  // namespace

const Key* Image::key(std::string_view name) const noexcept {
  const auto found = std::ranges::find(keys, name, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

Image read_image(const std::string& path) {
  const ElfFile file(path);
  const auto manifest = file.section(".crunch.manifest");
  if (!manifest) {
    throw Failure(in_quotes(path) +
                  " has no manifest; was it made by crunch, and without --portable?");
  }
  Image image;
  image.path = path;
  image.size_bytes = file.size_bytes();
  image.solo5 = solo5_of(file, path);
  try {
    const Json note = Json::parse(file.section(".crunch.image").value_or("{}"));
    if (!note.empty()) take_note(image, note);
    if (const auto graph = graph_of(file)) take_graph(image, *graph, note);
    if (const auto list = file.section(".crunch.libraries")) {
      image.libraries = libraries_of(Json::parse(*list));
    }
    image.sites = sites_of(*manifest);
  } catch (const Json::exception&) {
    throw Failure(in_quotes(path) + " is damaged: what crunch wrote into it cannot be read");
  }
  return image;
}

}  // namespace crunch::inspect
