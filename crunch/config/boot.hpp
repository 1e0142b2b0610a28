// SPDX-License-Identifier: ISC
// crunch/config/boot.hpp: the boot line: `--name=value` words, checked against the keys an image
// has.
//
// States:  BootLine.   Used by: targets/main.cpp, and every connect that reads a key.
// Words:   `--name=value`, `--name value`, and for switches `--name` alone; `--help`. A later word
// wins. Errors:  an unknown key, a missing or bad value: a sentence each, with the nearest name
// suggested.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "crunch/config/key.hpp"

namespace crunch::config {

class BootLine {
 public:
  // Checks `words` against `keys`: every later `value` call then succeeds. The words must outlive
  // this.
  static base::Result<BootLine, std::string> parse(std::span<const std::string_view> words,
                                                   std::span<const KeyInfo> keys);

  [[nodiscard]] bool wants_help() const { return wants_help_; }

  // The value of `key`: from the boot line, else its fallback.
  template <class T>
  [[nodiscard]] T value(const Key<T>& key) const {
    const std::string_view* text = find(key.name);
    if (text == nullptr) return key.fallback;
    // Unqualified, so that it is the free function and not the factory above.
    Parsed<T> parsed = crunch::config::parse(key, *text);
    CHECK(parsed);  // parse() above has seen it
    return *parsed;
  }
  // Whether the boot line says it.
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  struct Word {
    std::string_view name;
    std::string_view value;
  };
  [[nodiscard]] const std::string_view* find(std::string_view name) const;

  std::vector<Word> words_;
  bool wants_help_ = false;
};

// What `--help` prints: usage, the keys by section with their defaults, an example.
[[nodiscard]] std::string help_text(std::string_view program, std::span<const KeyInfo> keys);

}  // namespace crunch::config
