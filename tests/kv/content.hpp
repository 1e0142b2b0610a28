// SPDX-License-Identifier: ISC
// tests/kv/content.hpp: the small site that every store holds when the laws are tested on it.
//
// Chosen at the edges where lookups go wrong: keys that are prefixes of others, '-' and '.' sorting
// below '/', bytes above 0x7F (unsigned order), the empty value, a value larger than a piece, names
// that URLs must escape, the longest name a file system takes.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "kv/kv.hpp"

namespace kv {

struct Item {
  std::string identity;
  std::map<Encoding, std::string> encoded;  // for stores that keep encodings
};
using Content = std::map<std::string, Item>;

[[nodiscard]] inline Content small_site() {
  std::string large;
  for (int i = 0; large.size() < 300'000; ++i) large += "line " + std::to_string(i) + '\n';
  const std::string longest(255, 'n');
  return {
      {"index.html", {"<p>one</p>", {{Encoding::gzip, "GZ1"}, {Encoding::zstd, "ZS1"}}}},
      {"a-b", {"3", {}}},
      {"a.b", {"3", {}}},
      {"a/b", {"22", {{Encoding::br, "B"}}}},
      {"a/b-c/d", {"deep", {}}},
      {"a0", {"after the slash", {}}},
      {"a\xc3\xa9", {"4444", {}}},
      {"ab", {"not below a", {}}},
      {"a/bb/c/d/e/f/g/h", {"deeper", {}}},
      {"a/b.", {"a dot at the end", {}}},
      {"docs/index.html", {"<p>two</p>", {}}},
      {"docs-2/index.html", {"<p>two</p>", {}}},
      {"empty", {"", {{Encoding::gzip, ""}}}},
      {"large.txt", {large, {}}},
      {"with space.txt", {"space", {}}},
      {"100%.txt", {"percent", {}}},
      {"%61-b", {"not decoded", {}}},
      {"c#/f#.html", {"hash", {}}},
      {"what?.html", {"question", {}}},
      {"q\"uo'te.html", {"quotes", {}}},
      {"<b>&amp;.html", {"markup", {}}},
      {"back\\slash", {"backslash", {}}},
      {"line\nbreak", {"control", {}}},
      {"...", {"three dots are a name", {}}},
      {"\xe6\x97\xa5\xe6\x9c\xac/\xe8\xaa\x9e.txt", {"unicode", {}}},
      {"\xf0\x9f\x8c\x8d.svg", {"beyond the BMP", {}}},
      {".well-known/security.txt", {"Contact: nobody", {}}},
      {longest, {"a long name", {}}},
      {std::string(255, 'm') + '/' + longest + '/' + longest, {"a long key", {}}},
  };
}

}  // namespace kv
