// SPDX-License-Identifier: ISC
#include "http/caching.hpp"

#include <algorithm>
#include <array>

#include "http/mime.hpp"

namespace http {

namespace {

using std::string_view;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool is_hex_text(string_view text) { return !text.empty() && std::ranges::all_of(text, is_hex); }

// "20240101", alone or before something else.
bool starts_with_date(string_view text) {
  if (text.size() < 8 || !std::ranges::all_of(text.substr(0, 8), is_digit)) return false;
  string_view century = text.substr(0, 2), month = text.substr(4, 2), day = text.substr(6, 2);
  return (century == "19" || century == "20") && month >= "01" && month <= "12" && day >= "01" &&
         day <= "31";
}

// "face2024", "AB123456", "Widget12": a word and a number.
bool is_word_then_number(string_view text) {
  std::size_t letters = 0;
  while (letters < text.size() && !is_digit(text[letters])) ++letters;
  return std::ranges::all_of(text.substr(letters), is_digit);
}

// "00ff00aa", "ffffff80": three of the four bytes are a digit twice, as people choose colours.
// Chance makes one digest in a thousand look so.
bool is_colour(string_view token) {
  int doubles = 0;
  for (std::size_t i = 0; i + 1 < token.size(); i += 2) doubles += token[i] == token[i + 1] ? 1 : 0;
  return token.size() == 8 && doubles >= 3;
}

// Hexadecimal, as webpack, mdBook, Hugo and Sprockets write it.
bool is_hex_digest(string_view token) {
  if (token.size() < 8 || !is_hex_text(token)) return false;
  if (std::ranges::none_of(token, is_digit) || std::ranges::none_of(token, is_lower)) return false;
  return token.size() >= 20 ||
         !(starts_with_date(token) || is_word_then_number(token) || is_colour(token));
}

// What bundlers call their outputs: beside these names, more is taken for a digest.
bool is_bundle(string_view name) {
  constexpr std::array names{"app",       "bundle", "chunk",   "common", "entry",  "index",
                             "main",      "module", "runtime", "shared", "styles", "style",
                             "polyfills", "vendor", "scripts", "worker", "theme",  "client"};
  return std::ranges::find(names, name) != names.end();
}

// Eight characters of base32, as esbuild and Angular write it. Words in capitals look the same
// ("WIN32API"), so it must stand beside a bundler's name or change often.
bool is_base32_digest(string_view name, string_view token) {
  auto in_alphabet = [](char c) { return is_upper(c) || (c >= '2' && c <= '7'); };
  if (token.size() != 8 || !std::ranges::all_of(token, in_alphabet)) return false;
  if (std::ranges::none_of(token, is_digit) || is_word_then_number(token)) return false;
  int changes = 0;
  for (std::size_t i = 1; i < token.size(); ++i) {
    changes += is_digit(token[i]) != is_digit(token[i - 1]) ? 1 : 0;
  }
  return is_bundle(name) || changes >= 4;
}

// How many words and numbers a token is made of, as people put them together: a capital begins a
// word, as do a number's end, '-' and '_'. "Win32Api" has 3, "BxZ8a91k" has 6.
int count_words(string_view token) {
  int words = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i], before = i == 0 ? '-' : token[i - 1];
    bool goes_on = is_lower(c)   ? is_lower(before) || is_upper(before)
                   : is_digit(c) ? is_digit(before)
                                 : false;
    if (!goes_on) ++words;
  }
  return words;
}

bool is_base64url_text(string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '_';
  });
}

// Eight characters of base64url, as Vite and Rollup write it. Those that could be words and numbers
// ("MyWidget", "Zh2Hans1", "Entry1-1") are taken for these, which every second digest could be.
bool is_base64_digest(string_view name, string_view token) {
  if (token.size() != 8 || !is_base64url_text(token)) return false;
  if (std::ranges::none_of(token, is_upper) || std::ranges::none_of(token, is_lower)) return false;
  std::size_t dash = token.find_first_of("-_");
  if (std::ranges::none_of(token, is_digit) && dash != string_view::npos) return false;
  if (dash != string_view::npos && is_word_then_number(token.substr(0, dash)) &&
      is_word_then_number(token.substr(dash + 1))) {
    return false;
  }
  return count_words(token) >= (is_bundle(name) ? 5 : 6);
}

