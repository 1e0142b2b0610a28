// SPDX-License-Identifier: ISC
#include "config/boot.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/nearest.hpp"

namespace config {

namespace {

using Failure = base::Failure<std::string>;

// The key of the boot, if there is one of the build that has the same name.
const KeyInfo* find_key(std::span<const KeyInfo> keys, std::string_view name) {
  const KeyInfo* found = nullptr;
  for (const KeyInfo& key : keys) {
    if (key.name == name && (found == nullptr || key.stage != Stage::build)) found = &key;
  }
  return found;
}

Failure unknown(std::string_view word, std::string_view name, std::span<const KeyInfo> keys) {
  std::vector<std::string_view> names{"help"};
  for (const KeyInfo& key : keys) {
    if (key.stage != Stage::build) names.push_back(key.name);
  }
  std::string sentence = "unknown option '" + std::string(word) + "'";
  std::string_view meant = base::nearest(name, names);
  if (!meant.empty()) sentence += "; did you mean --" + std::string(meant) + "?";
  return Failure(sentence + " (--help lists them)");
}

std::string cannot_be(const std::string& what, const KeyInfo& key, std::string_view value,
                      const std::string& why) {
  return what + " cannot be " + shown_value(key, value) + "; " + why;
}

}  // namespace

std::string environment_name(std::string_view key) {
  std::string name = "CRUNCH_";
  for (const char c : key) {
    const bool is_small = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : is_small ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string shown_value(const KeyInfo& key, std::string_view text) {
  return key.shape.type == "secret" ? "what was given (it is not shown)"
                                    : "'" + std::string(text) + "'";
}

std::string refusal(const KeyInfo& key, std::string_view text) {
  if (fits(key.shape, text)) return "";
  const std::string_view meant = base::nearest(text, key.shape.words);
  return "it takes " + takes(key.shape) +
         (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?");
}

base::Result<BootLine, std::string> BootLine::parse(std::span<const std::string_view> words,
                                                    std::span<const KeyInfo> keys,
                                                    const Setting* built_in,
                                                    Environment environment) {
  BootLine line;
  line.line_.assign(words.begin(), words.end());
  line.keys_ = keys;
  line.built_in_ = built_in;
  line.environment_ = environment;
  // `crunch build` has checked them; only what it wrote for another configuration is skipped here.
  for (const Setting* at = built_in; at != nullptr && at->name != nullptr; ++at) {
    const KeyInfo* key = find_key(keys, at->name);
    if (key == nullptr || !fits(key->shape, at->value)) {
      return Failure("the image has a setting '" + std::string(at->name) + "' that it cannot use");
    }
    line.words_.push_back({at->name, at->value, Origin::built_in});
  }
  for (const KeyInfo& key : keys) {
    if (environment == nullptr || key.stage == Stage::build) continue;
    const std::string name = environment_name(key.name);
    const char* value = environment(name.c_str());
    if (value == nullptr) continue;
    if (std::string why = refusal(key, value); !why.empty()) {
      return Failure(cannot_be(name + " in the environment", key, value, why));
    }
    line.words_.push_back({key.name, value, Origin::environment});
  }
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
    const std::string option = "option --" + std::string(name);
    if (key->stage == Stage::build) {
      return Failure(option + " is chosen when the image is built: crunch build --set " +
                     std::string(name) + placeholder(key->shape));
    }
    std::string_view value = "true";
    if (equals < word.size()) {
      value = word.substr(equals + 1);
    } else if (key->shape.type != "switch") {
      if (i + 1 == words.size()) {
        return Failure(option + " needs a value: --" + std::string(name) + placeholder(key->shape));
      }
      value = words[++i];
    }
    if (std::string why = refusal(*key, value); !why.empty()) {
      return Failure(cannot_be(option, *key, value, why));
    }
    line.words_.push_back({name, value, Origin::boot_line});
  }
  return line;
}

base::Result<BootLine, std::string> BootLine::with_host(
    std::span<const std::string> host_words) const {
  std::vector<std::string_view> words(host_words.begin(), host_words.end());
  words.insert(words.end(), line_.begin(), line_.end());
  return parse(words, keys_, built_in_, environment_);
}

BootLine::Found BootLine::find(std::string_view name) const {
  const KeyInfo* key = find_key(keys_, name);
  if (key == nullptr) {
    throw std::logic_error("the key '" + std::string(name) +
                           "' is read by a connect that does not list it in its `keys`");
  }
  auto at = std::ranges::find(words_.rbegin(), words_.rend(), name, &Word::name);
  return {*key, at == words_.rend() ? key->fallback() : at->value};
}

std::int64_t BootLine::scalar(std::string_view name) const {
  const Found found = find(name);
  const auto value = detail::read_scalar(found.key.shape, found.key.shape.type, found.text);
  CHECK(value);
  return *value;
}

template <>
Address BootLine::value(const Key<Address>& key) const {
  const Found found = find(key.name);
  return read<Address>(found.key.shape, found.text).value();
}
template <>
Prefix BootLine::value(const Key<Prefix>& key) const {
  const Found found = find(key.name);
  return read<Prefix>(found.key.shape, found.text).value();
}

std::vector<std::string> BootLine::all_texts(std::string_view last, std::string_view name) const {
  std::vector<std::string> texts;
  for (const Word& word : words_) {
    const bool is_said = word.name == name && word.origin == Origin::boot_line;
    if (is_said && !word.value.empty()) texts.emplace_back(word.value);
  }
  if (texts.empty() && !last.empty()) texts.emplace_back(last);
  return texts;
}

bool BootLine::has_key(std::string_view name) const {
  return std::ranges::any_of(keys_, [name](const KeyInfo& key) { return key.name == name; });
}

bool BootLine::is_said(std::string_view name) const {
  return std::ranges::any_of(words_, [name](const Word& word) { return word.name == name; });
}

bool BootLine::has(std::string_view name) const { return count(name) > 0; }

std::size_t BootLine::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(words_, [name](const Word& word) {
    return word.name == name && word.origin == Origin::boot_line;
  }));
}

std::string_view BootLine::default_of(const KeyInfo& key) const {
  for (const Word& word : words_) {
    if (word.name == key.name && word.origin == Origin::built_in) return word.value;
  }
  return key.fallback();
}

std::string help_text(std::string_view program, std::span<const KeyInfo> keys,
                      const BootLine& boot) {
  const std::string name(program.substr(program.rfind('/') + 1));
  std::string out = "NAME\n       " + name + " - an appliance made by crunch\n\nSYNOPSIS\n       " +
                    name + " [--KEY=VALUE]...\n";
  std::vector<std::string_view> sections;
  for (const KeyInfo& key : keys) {
    if (key.stage == Stage::build) continue;
    if (std::ranges::find(sections, key.section) == sections.end()) sections.push_back(key.section);
  }
  for (std::string_view section : sections) {
    out += "\n" + std::string(section) + "\n";
    for (const KeyInfo& key : keys) {
      if (key.section != section || key.stage == Stage::build) continue;
      const bool is_switch = key.shape.type == "switch";
      out += "       --" + std::string(key.name) +
             (is_switch ? "[=true|false]" : placeholder(key.shape)) + "\n              " +
             std::string(key.doc);
      const std::string_view value = boot.default_of(key);
      if (!value.empty()) out += " (default " + std::string(value) + ")";
      out += "\n";
    }
  }
  return out +
         "\nHELP\n       --help\n              Print this and exit\n"
         "\nENVIRONMENT\n       CRUNCH_KEY, in capitals and with _ for -, is the value of a key "
         "that "
         "is not\n       given: CRUNCH_HTTP_PORT for --http-port.\n"
         "\nEXIT STATUS\n       0 after an orderly end, 1 when it cannot start or go on, 2 for "
         "words "
         "that make\n       no sense.\n";
}

}  // namespace config
