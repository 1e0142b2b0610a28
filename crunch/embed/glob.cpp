// SPDX-License-Identifier: ISC
#include "crunch/embed/glob.hpp"

#include <vector>

namespace crunch::embed {
namespace {

// The set that begins behind '[' at pattern[at]; moves `at` behind its ']'. Without a ']' the '['
// is an ordinary character, and `at` does not move.
bool in_set(std::string_view pattern, std::size_t& at, unsigned char byte) {
  std::size_t i = at;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    auto low = static_cast<unsigned char>(pattern[i++]);
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = static_cast<unsigned char>(pattern[i + 1]);
      i += 2;
    }
    found = found || (low <= byte && byte <= high);
  }
  if (i >= pattern.size()) return byte == '[';
  at = i + 1;
  return found != negated && byte != '/';
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // reach[t]: what was taken of the pattern so far matches the first t bytes of the text.
  std::vector<bool> reach(text.size() + 1, false);
  reach[0] = true;
  for (std::size_t at = 0; at < pattern.size();) {
    char symbol = pattern[at++];
    if (symbol == '*') {
      bool crosses = at < pattern.size() && pattern[at] == '*';
      if (crosses) ++at;
      // "a/**/b" matches "a/b" too.
      bool takes_slash = crosses && at < pattern.size() && pattern[at] == '/' &&
                         (at == 2 || pattern[at - 3] == '/');
      std::vector<bool> before = takes_slash ? reach : std::vector<bool>();
      for (std::size_t t = 0; t < text.size(); ++t) {
        if (reach[t] && (crosses || text[t] != '/')) reach[t + 1] = true;
      }
      if (takes_slash) {
        ++at;
        for (std::size_t t = text.size(); t > 0; --t) reach[t] = reach[t - 1] && text[t - 1] == '/';
        reach[0] = false;
        for (std::size_t t = 0; t <= text.size(); ++t) reach[t] = reach[t] || before[t];
      }
      continue;
    }
    if (symbol == '\\' && at < pattern.size()) {
      symbol = pattern[at++];
      for (std::size_t t = text.size(); t > 0; --t)
        reach[t] = reach[t - 1] && text[t - 1] == symbol;
    } else if (symbol == '[') {
      std::size_t behind = at;
      for (std::size_t t = text.size(); t > 0; --t) {
        std::size_t after = at;
        bool is_in = in_set(pattern, after, static_cast<unsigned char>(text[t - 1]));
        behind = after;
        reach[t] = reach[t - 1] && is_in;
      }
      at = behind;
    } else {
      for (std::size_t t = text.size(); t > 0; --t) {
        bool same = symbol == '?' ? text[t - 1] != '/' : text[t - 1] == symbol;
        reach[t] = reach[t - 1] && same;
      }
    }
    reach[0] = false;
  }
  return reach[text.size()];
}

Glob::Glob(std::string_view pattern) {
  if (pattern.size() > 1 && pattern.ends_with('/')) {
    directories_only_ = true;
    pattern.remove_suffix(1);
  }
  whole_key_ = pattern.find('/') != std::string_view::npos;
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  pattern_ = pattern;
}

bool Glob::excludes(std::string_view key, bool is_directory) const {
  if (directories_only_ && !is_directory) return false;
  if (whole_key_) return matches(pattern_, key);
  return matches(pattern_, key.substr(key.rfind('/') + 1));
}

}  // namespace crunch::embed