// What such a name holds is a digest of a source or a name, or no digest: a colour, an address.
bool is_other_value(string_view name) {
  constexpr std::array names{
      "color",    "colour",   "rgb",    "rgba", "hex",      "mac",      "addr",   "address",
      "id",       "uid",      "uuid",   "oui",  "serial",   "commit",   "rev",    "revision",
      "avatar",   "gravatar", "user",   "math", "tex",      "graphviz", "dot",    "inheritance",
      "plantuml", "mermaid",  "swatch", "dir",  "device",   "key",      "hash",   "ip",
      "ipv6",     "crc",      "crc32",  "sum",  "checksum", "build",    "version"};
  std::string_view last = name.substr(name.find_last_of(".-_") + 1);
  return std::ranges::find_if(names, [last](string_view each) {
           return last.size() == each.size() && std::ranges::equal(last, each, {}, [](char c) {
                    return is_upper(c) ? char(c + 32) : c;
                  });
         }) != names.end();
}

// RFC 9562: a name, not a digest.
bool ends_with_uuid(string_view stem) {
  if (stem.size() < 36) return false;
  string_view uuid = stem.substr(stem.size() - 36);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? uuid[i] != '-' : !is_hex(uuid[i])) return false;
  }
  return true;
}

// Hugo's processed images: name_hu<32 hex>_..., later name_hu_<16 hex>.
bool is_hugo_image(string_view stem) {
  std::size_t at = stem.rfind("_hu");
  if (at == string_view::npos) return false;
  string_view rest = stem.substr(at + 3);
  if (rest.starts_with('_')) rest.remove_prefix(1);
  auto end = std::ranges::find_if_not(rest, is_hex);
  auto count = static_cast<std::size_t>(end - rest.begin());
  return (count == rest.size() || rest[count] == '_') && count >= 16 &&
         is_hex_digest(rest.substr(0, count));
}

// What bundlers write and name by a short digest.
bool is_code(string_view extension) {
  constexpr std::array names{"js",   "mjs",   "css", "map", "wasm",
                             "woff", "woff2", "ttf", "otf", "eot"};
  return std::ranges::find(names, extension) != names.end();
}
// What they write beside it; for other types only long digests count.
bool is_asset(string_view extension) {
  constexpr std::array names{"svg",  "png", "jpg",  "jpeg", "gif", "webp",
                             "avif", "ico", "json", "webm", "mp4"};
  return is_code(extension) || std::ranges::find(names, extension) != names.end();
}

bool is_immutable_folder(string_view key) {
  constexpr std::array folders{string_view{"_next/static/"}, string_view{"_nuxt/"},
                               string_view{"_app/immutable/"}, string_view{"_astro/"}};
  return std::ranges::any_of(folders, [key](string_view folder) {
    std::size_t at = key.find(folder);
    if (at != 0 && (at == string_view::npos || key[at - 1] != '/')) return false;
    // Nuxt keeps there, under fixed names, which build is the newest.
    return !key.substr(at + folder.size()).starts_with("builds/");
  });
}

// Takes the extension off `name`, and then what comes between it and a digest:
// "elasticlunr-ef4e11c1.min.js", "main.3f2a9c1b.chunk.css.map", "page.md.Bq3kX1aZ.lean.js". The
// extension of "2.8d4a1c0f.chunk.js.LICENSE.txt" is that of the code it belongs to.
string_view take_extension(string_view& name) {
  constexpr std::array between{
      string_view{".min"},    string_view{".chunk"},   string_view{".css"},
      string_view{".bundle"}, string_view{".js"},      string_view{".mjs"},
      string_view{".module"}, string_view{".LICENSE"}, string_view{".lean"}};
  std::size_t dot = name.rfind('.');
  if (dot == string_view::npos) return {};
  string_view extension = name.substr(dot + 1);
  name = name.substr(0, dot);
  if (extension == "txt" && name.ends_with(".LICENSE")) extension = "js";
  for (bool again = true; again;) {
    again = false;
    for (string_view each : between) {
      if (!name.ends_with(each)) continue;
      name.remove_suffix(each.size());
      again = true;
    }
  }
  return extension;
}

