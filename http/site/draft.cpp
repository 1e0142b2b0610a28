// SPDX-License-Identifier: ISC
#include "http/site/draft.hpp"

#include <algorithm>
#include <charconv>

#include "http/site/path.hpp"

namespace http::site {
namespace {

using std::string_view;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_character(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

// The name at the start of `text`, as Cloudflare reads them; empty: none.
string_view name_at(string_view text) {
  if (text.empty() || !is_letter(text[0])) return {};
  std::size_t size = 1;
  while (size < text.size() && is_name_character(text[size])) ++size;
  return text.substr(0, size);
}

// Adds parts; literals beside each other become one.
class PatternWriter {
 public:
  explicit PatternWriter(std::vector<std::string>& names) : names_(names) {}
  void literal(string_view text) {
    if (text.empty()) return;
    if (parts.empty() || parts.back().kind != PartKind::literal) parts.push_back({});
    parts.back().text += text;
  }
  void capture(PartKind kind, string_view name) {
    if (++count_ > captures_max) return;  // trouble() says so
    if (name.empty()) {
      parts.push_back({kind, "", no_capture});
      return;
    }
    const auto at = std::ranges::find(names_, name);
    if (at != names_.end()) is_repeated = true;
    parts.push_back(
        {kind, "", static_cast<std::uint8_t>(std::min<std::size_t>(names_.size(), 254))});
    names_.emplace_back(name);
  }
  [[nodiscard]] std::string trouble() const {
    if (is_repeated) return "a name or \"*\" is there twice, so it matches nothing; use it once";
    if (count_ > captures_max) return "it has more than 8 placeholders; write fewer";
    return {};
  }

  std::vector<Part> parts;
  bool is_repeated = false;

 private:
  std::vector<std::string>& names_;
  std::size_t count_ = 0;  // of captures
};

}  // namespace

Lines::Lines(string_view text) : rest_(text) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

bool Lines::next(string_view& line) {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  line = trimmed(rest_.substr(0, end));
  rest_.remove_prefix(end == string_view::npos ? rest_.size() : end + 1);
  ++number_;
  return true;
}

string_view trimmed(string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<string_view> words_of(string_view line) {
  std::vector<string_view> words;
  while (!(line = trimmed(line)).empty()) {
    const auto* end = std::ranges::find_if(line, is_blank);
    const auto size = static_cast<std::size_t>(end - line.begin());
    words.push_back(line.substr(0, size));
    line.remove_prefix(size);
  }
  return words;
}

std::string printable(string_view text) {
  constexpr string_view digits = "0123456789ABCDEF";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C1's controls are 0xC2 0x80 to 0x9F in UTF-8, and one byte elsewhere.
    const bool begins_c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    const bool continues = i > 0 && static_cast<unsigned char>(text[i - 1]) >= 0x80;
    if (byte < 0x20 || byte == 0x7F || begins_c1 || (byte >= 0x80 && byte < 0xC0 && !continues)) {
      out += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
      if (begins_c1) {
        const auto next = static_cast<unsigned char>(text[++i]);
        out += {'\\', 'x', digits[next >> 4U], digits[next & 15U]};
      }
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string shown(string_view line) {
  constexpr std::size_t shown_bytes_max = 80;
  std::size_t size = std::min(line.size(), shown_bytes_max);
  // No character of UTF-8 is cut.
  while (size < line.size() && size > 0 &&
         (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80) {
    --size;
  }
  return '"' + std::string(line.substr(0, size)) + (size < line.size() ? "...\"" : "\"");
}

std::string lower(string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::optional<int> number_at(string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() || number < 0) return std::nullopt;
  return number;
}

std::string escaped(string_view text) {
  constexpr string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || string_view("\"<>\\^`{|}").find(c) != string_view::npos) {
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    } else {
      out += c;
    }
  }
  return out;
}

Cut cut(string_view target) {
  Cut parts;
  const std::size_t hash = std::min(target.find('#'), target.size());
  parts.fragment = target.substr(hash);
  target = target.substr(0, hash);
  const std::size_t mark = std::min(target.find('?'), target.size());
  parts.query = target.substr(mark);
  parts.path = target.substr(0, mark);
  return parts;
}

std::string normal_address(string_view address) {
  const std::size_t begin = address.find("://") + 3;
  const std::size_t end = std::min(address.find('/', begin), address.size());
  std::string origin = lower(address.substr(0, begin));
  const string_view host = address.substr(begin, end - begin);
  if (host.empty()) return escaped(address);
  // Names of placeholders keep their case.
  const std::size_t colon = std::min(host.find(':'), host.size() - 1);
  const bool has_name = number_at(host.substr(colon + 1)) == std::nullopt && host[colon] == ':';
  origin += has_name ? std::string(host) : lower(host);
  if (origin.starts_with("https://") && origin.ends_with(":443")) origin.resize(origin.size() - 4);
  return escaped(origin) + normal_path(address.substr(end), Slashes::keep);
}

std::vector<Piece> pieces_of(string_view text, const std::vector<std::string>& names) {
  std::vector<Piece> pieces;
  std::string literal;
  auto end_literal = [&] {
    if (!literal.empty()) pieces.push_back({std::move(literal), no_capture});
    literal.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto name =
        text[i] == ':'
            ? std::ranges::find_if(names, [rest = text.substr(i + 1)](
                                              const std::string& n) { return rest.starts_with(n); })
            : names.end();
    if (name == names.end()) {
      literal += text[i++];
      continue;
    }
    end_literal();
    pieces.push_back({"", static_cast<std::uint8_t>(name - names.begin())});
    i += 1 + name->size();
  }
  end_literal();
  return pieces;
}

std::vector<Part> cloudflare_pattern(string_view source, std::size_t host_bytes,
                                     std::vector<std::string>& names, std::string& why) {
  PatternWriter writer(names);
  for (std::size_t i = 0; i < source.size();) {
    const string_view name = source[i] == ':' ? name_at(source.substr(i + 1)) : string_view();
    if (!name.empty()) {
      writer.capture(i < host_bytes ? PartKind::host_segment : PartKind::segment, name);
      i += 1 + name.size();
    } else if (source[i] == '*') {
      writer.capture(PartKind::splat, "splat");
      ++i;
    } else {
      writer.literal(source.substr(i++, 1));
    }
  }
  why = writer.trouble();
  // There a name is put in wherever its letters are, in a longer name too.
  for (std::size_t i = 0; i < names.size() && why.empty(); ++i) {
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      if (names[j].starts_with(names[i])) {
        why = "the name \":" + names[j] + "\" begins with \":" + names[i] +
              "\", so it matches nothing; use names that do not";
      }
    }
  }
  return std::move(writer.parts);
}

std::vector<Part> netlify_pattern(string_view source, bool for_headers,
                                  std::vector<std::string>& names, std::string& why) {
  PatternWriter writer(names);
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  bool has_tail = false;
  // A name that is there twice stands for what its first place has; of two stars too.
  auto capture = [&](PartKind kind, string_view name) {
    const bool is_known = for_headers || std::ranges::find(names, name) != names.end();
    writer.capture(kind, is_known ? string_view() : name);
  };
  for (std::size_t at = 0; at < source.size();) {
    // From here a segment with the '/' before it.
    const std::size_t end = std::min(source.find('/', at + 1), source.size());
    const string_view segment = source.substr(at + 1, end - at - 1);
    if (segment == "*") {
      capture(PartKind::tail, "splat");
      has_tail = end == source.size();
    } else if (segment.size() > 1 && segment[0] == ':') {
      writer.literal("/");
      capture(PartKind::segment, segment.substr(1));
    } else {
      writer.literal("/");
      for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '*') {
          writer.literal(segment.substr(i, 1));
        } else {
          capture(PartKind::splat, "splat");
        }
      }
    }
    at = end;
  }
  if (!has_tail) {
    // "/" is itself; of others, the slash at the end is no part.
    if (source == "/") {
      writer.parts.clear();
      writer.literal("/");
    } else {
      writer.parts.push_back({PartKind::end_slash, "", no_capture});
    }
  }
  why = writer.trouble();
  return std::move(writer.parts);
}

}  // namespace http::site
