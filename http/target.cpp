// SPDX-License-Identifier: ISC
#include "http/target.hpp"

#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

Target failed(TargetError error) {
  Target target;
  target.error = error;
  return target;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes "http://authority" off an absolute-form target. False: it is not one.
bool take_authority(string_view& target) {
  std::size_t scheme = 0;
  if (target.size() >= 7 && equals_ignoring_case(target.substr(0, 7), "http://")) scheme = 7;
  if (target.size() >= 8 && equals_ignoring_case(target.substr(0, 8), "https://")) scheme = 8;
  if (scheme == 0) return false;
  target.remove_prefix(scheme);
  std::size_t end = target.find_first_of("/?");
  string_view authority = target.substr(0, end);
  target = end == string_view::npos ? string_view{} : target.substr(end);
  return !authority.empty() && authority.front() != ':' &&
         authority.find_first_of("@#\\<>\"^`{|}") == string_view::npos;
}

// Writes decoded segments one after another, each after a '/', the first without.
class KeyWriter {
 public:
  explicit KeyWriter(std::span<char> out) : out_(out) {}

  TargetError segment(string_view raw) {
    std::size_t before = size_;
    if (size_ > 0 && !put('/')) return TargetError::too_long;
    std::size_t start = size_;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      char c = raw[i];
      if (c == '%') {
        int high = i + 1 < raw.size() ? hex_value(raw[i + 1]) : -1;
        int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
        if (high < 0 || low < 0) return TargetError::malformed;
        c = static_cast<char>(high * 16 + low);
        i += 2;
        if (c == '\0') return TargetError::malformed;
        if (c == '/') has_slash_ = true;
      }
      if (!put(c)) return TargetError::too_long;
    }
    string_view decoded(out_.data() + start, size_ - start);
    is_dots_ = decoded == "." || decoded == "..";
    if (decoded.empty() || is_dots_) size_ = before;
    if (decoded == "..") up();
    return TargetError::none;
  }
  // Was the last segment "." or ".."?
  [[nodiscard]] bool is_dots() const { return is_dots_; }
  [[nodiscard]] bool has_slash() const { return has_slash_; }
  [[nodiscard]] kv::Key key() const { return {out_.data(), size_}; }

 private:
  bool put(char c) {
    if (size_ == out_.size()) return false;
    out_[size_++] = c;
    return true;
  }
  void up() {
    std::size_t slash = key().rfind('/');
    size_ = slash == string_view::npos ? 0 : slash;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
  bool is_dots_ = false;
  bool has_slash_ = false;
};

}  // namespace

Target parse_target(string_view text, std::span<char> key) noexcept {
  Target target;
  if (text == "*") {
    target.is_asterisk = true;
    return target;
  }
  if (!text.starts_with('/') && !take_authority(text)) return failed(TargetError::malformed);
  string_view path = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#') return failed(TargetError::malformed);
    if (text[i] != '?') continue;
    if (text.find('#', i) != string_view::npos) return failed(TargetError::malformed);
    target.query = text.substr(i);
    path = text.substr(0, i);
    break;
  }
  KeyWriter writer(key);
  for (std::size_t start = 0; start < path.size();) {
    std::size_t end = start;
    while (end < path.size() && path[end] != '/') ++end;
    TargetError error = writer.segment(path.substr(start, end - start));
    if (error != TargetError::none) return failed(error);
    start = end + 1;
  }
  if (writer.has_slash()) return failed(TargetError::nothing);
  target.key = writer.key();
  target.is_directory = target.key.empty() || path.ends_with('/') || writer.is_dots();
  return target;
}

}  // namespace http
