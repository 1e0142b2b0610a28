// SPDX-License-Identifier: ISC
// crunch/build/settings.hpp: the values that a build sets for keys, and where each comes from.
//
// States:  Setting, gather_settings; KeyTable, which knows the keys of a compiled configuration.
// Order:   the key's own default, below the site's crunch.toml (embed/site_file), below the
//          environment (CRUNCH_HTTP_PORT for http-port), below --set.
// Errors:  Usage for --set, a Failure for crunch.toml and the environment: unknown keys (with the
//          nearest name), values that are none, keys that only a boot can give. Of the environment
//          only names of keys are read, for other programs have variables too.
// Source:  TOML 1.0 by toml++.

#pragma once

#include <deque>
#include <string>
#include <vector>

#include "config/key.hpp"

namespace crunch::build {

struct Setting {
  enum class Origin : std::uint8_t { file, environment, option };
  std::string name;
  std::string value;
  Origin origin;
  std::string said_by;  // "crunch.toml", "CRUNCH_HTTP_PORT", "--set"
};

// `site` is the directory to build, or empty; `words` are NAME=VALUE. Each name once, sorted.
[[nodiscard]] std::vector<Setting> gather_settings(const std::string& site,
                                                   const std::vector<std::string>& words);

class KeyTable {
 public:
  // From the graph that a configuration was compiled into. A Failure if it is none.
  explicit KeyTable(const std::string& graph);
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  [[nodiscard]] const config::KeyInfo* find(std::string_view name) const;

  // Throws for a setting that cannot be, as above.
  void check(const Setting& setting) const;
  // The same for one whose key is known; a key that is not may be of a device that is not chosen.
  void check_known(const Setting& setting) const;
  // Whether the configuration was compiled with what `settings` say about its build keys.
  [[nodiscard]] bool was_built_with(const std::vector<Setting>& settings) const;
  // Those that an image gets as defaults of its boot keys.
  [[nodiscard]] std::vector<Setting> for_boot(const std::vector<Setting>& settings) const;
  // Those that say something about a key that there is.
  [[nodiscard]] std::vector<Setting> used(const std::vector<Setting>& settings) const;

 private:
  struct Row {
    config::KeyInfo key;
    std::string_view compiled;  // the value of a build key
  };
  std::string_view keep(std::string text);

  std::deque<std::string> texts_;
  std::deque<std::vector<std::string_view>> words_;
  std::vector<Row> rows_;
};

// The header that CRUNCH_SETTINGS names, and `crunched_settings` of an image: the same bytes for
// the same settings.
[[nodiscard]] std::string settings_header(const std::vector<Setting>& settings);
[[nodiscard]] std::string settings_source(const std::vector<Setting>& settings);
// Who said what: [{"name","value","origin"}...].
[[nodiscard]] std::string settings_json(const std::vector<Setting>& settings);

}  // namespace crunch::build
