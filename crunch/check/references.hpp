// SPDX-License-Identifier: ISC
// crunch/check/references.hpp: what a page refers to, and what can be referred to in it.
//
// States:  Use, Reference, PageReader.   Used by: crunch/check/links.
// Reads:   the attributes that HTML and SVG give addresses to (srcset with its candidates, style,
//          meta refresh), style elements, canonical and Open Graph addresses; ids and the names of
//          anchors.
// Source:  the HTML standard's index of attributes; https://ogp.me.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crunch/check/html.hpp"

namespace crunch::check {

// What happens with the address.
enum class Use : std::uint8_t {
  link,        // a reader may follow it
  loaded,      // the page needs it: scripts, style sheets, frames
  shown,       // images, sound, film
  canonical,   // the page's own address
  about_page,  // og:url and og:image: for other sites
};

struct Reference {
  Use use = Use::link;
  std::string_view url;
  std::uint32_t line = 0;
};

class PageReader : public TagSink {
 public:
  void start_tag(const Tag& tag) final;
  void style_text(std::string_view text, std::uint32_t line) final;

 protected:
  ~PageReader() = default;
  // Views stand only during the call.
  virtual void refer(const Reference& reference) = 0;
  virtual void define(std::string_view fragment) = 0;
  // The first <base href> of the page.
  virtual void set_base(std::string_view url) = 0;

 private:
  void refer_by(const Tag& tag, std::string_view name, Use use);
  void refer_by_candidates(const Tag& tag, std::string_view name);
  void take_link(const Tag& tag);
  void take_meta(const Tag& tag);
  void take_embedded(const Tag& tag);
  void take_css(std::string_view css, std::uint32_t line);

  bool has_base_ = false;
};

}  // namespace crunch::check
