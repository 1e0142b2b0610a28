// SPDX-License-Identifier: ISC
#include "http/url.hpp"

#include <algorithm>
#include <vector>

#include "http/authority.hpp"
#include "http/syntax.hpp"
#include "http/target.hpp"

namespace http {
namespace {

using std::string_view;

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter(char c) { return small(c) >= 'a' && small(c) <= 'z'; }

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = small(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

void append_escape(std::string& out, char c) {
  constexpr string_view hexadecimal = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += hexadecimal[byte >> 4U];
  out += hexadecimal[byte & 15U];
}

// What browsers escape in a path or a query; other bytes they send as they are.
std::string escaped(string_view text, string_view more) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || more.find(c) != string_view::npos) {
      append_escape(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

// Without the blanks around it, and without tabs and line ends anywhere.
std::string cleaned(string_view reference) {
  auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!reference.empty() && is_blank(reference.front())) reference.remove_prefix(1);
  while (!reference.empty() && is_blank(reference.back())) reference.remove_suffix(1);
  std::string out;
  for (const char c : reference) {
    if (c != '\t' && c != '\n' && c != '\r') out += c;
  }
  return out;
}

// The scheme in front of "scheme:"; empty: there is none.
std::string scheme_of(string_view text) {
  if (text.empty() || !is_letter(text[0])) return {};
  std::string scheme;
  for (const char c : text) {
    if (c == ':') return scheme;
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return {};
    scheme += small(c);
  }
  return {};
}

bool is_single_dot(string_view segment) {
  return segment == "." || without_escapes(segment) == ".";
}
bool is_double_dot(string_view segment) { return without_escapes(segment) == ".."; }

// Dots are resolved; empty segments stay, as in the standard.
std::string without_dots(string_view path) {
  std::vector<string_view> segments;
  bool ends_in_slash = false;
  for (path.remove_prefix(path.starts_with('/') ? 1 : 0);;) {
    const std::size_t slash = path.find('/');
    const string_view segment = path.substr(0, slash);
    const bool is_last = slash == string_view::npos;
    const bool has_dots = segment.size() <= 6 && segment.find_first_of(".%") != string_view::npos;
    ends_in_slash = false;
    if (has_dots && is_double_dot(segment)) {
      if (!segments.empty()) segments.pop_back();
      ends_in_slash = true;
    } else if (has_dots && is_single_dot(segment)) {
      ends_in_slash = true;
    } else {
      segments.push_back(segment);
    }
    if (is_last) break;
    path.remove_prefix(slash + 1);
  }
  if (ends_in_slash) segments.emplace_back();
  std::string out;
  for (const string_view segment : segments) out.append("/").append(segment);
  return out.empty() ? "/" : out;
}

// Splits "path?query#fragment" into `url`. Returns the path as it is written.
string_view split(string_view text, Url& url) {
  const std::size_t hash = text.find('#');
  if (hash != string_view::npos) {
    url.fragment = text.substr(hash + 1);
    url.has_fragment = true;
    text = text.substr(0, hash);
  }
  const std::size_t mark = text.find('?');
  if (mark != string_view::npos) {
    url.query = escaped(text.substr(mark), "\"#<>'");
    text = text.substr(0, mark);
  }
  return text;
}

}  // namespace

std::string without_escapes(string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? value_of(text[i + 1]) : -1;
    const int low = high >= 0 ? value_of(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string path_of(string_view key) {
  std::string path = "/";
  for (const char c : key) {
    if (http::is_plain_in_path(c)) {
      path += c;
    } else {
      append_escape(path, c);
    }
  }
  return path;
}

Url resolve(const Url& base, string_view reference) {
  constexpr string_view of_paths = "\"#<>?`{}^";
  std::string text = cleaned(reference);
  Url url;
  url.scheme = scheme_of(text);
  if (!url.scheme.empty() && !url.is_http()) return url;
  string_view rest = text;
  rest.remove_prefix(url.scheme.empty() ? 0 : url.scheme.size() + 1);
  const bool is_absolute = !url.scheme.empty();
  if (url.scheme.empty()) url.scheme = base.scheme;
  // Up to the query a backslash is a slash.
  const std::size_t path_bytes = std::min(rest.find_first_of("?#"), rest.size());
  std::ranges::replace(
      text.begin() + static_cast<std::ptrdiff_t>(text.size() - rest.size()),
      text.begin() + static_cast<std::ptrdiff_t>(text.size() - rest.size() + path_bytes), '\\',
      '/');
  if (rest.starts_with("//") || (is_absolute && url.scheme != base.scheme)) {
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    std::string authority(rest.substr(0, rest.find_first_of("/?#")));
    rest.remove_prefix(authority.size());
    for (char& c : authority) c = small(c);
    authority.erase(0, authority.rfind('@') == std::string::npos ? 0 : authority.rfind('@') + 1);
    const string_view standard_port = url.scheme == "http" ? ":80" : ":443";
    if (authority.ends_with(standard_port)) {
      authority.erase(authority.size() - standard_port.size());
    }
    url.authority = authority;
    url.path = without_dots(escaped(split(rest, url), of_paths));
    return url;
  }
  url.authority = base.authority;
  const string_view path = split(rest, url);
  if (path.starts_with('/')) {
    url.path = without_dots(escaped(path, of_paths));
  } else if (path.empty()) {
    url.path = base.path;
    if (url.query.empty() && rest.find('?') == string_view::npos) url.query = base.query;
  } else {
    url.path =
        without_dots(base.path.substr(0, base.path.rfind('/') + 1) + escaped(path, of_paths));
  }
  return url;
}

std::optional<Url> parse_url(string_view text) {
  const std::string scheme = scheme_of(text);
  const bool is_http = scheme == "http" || scheme == "https";
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; };
  if (!is_http || !std::ranges::all_of(text, is_visible)) return std::nullopt;
  const string_view rest = text.substr(scheme.size() + 1);
  if (!rest.starts_with("//") || rest.starts_with("///")) return std::nullopt;
  const string_view authority = rest.substr(2, rest.find_first_of("/?#", 2) - 2);
  if (authority.find('@') != string_view::npos) return std::nullopt;
  Url base;
  base.scheme = scheme;
  Url url = resolve(base, text);
  if (!origin_of(url)) return std::nullopt;
  return url;
}

std::optional<Origin> origin_of(const Url& url) {
  const std::optional<Authority> authority = parse_authority(url.authority);
  if (!url.is_http() || !authority || authority->host.empty()) return std::nullopt;
  string_view host = authority->host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const bool is_secure = url.scheme == "https";
  std::uint64_t port = is_secure ? 443 : 80;
  if (!authority->port.empty()) port = parse_decimal(authority->port).value_or(0);
  if (port == 0 || port > 65535) return std::nullopt;
  return Origin{std::string(host), static_cast<std::uint16_t>(port), is_secure};
}

}  // namespace http
