// SPDX-License-Identifier: ISC
#include "http/request.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "http/syntax.hpp"

namespace http {

namespace {

template <class Word>
Word word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Compares by words that overlap: `lower` is a literal, so that what is left is two or three loads
// and compares. Names are tokens, so that setting bit 5 makes letters small and leaves digits and
// '-' alone, and nothing else becomes one of these.
template <std::size_t N>
bool is(std::string_view name, const char (&lower)[N]) {
  constexpr std::size_t size = N - 1;
  using Word = std::conditional_t<(size >= 8), std::uint64_t, std::uint32_t>;
  static_assert(size >= sizeof(Word));
  constexpr auto bits = static_cast<Word>(0x2020202020202020U);
  Word different = 0;
  for (std::size_t at = 0; at + sizeof(Word) <= size; at += sizeof(Word)) {
    different |= (word_at<Word>(name.data() + at) | bits) ^ word_at<Word>(lower + at);
  }
  constexpr std::size_t last = size - sizeof(Word);
  return (different | ((word_at<Word>(name.data() + last) | bits) ^ word_at<Word>(lower + last))) ==
         0;
}

template <std::size_t N>
Field choose(std::string_view name, const char (&lower)[N], Field field) {
  return is(name, lower) ? field : Field::other;
}

}  // namespace

Method method_of(std::string_view text) noexcept {
  if (text == "GET") return Method::get;
  if (text == "HEAD") return Method::head;
  if (text == "OPTIONS") return Method::options;
  constexpr std::array refused{std::string_view{"POST"},    std::string_view{"PUT"},
                               std::string_view{"PATCH"},   std::string_view{"DELETE"},
                               std::string_view{"CONNECT"}, std::string_view{"TRACE"}};
  return std::ranges::find(refused, text) != refused.end() ? Method::refused : Method::unknown;
}

Field field_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return choose(name, "host", Field::host);
    case 5:
      return choose(name, "range", Field::range);
    case 6:
      return is(name, "cookie") ? Field::cookie : choose(name, "expect", Field::expect);
    case 7:
      return choose(name, "referer", Field::referer);
    case 8:
      return is(name, "if-match") ? Field::if_match : choose(name, "if-range", Field::if_range);
    case 10:
      return is(name, "user-agent") ? Field::user_agent
                                    : choose(name, "connection", Field::connection);
    case 13:
      return choose(name, "if-none-match", Field::if_none_match);
    case 14:
      return choose(name, "content-length", Field::content_length);
    case 15:
      return is(name, "accept-language") ? Field::accept_language
                                         : choose(name, "accept-encoding", Field::accept_encoding);
    case 17:
      return is(name, "if-modified-since")
                 ? Field::if_modified_since
                 : choose(name, "transfer-encoding", Field::transfer_encoding);
    case 19:
      return choose(name, "if-unmodified-since", Field::if_unmodified_since);
    default:
      return Field::other;
  }
}

std::string_view Request::line(std::string_view name) const noexcept {
  for (std::string_view rest = head; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    if (text.size() <= name.size() || text[name.size()] != ':') continue;
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (std::ranges::equal(text.substr(0, name.size()), name, {}, small)) {
      return trimmed(text.substr(name.size() + 1));
    }
  }
  return {};
}

bool FieldLines::next_in_head(std::string_view& value) noexcept {
  while (!rest_.empty()) {
    std::size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return false;
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    std::size_t colon = line.find(':');
    // The request line has a space before any colon, and no name of ours has.
    if (colon == std::string_view::npos || field_of(line.substr(0, colon)) != field_) continue;
    value = trimmed(line.substr(colon + 1));
    return true;
  }
  return false;
}

}  // namespace http
