// SPDX-License-Identifier: ISC
// crunch/embed/describe.hpp: what a file of the site is: its media type, by name and bytes.
//
// States:  media_type_of, inner_name, Text.   Used by: crunch/embed/prepare, embed.
// Names:   Debian's table of media types behind the short one of http/mime.
// Charset: a text that is not UTF-8 gets none, so that browsers go by what the page itself says.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "kv/kv.hpp"

namespace crunch::embed {

// By the name alone.
[[nodiscard]] std::string_view named_type(std::string_view key);

// A name of what is stored coded, without a plain file: its name without the coding, and which that
// is: "g.wasm.gz" is "g.wasm" in gzip, "f.svgz" is "f.svg". Only of files that pages load as they
// are, never of downloads ("a.tar.gz", "sitemap.xml.gz"). Nothing: an ordinary file.
struct InnerName {
  std::string key;
  kv::Encoding encoding = kv::Encoding::gzip;
};
[[nodiscard]] std::optional<InnerName> inner_name(std::string_view key);

// Bytes being looked at, from the first to the last, in pieces of any size.
class Text {
 public:
  void add(base::Bytes bytes);
  // Whether "charset=utf-8" may be said of them: they are UTF-8 (RFC 3629); and if all are ASCII,
  // they are not an encoding that hides behind it (ISO-2022, HZ, UTF-16), nor does the page say
  // that it is one.
  [[nodiscard]] bool is_utf8() const;
  // The first bytes begin as JSON does.
  [[nodiscard]] bool looks_like_json() const;
  [[nodiscard]] bool holds_private_key() const;
  [[nodiscard]] bool looks_like_zip() const { return head_.starts_with("PK\x03\x04"); }

 private:
  [[nodiscard]] bool declares_another_charset() const;

  std::string head_;       // the first bytes, in which a page says what it is
  unsigned expected_ = 0;  // continuation bytes to come
  unsigned char least_ = 0x80, most_ = 0xBF;
  bool is_bad_ = false;
  bool has_multibyte_ = false;
  bool has_control_ = false;
};

// The type of what has this name and these bytes; `said` is crunch.toml's word, or empty.
[[nodiscard]] std::string media_type_of(std::string_view key, const Text& text,
                                        std::string_view said);

}  // namespace crunch::embed
