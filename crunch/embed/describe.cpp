// SPDX-License-Identifier: ISC
#include "crunch/embed/describe.hpp"

#include <algorithm>
#include <array>

#include "http/mime.hpp"

namespace crunch::embed {
namespace {

using std::string_view;

constexpr http::MediaType more_types[] = {
#include "crunch/embed/media_types.inc"
};
static_assert(std::ranges::is_sorted(more_types, {}, &http::MediaType::extension));

constexpr std::size_t head_bytes = 4096;  // HTML's own search looks at 1,024
constexpr string_view utf8_parameter = "; charset=utf-8";

std::string lower(string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

string_view named_type(string_view key) { return http::media_type(key, more_types); }

std::optional<InnerName> inner_name(string_view key) {
  constexpr std::array loaded{string_view{"wasm"}, string_view{"js"},   string_view{"mjs"},
                              string_view{"css"},  string_view{"json"}, string_view{"data"},
                              string_view{"mem"},  string_view{"svg"}};
  const std::string small = lower(key);
  if (small.ends_with(".svgz")) return InnerName{std::string(key.substr(0, key.size() - 1))};
  constexpr std::array codings{std::pair{string_view{".gz"}, kv::Encoding::gzip},
                               std::pair{string_view{".br"}, kv::Encoding::br},
                               std::pair{string_view{".zst"}, kv::Encoding::zstd}};
  for (const auto& [suffix, encoding] : codings) {
    if (!small.ends_with(suffix)) continue;
    const string_view inner = string_view(small).substr(0, small.size() - suffix.size());
    const std::size_t dot = inner.rfind('.');
    if (dot == string_view::npos || dot == 0 || inner[dot - 1] == '/') return std::nullopt;
    if (std::ranges::find(loaded, inner.substr(dot + 1)) == loaded.end()) return std::nullopt;
    return InnerName{std::string(key.substr(0, inner.size())), encoding};
  }
  return std::nullopt;
}

void Text::add(base::Bytes bytes) {
  if (head_.size() < head_bytes) {
    head_ += base::text_of(bytes.first(std::min(bytes.size(), head_bytes - head_.size())));
  }
  for (std::byte byte : bytes) {
    if (is_bad_) return;
    const auto c = static_cast<unsigned char>(byte);
    if (expected_ > 0) {
      is_bad_ = c < least_ || c > most_;
      least_ = 0x80;
      most_ = 0xBF;
      --expected_;
    } else if (c >= 0x80) {
      has_multibyte_ = true;
      is_bad_ = c < 0xC2 || c > 0xF4;
      expected_ = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
      least_ = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
      most_ = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    } else if (c == 0 || c == 0x0E || c == 0x0F || c == 0x1B) {
      has_control_ = true;  // UTF-16's halves, ISO-2022's shifts
    }
  }
}

bool Text::is_utf8() const {
  if (is_bad_ || expected_ > 0) return false;
  return has_multibyte_ || !(has_control_ || declares_another_charset());
}

// <meta charset=...>, <meta ... content="...charset=...">, <?xml encoding="...">, @charset "...".
bool Text::declares_another_charset() const {
  const std::string text = lower(head_);
  for (string_view word : {"charset", "encoding"}) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      std::size_t value = text.find_first_not_of(" \t\r\n", at + word.size());
      if (value == std::string::npos) continue;
      const bool is_css = at > 0 && text[at - 1] == '@';
      if (!is_css && text[value] != '=') continue;
      value = text.find_first_not_of("= \t\r\n\"'", value);
      if (value == std::string::npos) continue;
      string_view name = string_view(text).substr(value);
      name = name.substr(0, name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_:."));
      constexpr std::array other{"iso", "windows", "shift", "euc",   "gb",  "big5",  "koi8",
                                 "hz",  "utf-16",  "cp",    "sjis",  "x-",  "mac",   "ibm",
                                 "ks",  "latin",   "tis",   "utf-7", "ucs", "johab", "dos"};
      if (std::ranges::any_of(other, [name](const char* one) { return name.starts_with(one); })) {
        return true;
      }
    }
  }
  return false;
}

bool Text::looks_like_json() const {
  const std::size_t at = head_.find_first_not_of(" \t\r\n");
  return at != std::string::npos && (head_[at] == '{' || head_[at] == '[');
}

bool Text::holds_private_key() const {
  const std::size_t at = head_.find("-----BEGIN ");
  if (at == std::string::npos) return false;
  const string_view line = string_view(head_).substr(at, 64);
  return line.find("PRIVATE KEY-----") != string_view::npos;
}

std::string media_type_of(string_view key, const Text& text, string_view said) {
  if (!said.empty()) return std::string(said);
  string_view type = named_type(key);
  const string_view name = key.substr(key.rfind('/') + 1);
  if (type == http::unknown_type && name.find('.') == string_view::npos &&
      (key.starts_with(".well-known/") || key.find("/.well-known/") != string_view::npos) &&
      text.looks_like_json() && text.is_utf8()) {
    type = "application/json";
  }
  // Apple's presentations are archives; a server's keys are not.
  if (type == "application/vnd.apple.keynote" && !text.looks_like_zip()) type = http::unknown_type;
  if (type.ends_with(utf8_parameter) && !text.is_utf8()) {
    type.remove_suffix(utf8_parameter.size());
  }
  return std::string(type);
}

}  // namespace crunch::embed
