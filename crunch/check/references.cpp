// SPDX-License-Identifier: ISC
#include "crunch/check/references.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "crunch/check/css.hpp"

namespace crunch::check {
namespace {

using std::string_view;

constexpr string_view blanks = " \t\n\f\r";

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower(string_view text) {
  std::string out(text);
  for (char& c : out) c = small(c);
  return out;
}

string_view value_of(const Tag& tag, string_view name) {
  const Attribute* attribute = tag.find(name);
  return attribute == nullptr ? string_view() : attribute->value;
}

bool has_word(string_view words, string_view wanted) {
  const std::string text = lower(words);
  for (string_view rest = text; !rest.empty();) {
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    const string_view word = rest.substr(0, rest.find_first_of(blanks));
    if (word == wanted) return true;
    rest.remove_prefix(word.size());
  }
  return false;
}

// Element, attribute, what for.
struct Place {
  string_view element, attribute;
  Use use;
};
constexpr Place places[] = {
    {"a", "href", Use::link},
    {"a", "xlink:href", Use::link},
    {"area", "href", Use::link},
    {"audio", "src", Use::shown},
    {"blockquote", "cite", Use::link},
    {"body", "background", Use::shown},
    {"del", "cite", Use::link},
    {"embed", "src", Use::loaded},
    {"feimage", "href", Use::shown},
    {"frame", "src", Use::loaded},
    {"html", "manifest", Use::loaded},
    {"iframe", "src", Use::loaded},
    {"image", "href", Use::shown},
    {"image", "xlink:href", Use::shown},
    {"img", "longdesc", Use::link},
    {"img", "src", Use::shown},
    {"input", "src", Use::shown},
    {"ins", "cite", Use::link},
    {"object", "data", Use::loaded},
    {"q", "cite", Use::link},
    {"script", "src", Use::loaded},
    {"source", "src", Use::shown},
    {"table", "background", Use::shown},
    {"td", "background", Use::shown},
    {"th", "background", Use::shown},
    {"track", "src", Use::loaded},
    {"use", "href", Use::shown},
    {"use", "xlink:href", Use::shown},
    {"video", "poster", Use::shown},
    {"video", "src", Use::shown},
};

}  // namespace

void PageReader::start_tag(const Tag& tag) {
  if (tag.attributes.empty()) return;
  if (const Attribute* id = tag.find("id"); id != nullptr && !id->value.empty()) define(id->value);
  if (tag.name == "base") {
    const Attribute* href = tag.find("href");
    if (href != nullptr && !std::exchange(has_base_, true)) set_base(href->value);
  } else if (tag.name == "link") {
    take_link(tag);
  } else if (tag.name == "meta") {
    take_meta(tag);
  } else if (tag.name == "form") {
    // What is posted goes to a program, which is no file.
    if (lower(value_of(tag, "method")) != "post") refer_by(tag, "action", Use::link);
  } else {
    take_embedded(tag);
  }
  if (const Attribute* style = tag.find("style"); style != nullptr) {
    take_css(style->value, style->line);
  }
}

void PageReader::take_embedded(const Tag& tag) {
  if (tag.name == "a") {
    if (const Attribute* name = tag.find("name"); name != nullptr) define(name->value);
  }
  const auto first = std::ranges::lower_bound(places, tag.name, {}, &Place::element);
  for (const auto* place = first; place != std::end(places) && place->element == tag.name;
       ++place) {
    refer_by(tag, place->attribute, place->use);
  }
  if (tag.name == "img" || tag.name == "source") refer_by_candidates(tag, "srcset");
}

void PageReader::refer_by(const Tag& tag, string_view name, Use use) {
  const Attribute* attribute = tag.find(name);
  if (attribute != nullptr) refer({use, attribute->value, attribute->line});
}

// "a.png 1x, b.png 2x": an address ends at a blank; commas at its end are separators.
void PageReader::refer_by_candidates(const Tag& tag, string_view name) {
  const Attribute* attribute = tag.find(name);
  if (attribute == nullptr) return;
  for (string_view rest = attribute->value;;) {
    const std::size_t begin = rest.find_first_not_of(" \t\n\f\r,");
    if (begin == string_view::npos) return;
    rest.remove_prefix(begin);
    string_view url = rest.substr(0, rest.find_first_of(blanks));
    rest.remove_prefix(url.size());
    const bool has_descriptor = !url.ends_with(',');
    while (url.ends_with(',')) url.remove_suffix(1);
    refer({Use::shown, url, attribute->line});
    if (has_descriptor) rest.remove_prefix(std::min(rest.find(','), rest.size()));
  }
}

void PageReader::take_link(const Tag& tag) {
  const string_view rel = value_of(tag, "rel");
  // These name a host, not a file.
  if (has_word(rel, "preconnect") || has_word(rel, "dns-prefetch")) return;
  constexpr std::array<string_view, 7> loaded{
      "stylesheet", "icon", "apple-touch-icon", "preload", "prefetch", "modulepreload", "manifest"};
  const bool is_loaded =
      std::ranges::any_of(loaded, [rel](string_view word) { return has_word(rel, word); });
  refer_by(tag, "href",
           has_word(rel, "canonical") ? Use::canonical
           : is_loaded                ? Use::loaded
                                      : Use::link);
  refer_by_candidates(tag, "imagesrcset");
}

void PageReader::take_meta(const Tag& tag) {
  const Attribute* content = tag.find("content");
  if (content == nullptr) return;
  const std::string property = lower(value_of(tag, "property"));
  const std::string name = lower(value_of(tag, "name"));
  if (property == "og:url" || property == "og:image" || name == "twitter:image") {
    return refer({Use::about_page, content->value, content->line});
  }
  if (lower(value_of(tag, "http-equiv")) != "refresh") return;
  // "5; url='/next'": the address may be quoted, and "url=" left out.
  string_view text = content->value;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\f\r0123456789."), text.size()));
  if (text.empty()) return;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\f\r;,"), text.size()));
  if (lower(text.substr(0, 3)) == "url") {
    const string_view behind = text.substr(3);
    const std::size_t equals = behind.find_first_not_of(blanks);
    if (equals != string_view::npos && behind[equals] == '=') {
      text = behind.substr(equals + 1);
      text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    }
  }
  if (text.starts_with('"') || text.starts_with('\'')) {
    text = text.substr(1, text.find(text[0], 1) - 1);
  }
  if (!text.empty()) refer({Use::link, text, content->line});
}

void PageReader::style_text(string_view text, std::uint32_t line) { take_css(text, line); }

void PageReader::take_css(string_view css, std::uint32_t line) {
  for_each_css_url(css, line, [this](string_view url, std::uint32_t at) {
    if (!url.starts_with('#')) refer({Use::shown, url, at});
  });
}

}  // namespace crunch::check
