// SPDX-License-Identifier: ISC
#include "crunch/build/settings.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/nearest.hpp"
#include "config/boot.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

extern "C" char** environ;

namespace crunch::build {
namespace {

using Origin = Setting::Origin;
using config::KeyInfo;
using config::Stage;
constexpr std::uint64_t file_bytes_max = 1U << 20U;

// A value of TOML as a boot line would say it; empty: a table or a date.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::string list;
  for (const toml::node& one : *array) {
    const std::optional<std::string> text = one.is_array() ? std::nullopt : text_of(one);
    if (!text) return std::nullopt;
    list += (&one == &array->front() ? "" : ",") + *text;
  }
  return list;
}

void read_toml(const std::string& path, std::map<std::string, Setting>& out) {
  const std::string text = read_file(path, file_bytes_max);
  try {
    for (const auto& [key, node] : toml::parse(text, path)) {
      const std::string name(key.str());
      const std::optional<std::string> value = text_of(node);
      const std::string place = path + ":" + std::to_string(key.source().begin.line);
      if (embed::is_site_table(name) && (node.is_table() || node.is_array_of_tables())) continue;
      if (node.is_table()) {
        throw Failure(place + ": '" + name +
                      "' is a table; keys have none: write each on a line of its own, as in "
                      "http-port = 8080 (the tables that there are: site, host, types, cache)");
      }
      if (!value) {
        throw Failure(place + ": key '" + name +
                      "' has a value that no key takes: give a text, a whole number, true, false "
                      "or a list of them");
      }
      out[name] = {name, *value, Origin::file, place};
    }
  } catch (const toml::parse_error& error) {
    throw Failure(path + ":" + std::to_string(error.source().begin.line) + ": " +
                  std::string(error.description()) +
                  "; each line is KEY = VALUE, with quotation marks around a text, as in "
                  "http-port = 8080 or log = \"json\"");
  }
}

void read_environment(std::map<std::string, Setting>& out) {
  constexpr std::string_view prefix = "CRUNCH_";
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view line = *at;
    const std::size_t equals = line.find('=');
    if (!line.starts_with(prefix) || equals == std::string_view::npos) continue;
    std::string name(line.substr(prefix.size(), equals - prefix.size()));
    for (char& c : name) {
      c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    out[name] = {name, std::string(line.substr(equals + 1)), Origin::environment,
                 std::string(line.substr(0, equals))};
  }
}

[[noreturn]] void refuse(const Setting& setting, const std::string& sentence) {
  const std::string text = setting.said_by + ": " + sentence;
  if (setting.origin == Origin::option) throw Usage(text);
  throw Failure(text);
}

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '?') {
      out += c;
    } else {
      out += '\\';
      for (const unsigned shift : {6U, 3U, 0U}) out += static_cast<char>('0' + (byte >> shift) % 8);
    }
  }
  return out + "\"";
}

std::string rows(const std::vector<Setting>& settings) {
  std::string out;
  for (const Setting& setting : settings) {
    out += "    {" + literal(setting.name) + ", " + literal(setting.value) + "},\n";
  }
  return out;
}

}  // namespace

std::vector<Setting> gather_settings(const std::string& site,
                                     const std::vector<std::string>& words) {
  std::map<std::string, Setting> by_name;
  const std::string file = embed::site_file_of(site);
  if (!file.empty()) read_toml(file, by_name);
  read_environment(by_name);
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Usage("--set takes KEY=VALUE, not " + in_quotes(word));
    }
    const std::string name = word.substr(0, equals);
    by_name[name] = {name, word.substr(equals + 1), Origin::option, "--set"};
  }
  std::vector<Setting> settings;
  for (auto& [name, setting] : by_name) settings.push_back(std::move(setting));
  return settings;
}

std::string_view KeyTable::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

