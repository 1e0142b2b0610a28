// SPDX-License-Identifier: ISC
#include "http/conditions.hpp"

#include <cstring>
#include <optional>

#include "http/date.hpp"
#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

bool is_any(const Request& request, Field field) { return request.value(field) == "*"; }

bool is_tag_of(string_view tag, const kv::Digest& digest) {
  return tag.size() == digest.size() && std::memcmp(tag.data(), digest.data(), digest.size()) == 0;
}

// An accepted encoding whose tag the field lists; the best of them, if that is one.
std::optional<kv::Encoding> listed(const Request& request, Field field, const kv::Stat& stat,
                                   const Offer& offer, bool weak) {
  std::optional<kv::Encoding> found;
  FieldLines lines(request, field);
  for (string_view line; lines.next(line);) {
    bool is_weak = false;
    for (string_view tag; next_etag(line, tag, is_weak);) {
      if (tag.size() != kv::Digest{}.size() || (is_weak && !weak)) continue;
      if (is_tag_of(tag, stat.form(offer.best).digest)) return offer.best;
      for (std::size_t i = 0; i < kv::encoding_count; ++i) {
        auto encoding = static_cast<kv::Encoding>(i);
        if (offer.has(encoding) && is_tag_of(tag, stat.form(encoding).digest)) found = encoding;
      }
    }
  }
  return found;
}

// The date in a field that has one; nothing where it has none, or has two, or we have no date to
// hold against it: then it is to be ignored.
std::optional<std::int64_t> date_in(const Request& request, Field field, const kv::Stat& stat,
                                    std::int64_t now_s) {
  if (!request.has(field) || request.repeats(field) || !is_modification_time(stat.modified_s)) {
    return std::nullopt;
  }
  return parse_date(request.value(field), now_s);
}

// Steps 1 and 2: may this go on? 3 and 4: is what the client has still good?
Verdict preconditions(const Request& request, const kv::Stat& stat, const Offer& offer,
                      std::int64_t now_s, kv::Encoding& encoding) {
  if (request.has(Field::if_match)) {
    auto match = listed(request, Field::if_match, stat, offer, false);
    if (!match && !is_any(request, Field::if_match)) return Verdict::failed;
    if (match) encoding = *match;
  } else if (auto date = date_in(request, Field::if_unmodified_since, stat, now_s)) {
    if (stat.modified_s > *date) return Verdict::failed;
  }
  if (request.has(Field::if_none_match)) {
    auto match = listed(request, Field::if_none_match, stat, offer, true);
    if (match) encoding = *match;
    if (match || is_any(request, Field::if_none_match)) return Verdict::not_modified;
  } else if (auto date = date_in(request, Field::if_modified_since, stat, now_s)) {
    // Only the very date that was said: an older image put back has older files, and a browser
    // must not keep the newer ones. (RFC 9110 section 13.1.3 lets a server compare so.)
    if (stat.modified_s == *date) return Verdict::not_modified;
  }
  return Verdict::proceed;
}

// Step 5. Ranges are of the identity, which they have been measured in by whoever knows the file,
// unless If-Range names another representation or the client does not accept identity.
void select_range(const Request& request, const kv::Stat& stat, const Offer& offer,
                  std::int64_t now_s, Selection& selection) {
  kv::Encoding plain =
      offer.has(kv::Encoding::identity) ? kv::Encoding::identity : selection.encoding;
  if (!request.has(Field::if_range)) {
    bool is_named = request.has(Field::if_match) && !is_any(request, Field::if_match);
    selection.range_encoding = is_named ? selection.encoding : plain;
    selection.ranges_apply = true;
    return;
  }
  if (request.repeats(Field::if_range)) return;
  string_view value = request.value(Field::if_range), tag;
  bool is_weak = false;
  if (value.starts_with('"')) {
    // One tag: a list is malformed (section 13.1.5).
    if (!next_etag(value, tag, is_weak) || !value.empty()) return;
    auto match = listed(request, Field::if_range, stat, offer, false);
    selection.ranges_apply = match.has_value();
    if (match) selection.range_encoding = *match;
    return;
  }
  // A date is a strong validator only once its second is over (section 8.8.2.2).
  auto date = date_in(request, Field::if_range, stat, now_s);
  selection.ranges_apply = date && *date == stat.modified_s && *date < now_s;
  selection.range_encoding = plain;
}

}  // namespace

bool next_etag(string_view& list, string_view& tag, bool& is_weak) noexcept {
  while (!list.empty() && (is_space(list.front()) || list.front() == ',')) list.remove_prefix(1);
  is_weak = list.starts_with("W/");
  if (is_weak) list.remove_prefix(2);
  if (!list.starts_with('"')) return false;
  std::size_t end = list.find('"', 1);
  if (end == string_view::npos) return false;
  tag = list.substr(1, end - 1);
  list.remove_prefix(end + 1);
  return true;
}

Selection select(const Request& request, const kv::Stat& stat, const Offer& offer,
                 std::int64_t now_s) noexcept {
  Selection selection;
  selection.encoding = offer.best;
  selection.verdict = preconditions(request, stat, offer, now_s, selection.encoding);
  if (selection.verdict == Verdict::proceed && request.method == Method::get &&
      request.has(Field::range) && !request.repeats(Field::range)) {
    select_range(request, stat, offer, now_s, selection);
  }
  return selection;
}

}  // namespace http
