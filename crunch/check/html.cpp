// SPDX-License-Identifier: ISC
#include "crunch/check/html.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

namespace crunch::check {
namespace {

using std::string_view;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with_word(string_view text, string_view small_word) {
  return text.size() >= small_word.size() &&
         std::ranges::equal(text.substr(0, small_word.size()), small_word, {}, small);
}

// Text in which no tag begins: only the element's own end tag.
bool is_raw_text(string_view element) {
  constexpr std::array<string_view, 9> names{
      "iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"};
  return std::ranges::find(names, element) != names.end();
}

class Tokenizer {
 public:
  Tokenizer(string_view page, TagSink& sink) : page_(page), sink_(sink) {}

  void run() {
    while ((at_ = page_.find('<', at_)) != string_view::npos) {
      const string_view rest = page_.substr(at_ + 1);
      if (rest.empty()) return;
      if (is_letter(rest[0])) {
        start_tag();
      } else if (rest[0] == '/') {
        end_tag(rest.substr(1));
      } else if (rest[0] == '!') {
        declaration(rest.substr(1));
      } else if (rest[0] == '?') {
        skip_behind(">", at_ + 1);
      } else {
        ++at_;
      }
    }
  }

 private:
  // Goes on behind the next `text` from `from` on, or ends.
  void skip_behind(string_view text, std::size_t from) {
    const std::size_t found = page_.find(text, from);
    at_ = found == string_view::npos ? page_.size() : found + text.size();
  }

  void declaration(string_view rest) {
    if (rest.starts_with("--")) return comment();
    if (rest.starts_with("[CDATA[") && foreign_depth_ > 0) return skip_behind("]]>", at_ + 9);
    skip_behind(">", at_ + 2);
  }

  // "-->", "--!>", and at its very beginning also ">" and "->".
  void comment() {
    const string_view text = page_.substr(at_ + 4);
    if (text.starts_with('>')) return skip_behind(">", at_ + 4);
    if (text.starts_with("->")) return skip_behind(">", at_ + 4);
    for (std::size_t from = at_ + 4;;) {
      from = page_.find("--", from);
      if (from == string_view::npos) {
        at_ = page_.size();
        return;
      }
      const string_view behind = page_.substr(from + 2);
      if (behind.starts_with('>')) return skip_behind(">", from + 2);
      if (behind.starts_with("!>")) return skip_behind(">", from + 2);
      ++from;
    }
  }

  void end_tag(string_view rest) {
    if (rest.empty()) {
      at_ = page_.size();
    } else if (rest[0] == '>') {
      at_ += 3;
    } else if (!is_letter(rest[0])) {
      skip_behind(">", at_ + 2);
    } else {
      at_ += 2;
      if (!read_tag()) return;
      if (foreign_depth_ > 0 && (name_ == "svg" || name_ == "math")) --foreign_depth_;
    }
  }

  void start_tag() {
    const std::uint32_t line = line_at(at_);
    ++at_;
    if (!read_tag()) return;
    sink_.start_tag({name_, attributes_, line});
    if (name_ == "svg" || name_ == "math") {
      if (!is_self_closing_) ++foreign_depth_;
    } else if (foreign_depth_ == 0 && is_raw_text(name_)) {
      pass_raw_text();
    }
  }

  // From the name to behind the '>'. False: the page ends in it, and it is no tag.
  bool read_tag() {
    attributes_.clear();
    texts_.clear();
    is_self_closing_ = false;
    const std::size_t begin = at_;
    while (at_ < page_.size() && !is_space(page_[at_]) && page_[at_] != '/' && page_[at_] != '>') {
      ++at_;
    }
    name_.assign(page_.substr(begin, at_ - begin));
    for (char& c : name_) c = small(c);
    while (at_ < page_.size()) {
      const char c = page_[at_];
      if (c == '>') {
        ++at_;
        return true;
      }
      if (c == '/') {
        is_self_closing_ = at_ + 1 < page_.size() && page_[at_ + 1] == '>';
        ++at_;
      } else if (is_space(c)) {
        ++at_;
      } else {
        read_attribute();
      }
    }
    return false;
  }

  void read_attribute() {
    const std::size_t begin = at_++;  // the first byte may be '='
    while (at_ < page_.size() && !is_space(page_[at_]) && page_[at_] != '/' && page_[at_] != '>' &&
           page_[at_] != '=') {
      ++at_;
    }
    const string_view name = page_.substr(begin, at_ - begin);
    std::size_t next = at_;
    while (next < page_.size() && is_space(page_[next])) ++next;
    string_view value;
    if (next < page_.size() && page_[next] == '=') {
      at_ = next + 1;
      value = read_value();
    }
    if (attributes_.size() == attributes_max) return;
    const std::uint32_t line =
        line_at(value.empty() ? begin : static_cast<std::size_t>(value.data() - page_.data()));
    attributes_.push_back({in_small_letters(name), resolved(value), line});
  }

