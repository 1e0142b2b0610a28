// SPDX-License-Identifier: ISC
#include "http/request.hpp"

#include "http/syntax.hpp"

namespace http {

namespace {

// Names are tokens, so that setting bit 5 makes letters small and leaves digits and '-' alone, and
// nothing else becomes one of these.
bool is(std::string_view name, std::string_view lower) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    difference |= static_cast<unsigned char>(name[i] | 0x20) ^ static_cast<unsigned char>(lower[i]);
  }
  return difference == 0;
}

Field choose(std::string_view name, std::string_view lower, Field field) {
  return is(name, lower) ? field : Field::other;
}

}  // namespace

Field field_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return choose(name, "host", Field::host);
    case 5:
      return choose(name, "range", Field::range);
    case 6:
      return choose(name, "expect", Field::expect);
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
      return choose(name, "accept-encoding", Field::accept_encoding);
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

bool FieldLines::next(std::string_view& value) noexcept {
  if (has_only_) {
    has_only_ = false;
    value = only_;
    return true;
  }
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
