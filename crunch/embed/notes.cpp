// SPDX-License-Identifier: ISC
#include "crunch/embed/notes.hpp"

#include <algorithm>

#include "crunch/failure.hpp"

namespace crunch::embed {
namespace {

constexpr std::size_t names_max = 5;

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i) {
    text += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  }
  if (names.size() > names_max)
    text += " and " + std::to_string(names.size() - names_max) + " more";
  return text;
}

// A letter followed by what Unicode would put into one character with it: a combining accent
// (U+0300 to U+036F), a voicing mark (U+3099, U+309A) or a Hangul vowel (U+1160 to U+11FF). In
// names of files, that is most often NFD.
bool is_decomposed(std::string_view key) {
  for (std::size_t i = 1; i + 1 < key.size(); ++i) {
    auto byte = [&key](std::size_t at) {
      return at < key.size() ? static_cast<unsigned char>(key[at]) : 0U;
    };
    const unsigned first = byte(i), second = byte(i + 1), third = byte(i + 2);
    if (first == 0xCC || (first == 0xCD && second <= 0xAF)) return true;
    if (first == 0xE3 && second == 0x82 && (third == 0x99 || third == 0x9A)) return true;
    if (first == 0xE1 && (second == 0x85 || second == 0x86 || second == 0x87) &&
        !(second == 0x85 && third < 0xA0)) {
      return true;
    }
  }
  return false;
}

bool is_other_index(std::string_view name) {
  std::string small(name);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return name != "index.html" && (small == "index.htm" || small == "index.html" ||
                                  small == "default.htm" || small == "default.html");
}

}  // namespace

std::vector<std::string> notes_on(const Tree& tree) {
  std::vector<std::string> notes;
  std::vector<std::string> backups = tree.left_out_backups();
  std::ranges::sort(backups);
  if (!backups.empty()) {
    notes.push_back("left out as backups: " + some_of(backups) + "; --backups keeps them");
  }
  std::vector<std::string> decomposed, indices;
  for (const Source& source : tree.files()) {
    if (is_decomposed(source.key)) decomposed.push_back(source.key);
    const std::size_t name_at = source.key.rfind('/') + 1;
    if (!is_other_index(std::string_view(source.key).substr(name_at))) continue;
    const std::string wanted = source.key.substr(0, name_at) + "index.html";
    if (!std::ranges::binary_search(tree.files(), wanted, {}, &Source::key)) {
      indices.push_back(source.key);
    }
  }
  if (!decomposed.empty()) {
    notes.push_back("decomposed Unicode (NFD, as macOS writes it) in " + some_of(decomposed) +
                    "; links that are typed composed (NFC) will not find them: rename them, or "
                    "write the links so");
  }
  if (!indices.empty()) {
    notes.push_back("the address of a folder answers with index.html only, and " +
                    some_of(indices) + " is not that; rename it");
  }
  return notes;
}

}  // namespace crunch::embed
