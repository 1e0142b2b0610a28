// SPDX-License-Identifier: ISC
#include "http/site/draft.hpp"

#include <algorithm>

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

std::string shown(string_view line) {
  constexpr std::size_t shown_bytes_max = 80;
  std::string out = "\"";
  for (const char c : line.substr(0, shown_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out + (line.size() > shown_bytes_max ? "...\"" : "\"");
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
  return std::move(writer.parts);
}

std::vector<Part> netlify_pattern(string_view source, bool for_headers,
                                  std::vector<std::string>& names, std::string& why) {
  PatternWriter writer(names);
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  bool has_splat = false, has_tail = false;
  for (std::size_t at = 0; at < source.size();) {
    // From here a segment with the '/' before it.
    const std::size_t end = std::min(source.find('/', at + 1), source.size());
    const string_view segment = source.substr(at + 1, end - at - 1);
    const bool is_last = end == source.size();
    // Of two stars the first is ":splat".
    const string_view splat = for_headers || has_splat ? string_view() : string_view("splat");
    if (segment == "*" && is_last) {
      writer.capture(PartKind::tail, splat);
      has_tail = true;
    } else if (segment.size() > 1 && segment[0] == ':') {
      writer.literal("/");
      writer.capture(PartKind::segment, for_headers ? string_view() : segment.substr(1));
    } else {
      writer.literal("/");
      for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '*') {
          writer.literal(segment.substr(i, 1));
        } else {
          writer.capture(PartKind::splat, has_splat ? string_view() : splat);
          has_splat = true;
        }
      }
    }
    has_splat = has_splat || segment.find('*') != string_view::npos;
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
