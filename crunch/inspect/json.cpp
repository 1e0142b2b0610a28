// SPDX-License-Identifier: ISC
// crunch/inspect/json.cpp: an image's description as JSON, for programs.
#include <nlohmann/json.hpp>

#include "crunch/failure.hpp"
#include "crunch/inspect/print.hpp"

namespace crunch::inspect {
namespace {

// Members stay in the order in which they are added.
using Json = nlohmann::ordered_json;

std::string utf8(const std::string& text) { return is_utf8(text) ? text : in_quotes(text); }

Json certificate_json(const Certificate& one) {
  return {{"names", one.names},
          {"not_before", one.not_before},
          {"not_after", one.not_after},
          {"key", one.key}};
}

Json solo5_json(const Solo5& solo5) {
  Json out{{"target", solo5.target}, {"abi", solo5.version}, {"devices", Json::array()}};
  for (const Solo5::Device& device : solo5.devices) {
    out["devices"].push_back({{"name", utf8(device.name)}, {"type", device.type}});
  }
  return out;
}

Json about_json(const Image& image) {
  Json out{{"path", utf8(image.path)}, {"size", image.size_bytes}};
  if (!image.target.empty()) {
    out.update({{"format", 1},
                {"crunch", image.crunch},
                {"target", image.target},
                {"config", image.config}});
  }
  for (const Certificate& one : image.certificates) {
    out["certificates"].push_back(certificate_json(one));
  }
  for (const Setting& one : image.settings) {
    out["settings"].push_back({{"name", one.name}, {"value", one.value}, {"origin", one.origin}});
  }
  for (const Library& one : image.libraries) {
    out["libraries"].push_back(
        {{"name", one.name}, {"version", one.version}, {"licence", one.licence}});
  }
  if (image.solo5) out["solo5"] = solo5_json(*image.solo5);
  return out;
}

Json form_json(const Form& form) { return {{"size", form.size_bytes}, {"sha256", form.sha256}}; }

Json file_json(const File& file) {
  Json out{{"path", file.path}, {"type", file.type}};
  if (!file.caching.empty()) out["caching"] = file.caching;
  if (!file.stored.empty()) out["stored"] = file.stored;
  out.update(form_json(file.plain));
  out["modified"] = file.modified;
  out["encodings"] = Json::object();
  for (const Form& form : file.compressed) out["encodings"][form.encoding] = form_json(form);
  return out;
}

Json site_json(const Site& site) {
  Json out{{"format", 1},
           {"crunch", site.crunch},
           {"name", site.name},
           {"site_digest", site.digest},
           {"files", Json::array()}};
  for (const File& file : site.files) out["files"].push_back(file_json(file));
  return out;
}

}  // namespace

std::string json_of(const Image& image) {
  Json out{{"image", about_json(image)}, {"sites", Json::array()}, {"graph", nullptr}};
  for (const Site& site : image.sites) out["sites"].push_back(site_json(site));
  if (!image.graph.empty()) out["graph"] = Json::parse(image.graph);
  return out.dump(2) + "\n";
}

}  // namespace crunch::inspect