KeyTable::KeyTable(const std::string& graph) {
  try {
    const nlohmann::json keys = nlohmann::json::parse(graph).at("keys");
    for (const auto& json : keys) {
      Row row;
      KeyInfo& key = row.key;
      key.name = keep(json.at("name"));
      key.section = keep(json.at("section"));
      key.doc = keep(json.at("doc"));
      key.fallback_text = keep(json.at("default"));
      const std::string stage = json.at("stage");
      key.stage = static_cast<Stage>(std::ranges::find(config::stage_words, stage) -
                                     std::begin(config::stage_words));
      key.shape.type = keep(json.at("type"));
      key.shape.element = keep(json.value("element", ""));
      key.shape.version = json.value("version", 0U);
      key.shape.least = json.value("least", key.shape.least);
      key.shape.most = json.value("most", key.shape.most);
      std::vector<std::string_view>& words = words_.emplace_back();
      for (const auto& word : json.value("words", nlohmann::json::array())) {
        words.push_back(keep(word));
      }
      key.shape.words = words;
      row.compiled = json.contains("value") ? keep(json.at("value")) : key.fallback_text;
      rows_.push_back(row);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Failure(std::string("the keys of a configuration cannot be read: ") + error.what());
  }
}

const KeyInfo* KeyTable::find(std::string_view name) const {
  // The key of the build, if there is one of the boot that has the same name.
  const KeyInfo* found = nullptr;
  for (const Row& row : rows_) {
    if (row.key.name == name && (found == nullptr || row.key.stage != Stage::boot)) {
      found = &row.key;
    }
  }
  return found;
}

void KeyTable::check_known(const Setting& setting) const {
  const KeyInfo* key = find(setting.name);
  if (key == nullptr) return;
  if (key->stage == Stage::boot) {
    if (setting.origin == Origin::environment) return;  // it is for a boot
    refuse(setting, "key '" + setting.name + "' is given when the image starts (--" + setting.name +
                        config::placeholder(key->shape) + "), not when it is built");
  }
  if (const std::string why = config::refusal(*key, setting.value); !why.empty()) {
    refuse(setting, "key '" + setting.name + "' cannot be " +
                        (key->shape.type == "secret" ? config::shown_value(*key, setting.value)
                                                     : in_quotes(setting.value)) +
                        "; " + why);
  }
}

void KeyTable::check(const Setting& setting) const {
  if (find(setting.name) != nullptr) return check_known(setting);
  if (setting.origin == Origin::environment) return;
  std::vector<std::string_view> names;
  for (const Row& row : rows_) names.push_back(row.key.name);
  const std::string_view meant = base::nearest(setting.name, names);
  refuse(setting, "unknown key '" + setting.name + "'" +
                      (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?") +
                      " (crunch describe lists them)");
}

bool KeyTable::was_built_with(const std::vector<Setting>& settings) const {
  return std::ranges::all_of(rows_, [&settings](const Row& row) {
    if (row.key.stage != Stage::build) return true;
    const auto said = std::ranges::find(settings, row.key.name, &Setting::name);
    return row.compiled == (said == settings.end() ? row.key.fallback_text : said->value);
  });
}

std::vector<Setting> KeyTable::for_boot(const std::vector<Setting>& settings) const {
  std::vector<Setting> out;
  for (const Setting& setting : settings) {
    const KeyInfo* key = find(setting.name);
    if (key != nullptr && key->stage == Stage::both) out.push_back(setting);
  }
  return out;
}

std::vector<Setting> KeyTable::used(const std::vector<Setting>& settings) const {
  std::vector<Setting> out;
  for (const Setting& setting : settings) {
    const KeyInfo* key = find(setting.name);
    if (key != nullptr && key->stage != Stage::boot) out.push_back(setting);
  }
  return out;
}

std::string settings_header(const std::vector<Setting>& settings) {
  return "// What the build says about keys, for config/setting.hpp.\n"
         "namespace config {\ninline constexpr Setting build_settings[] = {\n" +
         rows(settings) + (settings.empty() ? "    {\"\", \"\"},\n" : "") + "};\n}\n";
}

std::string settings_source(const std::vector<Setting>& settings) {
  return "\n#include \"config/setting.hpp\"\nextern \"C\" {\n"
         "extern const config::Setting crunched_settings[];\n"
         "const config::Setting crunched_settings[] = {\n" +
         rows(settings) + "    {nullptr, nullptr}};\n}\n";
}

std::string settings_json(const std::vector<Setting>& settings) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Setting& setting : settings) {
    const std::string& value = setting.value;
    json.push_back({{"name", setting.name},
                    {"value", is_utf8(value) ? value : in_quotes(value)},
                    // Without the folder, which no image should know.
                    {"origin", setting.said_by.substr(setting.said_by.rfind('/') + 1)}});
  }
  return json.dump();
}

}  // namespace crunch::build
