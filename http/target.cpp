// SPDX-License-Identifier: ISC
#include "http/target.hpp"

#include <array>

#include "http/scan.hpp"
#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

int hex_value(char c) {
  if (!is_hex_digit(c)) return -1;
  return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

// Takes "http://authority" off an absolute-form target. Nothing: it is not one, or is malformed.
std::optional<Authority> take_authority(string_view& target) {
  std::size_t scheme = 0;
  if (target.size() >= 7 && equals_ignoring_case(target.substr(0, 7), "http://")) scheme = 7;
  if (target.size() >= 8 && equals_ignoring_case(target.substr(0, 8), "https://")) scheme = 8;
  if (scheme == 0) return std::nullopt;
  target.remove_prefix(scheme);
  std::size_t end = target.find_first_of("/?");
  std::optional<Authority> authority = parse_authority(target.substr(0, end));
  target = end == string_view::npos ? string_view{} : target.substr(end);
  if (authority && authority->host.empty()) return std::nullopt;
  return authority;
}

// What ends a run of bytes that stand for themselves.
constexpr std::array<bool, 256> make_special_table() {
  std::array<bool, 256> table{};
  for (char c : string_view("/%?#\0", 5)) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> special = make_special_table();

// Writes a key, segment after segment. The buffer has room for the whole target, and what is
// decoded is never longer.
class KeyWriter {
 public:
  explicit KeyWriter(char* out) : out_(out), at_(out), segment_(out) {}

  // Takes bytes up to the next special one.
  const char* plain(const char* from, const char* end) {
    while (from != end && !special[static_cast<unsigned char>(*from)]) *at_++ = *from++;
    return from;
  }
  // Takes "%xx". False: it is no escape, or one of NUL.
  bool escape(const char* from, const char* end) {
    int high = end - from > 2 ? hex_value(from[1]) : -1;
    int low = end - from > 2 ? hex_value(from[2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return false;
    *at_ = static_cast<char>(high * 16 + low);
    has_slash_ |= *at_++ == '/';
    return true;
  }
  // Ends a segment; true if it was empty or of dots.
  bool end_segment() {
    string_view segment(segment_, static_cast<std::size_t>(at_ - segment_));
    bool is_nothing = segment.size() <= 2 && (segment.empty() || segment == "." || segment == "..");
    if (!is_nothing) {
      *at_++ = '/';
      segment_ = at_;
      return false;
    }
    bool is_up = segment.size() == 2;
    at_ = segment_;
    if (is_up && at_ != out_) {
      do {
        --at_;
      } while (at_ != out_ && at_[-1] != '/');
      segment_ = at_;
    }
    return true;
  }
  // Without the '/' that every segment has behind it.
  [[nodiscard]] kv::Key key() const {
    return {out_, at_ == out_ ? 0 : static_cast<std::size_t>(at_ - out_) - 1};
  }
  [[nodiscard]] bool has_slash() const { return has_slash_; }

 private:
  char* out_;
  char* at_;
  char* segment_;
  bool has_slash_ = false;
};

TargetError read_target(string_view text, std::span<char> key, Target& target) {
  if (text == "*") {
    target.is_asterisk = true;
    return TargetError::none;
  }
  if (!text.starts_with('/')) {
    target.authority = take_authority(text);
    if (!target.authority) return TargetError::malformed;
  }
  if (text.size() >= key.size()) return TargetError::too_long;
  if (is_plain_path(text)) {
    target.path = text;
    target.key = {key.data(), text.copy(key.data(), text.size(), 1)};
    return TargetError::none;
  }
  KeyWriter writer(key.data());
  const char* at = text.data();
  const char* const end = at + text.size();
  while ((at = writer.plain(at, end)) != end && *at != '?') {
    if (*at == '#' || *at == '\0') return TargetError::malformed;
    if (*at == '/') {
      writer.end_segment();
      ++at;
    } else if (writer.escape(at, end)) {
      at += 3;
    } else {
      return TargetError::malformed;
    }
  }
  target.path = text.substr(0, static_cast<std::size_t>(at - text.data()));
  target.query = text.substr(target.path.size());
  if (target.query.find('#') != string_view::npos) return TargetError::malformed;
  // Nothing behind the last '/', or only dots, is a directory's name.
  target.is_directory = writer.end_segment();
  target.key = writer.key();
  return writer.has_slash() ? TargetError::nothing : TargetError::none;
}

}  // namespace

Target parse_target(string_view text, std::span<char> key) noexcept {
  Target target;
  const TargetError error = read_target(text, key, target);
  if (error == TargetError::malformed || error == TargetError::too_long) target = {};
  target.error = error;
  return target;
}

}  // namespace http
