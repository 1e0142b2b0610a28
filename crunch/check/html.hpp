// SPDX-License-Identifier: ISC
// crunch/check/html.hpp: a page's tags with their attributes, read as browsers read them.
//
// States:  Attribute, Tag, TagSink, tokenize.   Used by: crunch/check.
// Reads:   start tags, and the text of style elements. Comments, declarations, CDATA, scripts and
//          other raw text are passed over as the standard says, so that nothing in them is taken
//          for a tag. There is no tree: without one, markup in noscript is markup, and CDATA is
//          known by the svg or math around it.
// Bounds:  one pass, whatever the bytes. Memory: the attributes of one tag, at most
//          attributes_max, and those of their values that have character references in them.
// Why ours: of Debian's libraries gumbo is no longer maintained, builds a whole tree and frees it
//          by recursion, so that a deep page overflows the stack; lexbor is not in its stable
//          releases. python3-html5lib is the oracle of tests/crunch/check/tokenizer_test.py.
// Source:  https://html.spec.whatwg.org/multipage/parsing.html#tokenization

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace crunch::check {

// Further ones of a tag are passed over.
inline constexpr std::size_t attributes_max = 512;

struct Attribute {
  std::string_view name;   // in small letters
  std::string_view value;  // with its character references resolved
  std::uint32_t line = 0;  // on which the value begins
};

struct Tag {
  std::string_view name;  // in small letters
  std::span<const Attribute> attributes;
  std::uint32_t line = 0;

  // The first of this name; null: there is none.
  [[nodiscard]] const Attribute* find(std::string_view name) const noexcept;
};

// Views stand only during the call.
class TagSink {
 public:
  virtual void start_tag(const Tag& tag) = 0;
  virtual void style_text(std::string_view text, std::uint32_t line) = 0;

 protected:
  ~TagSink() = default;
};

// `page` is UTF-8 or another superset of ASCII.
void tokenize(std::string_view page, TagSink& sink);

// Appends `text` with its character references resolved, as in the value of an attribute.
void append_resolved(std::string& out, std::string_view text);

}  // namespace crunch::check