// Pagefind names its chunks LANGUAGE_DIGEST, and nothing else has these extensions.
bool is_pagefind_chunk(string_view stem, string_view extension) {
  constexpr std::array names{"pf_fragment", "pf_index", "pf_filter", "pf_meta"};
  if (std::ranges::find(names, extension) == names.end()) return false;
  string_view token = stem.substr(stem.rfind('_') + 1);
  return token.size() >= 6 && is_hex_text(token);
}

// The index of Docusaurus' local search: a digest even where it has no letter.
bool is_search_index(string_view stem, string_view extension) {
  constexpr string_view name = "search-index-";
  if (extension != "json" || !stem.starts_with(name)) return false;
  string_view token = stem.substr(name.size());
  return token.size() == 8 && is_hex_text(token) && !starts_with_date(token);
}

// Eleventy's bundle plugin: ten characters of base64url and nothing else, in a folder of its own.
bool is_eleventy_bundle(string_view key, string_view stem, string_view extension) {
  string_view folder = key.substr(0, key.rfind('/') + 1);
  return (folder == "bundle/" || folder.ends_with("/bundle/")) &&
         (extension == "css" || extension == "js") && stem.size() == 10 &&
         is_base64url_text(stem) && count_words(stem) >= 3;
}

// `stem` is NAME, one of ".-_", TOKEN.
bool has_digest(string_view stem, string_view extension) {
  bool asset = is_asset(extension);
  std::size_t separator = stem.find_last_of(".-_");
  if (separator != string_view::npos && separator > 0 && stem[separator] != '_') {
    string_view name = stem.substr(0, separator), token = stem.substr(separator + 1);
    if (is_other_value(name)) return false;
    // Beside a dash, a picture's short token may be anybody's.
    bool short_counts = is_code(extension) || (asset && stem[separator] == '.');
    std::size_t least = short_counts ? 8 : asset ? 20 : 32;
    if (token.size() >= least && is_hex_digest(token)) return !ends_with_uuid(stem);
    if (asset && is_base32_digest(name, token)) return true;
  }
  // base64url has '-' and '_' itself, so the token is found by its length.
  if (!asset || stem.size() < 10) return false;
  char before = stem[stem.size() - 9];
  string_view name = stem.substr(0, stem.size() - 9), token = stem.substr(stem.size() - 8);
  return (before == '-' || before == '.') && !is_other_value(name) && is_base64_digest(name, token);
}

// `stem` ends as those do that has_digest takes, but in eight characters that could be words.
bool may_have_digest(string_view stem) {
  if (stem.size() < 10) return false;
  char before = stem[stem.size() - 9];
  string_view name = stem.substr(0, stem.size() - 9), token = stem.substr(stem.size() - 8);
  return (before == '-' || before == '.') && !is_other_value(name) && is_base64url_text(token) &&
         (count_words(token) >= 2 || (is_hex_text(token) && !starts_with_date(token)));
}

}  // namespace

Fingerprint fingerprint(string_view key) noexcept {
  if (is_html(media_type(key))) return Fingerprint::absent;
  if (is_immutable_folder(key)) return Fingerprint::certain;
  string_view stem = key.substr(key.rfind('/') + 1);
  string_view extension = take_extension(stem);
  if (extension.empty()) return Fingerprint::absent;
  auto certain_if = [](bool is) { return is ? Fingerprint::certain : Fingerprint::absent; };
  if (is_hex_text(stem)) {
    return certain_if(is_asset(extension) && stem.size() >= 20 && is_hex_digest(stem));
  }
  if ((is_asset(extension) && is_hugo_image(stem)) || is_pagefind_chunk(stem, extension) ||
      is_search_index(stem, extension) || is_eleventy_bundle(key, stem, extension) ||
      has_digest(stem, extension)) {
    return Fingerprint::certain;
  }
  return is_asset(extension) && may_have_digest(stem) ? Fingerprint::possible : Fingerprint::absent;
}

string_view cache_control(string_view key) noexcept {
  return fingerprint(key) == Fingerprint::certain ? immutable : "no-cache";
}

}  // namespace http