  string_view read_value() {
    while (at_ < page_.size() && is_space(page_[at_])) ++at_;
    if (at_ == page_.size()) return {};
    const char quote = page_[at_];
    if (quote == '"' || quote == '\'') {
      const std::size_t begin = at_ + 1, end = std::min(page_.find(quote, begin), page_.size());
      at_ = std::min(end + 1, page_.size());
      return page_.substr(begin, end - begin);
    }
    const std::size_t begin = at_;
    while (at_ < page_.size() && !is_space(page_[at_]) && page_[at_] != '>') ++at_;
    return page_.substr(begin, at_ - begin);
  }

  string_view in_small_letters(string_view name) {
    if (std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; })) return name;
    std::string& text = texts_.emplace_back(name);
    for (char& c : text) c = small(c);
    return text;
  }

  string_view resolved(string_view value) {
    const bool has_zero = value.find('\0') != string_view::npos;
    if (!has_zero && value.find('&') == string_view::npos) return value;
    std::string& text = texts_.emplace_back();
    append_resolved(text, value);
    if (!has_zero) return text;
    std::string shown;
    for (const char c : text) shown += c == '\0' ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    return text = std::move(shown);
  }

  // To the element's end tag, which is read as any.
  void pass_raw_text() {
    const std::size_t begin = at_;
    if (name_ == "plaintext") {
      at_ = page_.size();
      return;
    }
    at_ = name_ == "script" ? end_of_script(begin) : end_of_raw_text(begin, name_);
    if (name_ == "style") sink_.style_text(page_.substr(begin, at_ - begin), line_at(begin));
  }

  [[nodiscard]] bool is_end_tag(std::size_t at, string_view element) const {
    const string_view rest = page_.substr(at);
    if (!rest.starts_with("</") || !starts_with_word(rest.substr(2), element)) return false;
    const string_view behind = rest.substr(2 + element.size());
    return !behind.empty() && (is_space(behind[0]) || behind[0] == '/' || behind[0] == '>');
  }

  [[nodiscard]] std::size_t end_of_raw_text(std::size_t at, string_view element) const {
    while ((at = page_.find("</", at)) != string_view::npos && !is_end_tag(at, element)) at += 2;
    return std::min(at, page_.size());
  }

  // In "<!-- <script> ... </script>" the end tag ends the inner script only ("script data double
  // escaped state").
  [[nodiscard]] std::size_t end_of_script(std::size_t at) const {
    enum class Escape : std::uint8_t { none, once, twice } escape = Escape::none;
    for (; at < page_.size(); ++at) {
      const string_view rest = page_.substr(at);
      if (rest[0] == '-' && escape != Escape::none) {
        if (rest.starts_with("-->")) escape = Escape::none;
      } else if (rest[0] == '<') {
        if (escape == Escape::none && rest.starts_with("<!--")) {
          escape = Escape::once;
          ++at;  // "<!-->" escapes nothing
        } else if (is_end_tag(at, "script")) {
          if (escape != Escape::twice) return at;
          escape = Escape::once;
        } else if (escape == Escape::once && starts_with_word(rest, "<script") && rest.size() > 7 &&
                   (is_space(rest[7]) || rest[7] == '/' || rest[7] == '>')) {
          escape = Escape::twice;
        }
      }
    }
    return page_.size();
  }

  // Positions come in ascending order, or nearly so.
  std::uint32_t line_at(std::size_t position) {
    if (position < counted_) return line_ - newlines(position, counted_);
    line_ += newlines(counted_, position);
    counted_ = position;
    return line_;
  }
  [[nodiscard]] std::uint32_t newlines(std::size_t from, std::size_t to) const {
    return static_cast<std::uint32_t>(std::ranges::count(page_.substr(from, to - from), '\n'));
  }

  const string_view page_;
  TagSink& sink_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  std::uint32_t line_ = 1;
  std::size_t foreign_depth_ = 0;
  bool is_self_closing_ = false;
  std::string name_;
  std::vector<Attribute> attributes_;
  std::deque<std::string> texts_;  // of the tag, those that are not in the page so
};

}  // namespace

const Attribute* Tag::find(string_view wanted) const noexcept {
  const auto at = std::ranges::find(attributes, wanted, &Attribute::name);
  return at == attributes.end() ? nullptr : &*at;
}

void tokenize(string_view page, TagSink& sink) { Tokenizer(page, sink).run(); }

}  // namespace crunch::check
