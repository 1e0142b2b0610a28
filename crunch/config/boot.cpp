// SPDX-License-Identifier: ISC
#include "crunch/config/boot.hpp"

#include <algorithm>

#include "base/nearest.hpp"

namespace crunch::config {

namespace {

using Failure = base::Failure<std::string>;

const KeyInfo* find_key(std::span<const KeyInfo> keys, std::string_view name) {
  auto at = std::ranges::find(keys, name, &KeyInfo::name);
  return at == keys.end() ? nullptr : &*at;
}

Failure unknown(std::string_view word, std::string_view name, std::span<const KeyInfo> keys) {
  std::vector<std::string_view> names{"help"};
  for (const KeyInfo& key : keys) names.push_back(key.name);
  std::string sentence = "unknown option '" + std::string(word) + "'";
  std::string_view meant = base::nearest(name, names);
  if (!meant.empty()) sentence += "; did you mean --" + std::string(meant) + "?";
  return Failure(sentence + " (--help lists them)");
}

std::string placeholder(const KeyInfo& key) {
  if (key.type == "number") return "=N";
  if (key.type == "text") return "=TEXT";
  if (key.type == "switch") return "";
  std::string words = "=";
  for (std::size_t i = 0; i < key.words.size(); ++i) {
    words += (i == 0 ? "" : "|");
    words += key.words[i];
  }
  return words;
}

}  // namespace

base::Result<BootLine, std::string> BootLine::parse(std::span<const std::string_view> words,
                                                    std::span<const KeyInfo> keys) {
  BootLine line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-h") word = "--help";
    std::size_t equals = std::min(word.find('='), word.size());
    if (!word.starts_with("--")) return unknown(word, word.substr(0, equals), keys);
    std::string_view name = word.substr(2, equals - 2);
    if (name == "help") {
      line.wants_help_ = true;
      continue;
    }
    const KeyInfo* key = find_key(keys, name);
    if (key == nullptr) return unknown(word, name, keys);
    std::string_view value;
    if (equals < word.size()) {
      value = word.substr(equals + 1);
    } else if (key->type != "switch") {
      if (i + 1 == words.size()) {
        return Failure("option --" + std::string(name) + " needs a value: --" + std::string(name) +
                       placeholder(*key));
      }
      value = words[++i];
    }
    Parsed<bool> good = key->check(key->key, value);
    if (!good) {
      return Failure("option --" + std::string(name) + " cannot be '" + std::string(value) +
                     "'; it takes " + good.error());
    }
    line.words_.push_back({name, value});
  }
  return line;
}

const std::string_view* BootLine::find(std::string_view name) const {
  auto at = std::ranges::find(words_.rbegin(), words_.rend(), name, &Word::name);
  return at == words_.rend() ? nullptr : &at->value;
}

std::string help_text(std::string_view program, std::span<const KeyInfo> keys) {
  constexpr std::size_t doc_column = 34;
  std::string out = "Usage: " + std::string(program) + " [--key=value]...\n";
  std::vector<std::string_view> sections;
  for (const KeyInfo& key : keys) {
    if (std::ranges::find(sections, key.section) == sections.end()) sections.push_back(key.section);
  }
  for (std::string_view section : sections) {
    out += "\n" + std::string(section) + "\n";
    for (const KeyInfo& key : keys) {
      if (key.section != section) continue;
      std::string left = "  --" + std::string(key.name) + placeholder(key);
      if (left.size() + 2 > doc_column) {
        out += left + "\n";
        left.clear();
      }
      left.resize(doc_column, ' ');
      out += left + std::string(key.doc);
      if (!key.fallback().empty()) out += " (default " + std::string(key.fallback()) + ")";
      out += "\n";
    }
  }
  return out + "\n  --help                          Print this and exit\n";
}

}  // namespace crunch::config
