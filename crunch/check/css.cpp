// SPDX-License-Identifier: ISC
#include "crunch/check/css.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace crunch::check {
namespace {

using std::string_view;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (small(c) >= 'a' && small(c) <= 'z') || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (small(c) >= 'a' && small(c) <= 'f');
}

class Sheet {
 public:
  Sheet(string_view css, std::uint32_t line,
        const std::function<void(string_view, std::uint32_t)>& take)
      : css_(css), line_(line), take_(take) {}

  void run() {
    while (at_ < css_.size()) {
      const char c = css_[at_];
      if (css_.substr(at_).starts_with("/*")) {
        const std::size_t end = css_.find("*/", at_ + 2);
        at_ = end == string_view::npos ? css_.size() : end + 2;
      } else if (c == '"' || c == '\'') {
        read_string();
        if (rule_ == Rule::import && !has_import_) tell(string_at_);
      } else if (c == '@') {
        ++at_;
        const std::string name = read_name();
        rule_ = name == "import" ? Rule::import : name == "namespace" ? Rule::names : Rule::none;
        has_import_ = false;
      } else if (is_name_byte(c)) {
        const std::size_t begin = at_;
        if (read_name() == "url" && at_ < css_.size() && css_[at_] == '(') read_url(begin);
      } else {
        if (c == ';' || c == '{' || c == '}') rule_ = Rule::none;
        at_ += c == '\\' ? 2 : 1;
      }
    }
  }

 private:
  enum class Rule : std::uint8_t { none, import, names };

  std::string read_name() {
    std::string name;
    while (at_ < css_.size() && is_name_byte(css_[at_])) {
      if (name.size() < 16) name += small(css_[at_]);
      ++at_;
    }
    return name;
  }

  // A backslash and what it stands before: a code in hexadecimal, a line's end, or one byte.
  void read_escape() {
    if (++at_ == css_.size()) return;
    const std::size_t begin = at_;
    while (at_ < css_.size() && at_ - begin < 6 && is_hexadecimal(css_[at_])) ++at_;
    if (at_ == begin) {
      if (css_[at_] != '\n') text_ += css_[at_];
      ++at_;
      return;
    }
    std::uint32_t code = 0;
    std::from_chars(css_.data() + begin, css_.data() + at_, code, 16);
    if (code < 0x80) {
      text_ += static_cast<char>(code);
    } else {
      text_ += code < 0x800     ? std::string{static_cast<char>(0xC0 | code >> 6U)}
               : code < 0x10000 ? std::string{static_cast<char>(0xE0 | code >> 12U),
                                              static_cast<char>(0x80 | (code >> 6U & 0x3FU))}
                                : std::string{static_cast<char>(0xF0 | (code >> 18U & 7U)),
                                              static_cast<char>(0x80 | (code >> 12U & 0x3FU)),
                                              static_cast<char>(0x80 | (code >> 6U & 0x3FU))};
      text_ += static_cast<char>(0x80 | (code & 0x3FU));
    }
    if (at_ < css_.size() && is_space(css_[at_])) ++at_;
  }

  // Its text; it ends at the quote, or at a line's end, where it is a mistake.
  void read_string() {
    const char quote = css_[at_++];
    string_at_ = at_;
    text_.clear();
    while (at_ < css_.size() && css_[at_] != quote && css_[at_] != '\n') {
      if (css_[at_] == '\\') {
        read_escape();
      } else {
        text_ += css_[at_++];
      }
    }
    at_ = std::min(at_ + 1, css_.size());
  }

  void read_url(std::size_t begin) {
    ++at_;
    while (at_ < css_.size() && is_space(css_[at_])) ++at_;
    if (at_ < css_.size() && (css_[at_] == '"' || css_[at_] == '\'')) {
      read_string();
    } else {
      text_.clear();
      while (at_ < css_.size() && css_[at_] != ')' && !is_space(css_[at_])) {
        if (css_[at_] == '\\') {
          read_escape();
        } else {
          text_ += css_[at_++];
        }
      }
    }
    if (rule_ != Rule::names) tell(begin);
    has_import_ = true;
  }

  void tell(std::size_t at) {
    line_ +=
        static_cast<std::uint32_t>(std::ranges::count(css_.substr(counted_, at - counted_), '\n'));
    counted_ = at;
    has_import_ = true;
    take_(text_, line_);
  }

  const string_view css_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  std::uint32_t line_;
  const std::function<void(string_view, std::uint32_t)>& take_;
  std::string text_;
  std::size_t string_at_ = 0;
  Rule rule_ = Rule::none;
  bool has_import_ = false;  // of this rule: what follows are conditions
};

}  // namespace

void for_each_css_url(string_view css, std::uint32_t line,
                      const std::function<void(string_view, std::uint32_t)>& take) {
  Sheet(css, line, take).run();
}

}  // namespace crunch::check
