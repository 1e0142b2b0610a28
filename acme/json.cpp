// SPDX-License-Identifier: ISC
#include "acme/json.hpp"

#include <array>
#include <utility>

namespace acme {
namespace {

using std::string_view;

constexpr string_view hex_digits = "0123456789abcdef";

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0U | c >> 6U);
    put(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  } else {
    put(0xf0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3fU));
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  }
}

class Reader {
 public:
  explicit Reader(string_view text) noexcept : rest_(text) {}

  bool whole(Json& out) {
    if (!value(out, 0)) return false;
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() noexcept {
    while (!rest_.empty() && string_view(" \t\r\n").find(rest_[0]) != string_view::npos) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) noexcept {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // NOLINTNEXTLINE(misc-no-recursion): json_depth_max bounds it.
  bool value(Json& out, std::size_t depth) {
    skip_blanks();
    if (rest_.empty() || depth == json_depth_max || ++count_ > json_values_max) return false;
    switch (rest_[0]) {
      case '{':
        return sequence(out, '}', depth);
      case '[':
        return sequence(out, ']', depth);
      case '"':
        out.kind = Json::Kind::string;
        return string(out.text);
      case 't':
        return word(out, "true", Json::Kind::boolean);
      case 'f':
        return word(out, "false", Json::Kind::boolean);
      case 'n':
        return word(out, "null", Json::Kind::null);
      default:
        return number(out);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion): json_depth_max bounds it.
  bool sequence(Json& out, char end, std::size_t depth) {
    const bool is_object = end == '}';
    out.kind = is_object ? Json::Kind::object : Json::Kind::array;
    rest_.remove_prefix(1);
    if (take(end)) return true;
    do {
      Json one;
      if (is_object) {
        skip_blanks();
        if (!rest_.starts_with('"') || !string(one.name) || !take(':')) return false;
      }
      if (!value(one, depth + 1)) return false;
      out.values.push_back(std::move(one));
    } while (take(','));
    return take(end);
  }

  bool word(Json& out, string_view text, Json::Kind kind) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    out.kind = kind;
    if (kind == Json::Kind::boolean) out.text = text;
    return true;
  }

  std::size_t digits(std::size_t at) const noexcept {
    while (at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '9') ++at;
    return at;
  }

  bool number(Json& out) {
    const std::size_t first = rest_.starts_with('-') ? 1 : 0;
    std::size_t at = digits(first);
    if (at == first || (rest_[first] == '0' && at > first + 1)) return false;
    if (at < rest_.size() && rest_[at] == '.') {
      const std::size_t after = digits(at + 1);
      if (after == at + 1) return false;
      at = after;
    }
    if (at < rest_.size() && (rest_[at] == 'e' || rest_[at] == 'E')) {
      std::size_t power = at + 1;
      if (power < rest_.size() && (rest_[power] == '+' || rest_[power] == '-')) ++power;
      at = digits(power);
      if (at == power) return false;
    }
    out.kind = Json::Kind::number;
    out.text = rest_.substr(0, at);
    rest_.remove_prefix(at);
    return true;
  }

  bool hex(std::uint32_t& out) noexcept {
    if (rest_.size() < 4) return false;
    out = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const char c = rest_[i];
      const char small = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
      const std::size_t digit = hex_digits.find(small);
      if (digit == string_view::npos) return false;
      out = out << 4U | static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return true;
  }

  bool escaped(std::string& out) {
    constexpr string_view from = "\"\\/bfnrt";
    constexpr string_view to = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return false;
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (c != 'u') {
      const std::size_t at = from.find(c);
      if (at == string_view::npos) return false;
      out += to[at];
      return true;
    }
    std::uint32_t code = 0;
    if (!hex(code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return false;
    if (code >= 0xd800 && code <= 0xdbff) {
      std::uint32_t low = 0;
      if (!rest_.starts_with("\\u")) return false;
      rest_.remove_prefix(2);
      if (!hex(low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  bool string(std::string& out) {
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escaped(out)) {
        return false;
      }
    }
    return false;
  }

  string_view rest_;
  std::size_t count_ = 0;
};

}  // namespace

const Json& Json::operator[](string_view member) const noexcept {
  static const Json none;
  if (kind != Kind::object) return none;
  for (const Json& one : values) {
    if (one.name == member) return one;
  }
  return none;
}

string_view Json::string() const noexcept {
  return kind == Kind::string ? string_view(text) : string_view();
}

std::optional<Json> parse_json(string_view text) {
  if (text.size() > json_bytes_max) return std::nullopt;
  std::optional<Json> out(std::in_place);
  if (!Reader(text).whole(*out)) out.reset();
  return out;
}

std::string json_text(string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      out += "\\u00";
      out += hex_digits[code >> 4U];
      out += hex_digits[code & 15U];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace acme
