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

// A token seen as runs of lower case, upper case, digits and the rest.
struct Shape {
  int lower = 0, upper = 0, digits = 0, others = 0;
  int changes = 0;  // from one run to the next
};

Shape shape_of(string_view text) {
  Shape shape;
  int before = -1;
  for (char c : text) {
    int kind = is_lower(c) ? 0 : is_upper(c) ? 1 : is_digit(c) ? 2 : 3;
    ++(kind == 0 ? shape.lower : kind == 1 ? shape.upper : kind == 2 ? shape.digits : shape.others);
    if (before >= 0 && before != kind) ++shape.changes;
    before = kind;
  }
  return shape;
}

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

// Hexadecimal, as webpack, mdBook, Hugo and Sprockets write it.
bool is_hex_digest(string_view token) {
  if (token.size() < 8 || !is_hex_text(token)) return false;
  Shape shape = shape_of(token);
  if (shape.digits == 0 || shape.lower == 0) return false;
  return token.size() >= 20 || !(starts_with_date(token) || is_word_then_number(token));
}

// Eight characters of base32, as esbuild and Angular write it.
bool is_base32_digest(string_view token) {
  auto in_alphabet = [](char c) { return is_upper(c) || (c >= '2' && c <= '7'); };
  if (token.size() != 8 || !std::ranges::all_of(token, in_alphabet)) return false;
  Shape shape = shape_of(token);
  return shape.digits > 0 && shape.upper > 0 && !is_word_then_number(token);
}

// Eight characters of base64url, as Vite and Rollup write it. Those without a digit are taken for
// words ("MyWidget"), which every fourth digest therefore is.
bool is_base64_digest(string_view token) {
  auto in_alphabet = [](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '_';
  };
  if (token.size() != 8 || !std::ranges::all_of(token, in_alphabet)) return false;
  Shape shape = shape_of(token);
  return shape.digits > 0 && shape.upper > 0 && shape.lower > 0 && shape.changes >= 4 &&
         !is_word_then_number(token);
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

// What bundlers write beside what people write; for other types only long digests count.
bool is_asset(string_view extension) {
  constexpr std::array names{"js",   "mjs", "css",  "map", "wasm", "woff", "woff2", "ttf",
                             "otf",  "eot", "svg",  "png", "jpg",  "jpeg", "gif",   "webp",
                             "avif", "ico", "json", "txt", "webm", "mp4"};
  return std::ranges::find(names, extension) != names.end();
}

bool is_immutable_folder(string_view key) {
  constexpr std::array folders{string_view{"_next/static/"}, string_view{"_nuxt/"},
                               string_view{"_app/immutable/"}, string_view{"_astro/"}};
  return std::ranges::any_of(folders, [key](string_view folder) {
    std::size_t at = key.find(folder);
    return at == 0 || (at != string_view::npos && key[at - 1] == '/');
  });
}

// Takes the extension off `name`, and then what comes between it and a digest:
// "elasticlunr-ef4e11c1.min.js", "main.3f2a9c1b.chunk.css.map".
string_view take_extension(string_view& name) {
  constexpr std::array between{string_view{".min"},    string_view{".chunk"},  string_view{".css"},
                               string_view{".bundle"}, string_view{".js"},     string_view{".mjs"},
                               string_view{".module"}, string_view{".LICENSE"}};
  std::size_t dot = name.rfind('.');
  if (dot == string_view::npos) return {};
  string_view extension = name.substr(dot + 1);
  name = name.substr(0, dot);
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

}  // namespace

bool is_fingerprinted(string_view key) noexcept {
  if (is_html(media_type(key))) return false;
  if (is_immutable_folder(key)) return true;
  string_view stem = key.substr(key.rfind('/') + 1);
  string_view extension = take_extension(stem);
  if (extension.empty()) return false;
  bool asset = is_asset(extension);
  if (asset && is_hugo_image(stem)) return true;
  if (is_hex_text(stem)) return asset && stem.size() >= 20 && is_hex_digest(stem);
  std::size_t separator = stem.find_last_of(".-_");
  if (separator != string_view::npos && separator > 0) {
    string_view token = stem.substr(separator + 1);
    bool long_enough = asset || token.size() >= 32;
    if (long_enough && is_hex_digest(token)) return !ends_with_uuid(stem);
    if (asset && stem[separator] != '_' && is_base32_digest(token)) return true;
  }
  // base64url has '-' and '_' itself, so the token is found by its length.
  if (!asset || stem.size() < 10 ||
      (stem[stem.size() - 9] != '-' && stem[stem.size() - 9] != '.')) {
    return false;
  }
  return is_base64_digest(stem.substr(stem.size() - 8));
}

string_view cache_control(string_view key) noexcept {
  return is_fingerprinted(key) ? "public, max-age=31536000, immutable" : "no-cache";
}

}  // namespace http
