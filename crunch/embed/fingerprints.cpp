// SPDX-License-Identifier: ISC
#include "crunch/embed/fingerprints.hpp"

#include <cstddef>
#include <map>

#include "http/caching.hpp"

namespace crunch::embed {
namespace {

constexpr std::size_t certain_min = 2;

std::string_view folder_of(std::string_view key) { return key.substr(0, key.rfind('/') + 1); }

bool is_script_or_style(std::string_view key) {
  return key.ends_with(".js") || key.ends_with(".mjs") || key.ends_with(".css");
}

}  // namespace

Fingerprints::Fingerprints(const Tree& tree) {
  struct Names {
    std::size_t certain = 0;
    bool has_plain = false;
  };
  std::map<std::string_view, Names> folders;
  for (const Source& source : tree.files()) {
    http::Fingerprint found = http::fingerprint(source.key);
    bool is_plain = found == http::Fingerprint::absent && is_script_or_style(source.key);
    if (found != http::Fingerprint::certain && !is_plain) continue;
    Names& names = folders[folder_of(source.key)];
    names.certain += is_plain ? 0 : 1;
    names.has_plain |= is_plain;
  }
  for (const auto& [folder, names] : folders) {
    if (names.certain >= certain_min && !names.has_plain) folders_.emplace(folder);
  }
}

bool Fingerprints::confirm(std::string_view key) const {
  return folders_.contains(folder_of(key)) && http::fingerprint(key) == http::Fingerprint::possible;
}

}  // namespace crunch::embed
