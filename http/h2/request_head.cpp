// SPDX-License-Identifier: ISC
#include "http/h2/request_head.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>

#include "http/authority.hpp"
#include "http/lookup.hpp"
#include "http/scan.hpp"
#include "http/syntax.hpp"

namespace http::h2 {
namespace {

using std::string_view;

// RFC 9113 section 6.5.2: what a field counts beside its name and value.
constexpr std::size_t field_overhead = 32;

bool equal_in_any_case(string_view one, string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(one, other, {}, lower, lower);
}

}  // namespace

RequestHead::~RequestHead() {
  if (large_ != nullptr) allowance_.give(capacity_);
}

void RequestHead::take(string_view name, string_view value, const Options& options) noexcept {
  list_bytes_ += name.size() + value.size() + field_overhead;
  const bool is_pseudo = name.starts_with(':');
  if (!is_pseudo) ++field_count_;
  if (list_bytes_ > options.header_bytes_max || field_count_ > options.fields_max) {
    refusal_ = Status::fields_too_large;
  }
  if (refusal_) return;
  if (is_pseudo) {
    take_pseudo(name, value);
    return;
  }
  if (name == "priority") has_priority_ = true;
  if (name.size() > field_name_bytes_max) return;
  const Field field = field_of(name);
  if (field == Field::other) return;
  if (field == Field::cookie) {
    take_cookie(value);
  } else if (!add(field, name, value)) {
    refusal_ = Status::service_unavailable;
  }
}

void RequestHead::take_pseudo(string_view name, string_view value) noexcept {
  const string_view kept = keep(value);
  if (name == ":method") {
    request_.method_text = kept;
  } else if (name == ":path") {
    request_.target = kept;
  } else if (name == ":authority") {
    authority_ = kept;
  } else if (name == ":scheme") {
    scheme_ = kept;
  }
  lines_begin_ = size_;
}

// A client may send each pair in a field of its own (RFC 9113 section 8.2.3).
void RequestHead::take_cookie(string_view value) noexcept {
  if (!request_.has(Field::cookie)) {
    if (!add(Field::cookie, "cookie", value)) refusal_ = Status::service_unavailable;
    return;
  }
  const string_view before = request_.value(Field::cookie);
  const bool is_last =
      before.data() + before.size() + 2 == (large_ ? large_.get() : small_) + size_;
  if (!is_last) {
    // Another field came between: the whole once more.
    if (!make_room(before.size() + value.size() + 16)) return;
    static_cast<void>(keep("cookie: "));
    const string_view again = keep(request_.value(Field::cookie));
    request_.values[static_cast<std::size_t>(Field::cookie)] = again;
  } else {
    size_ -= 2;
  }
  if (!make_room(value.size() + 4)) return;
  const string_view start = request_.value(Field::cookie);
  static_cast<void>(keep("; "));
  static_cast<void>(keep(value));
  static_cast<void>(keep("\r\n"));
  request_.values[static_cast<std::size_t>(Field::cookie)] = {start.data(),
                                                              start.size() + 2 + value.size()};
}

bool RequestHead::add(Field field, string_view name, string_view value) noexcept {
  if (!make_room(name.size() + value.size() + 4)) return false;
  static_cast<void>(keep(name));
  static_cast<void>(keep(": "));
  const string_view kept = keep(value);
  static_cast<void>(keep("\r\n"));
  const std::uint16_t bit = Request::bit(field);
  if (request_.has(field)) {
    request_.repeated = static_cast<std::uint16_t>(request_.repeated | bit);
  } else {
    request_.present = static_cast<std::uint16_t>(request_.present | bit);
    request_.values[static_cast<std::size_t>(field)] = trimmed(kept);
  }
  return true;
}

string_view RequestHead::keep(string_view text) noexcept {
  if (!make_room(text.size())) return {};
  char* at = (large_ ? large_.get() : small_) + size_;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  size_ += text.size();
  return {at, text.size()};
}

// Views into the buffer move with it.
bool RequestHead::make_room(std::size_t bytes) noexcept {
  if (bytes <= capacity_ - size_) return true;
  const std::size_t capacity = std::max(2 * capacity_, size_ + bytes);
  char* const old = large_ ? large_.get() : small_;
  std::unique_ptr<char[]> larger;
  if (allowance_.take(capacity)) {
    larger.reset(new (std::nothrow) char[capacity]);
    if (larger == nullptr) allowance_.give(capacity);
  }
  if (larger == nullptr) {
    refusal_ = Status::service_unavailable;
    return false;
  }
  std::memcpy(larger.get(), old, size_);
  const auto move = [&](string_view& view) {
    if (!view.empty()) view = {larger.get() + (view.data() - old), view.size()};
  };
  for (string_view* view : {&request_.method_text, &request_.target, &authority_, &scheme_}) {
    move(*view);
  }
  for (std::size_t i = 0; i < field_count; ++i) {
    if (request_.has(static_cast<Field>(i))) move(request_.values[i]);
  }
  if (large_ != nullptr) allowance_.give(capacity_);
  large_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

std::optional<Status> RequestHead::finish(const Options& options) noexcept {
  request_.method = method_of(request_.method_text);
  request_.keep_alive = true;
  // CONNECT has no path (RFC 9113 section 8.5); as HTTP/1.1 has it, its target is the authority.
  if (request_.target.empty()) request_.target = authority_;
  if (!refusal_) refusal_ = settle_authority();
  if (!refusal_ && request_.target.size() > options.target_bytes_max) {
    refusal_ = Status::uri_too_long;
  }
  if (!refusal_ && make_room(request_.target.size() + lookup_slack)) {
    key_ = {(large_ ? large_.get() : small_) + size_, capacity_ - size_};
    key_ = key_.first(request_.target.size() + lookup_slack);
  }
  request_.head = {(large_ ? large_.get() : small_) + lines_begin_, size_ - lines_begin_};
  if (refusal_) return refusal_;
  if (!is_ascii(request_.target)) return Status::bad_request;
  if (auto length = parse_decimal(request_.value(Field::content_length));
      length && request_.has(Field::content_length)) {
    request_.content_length = *length;
  }
  read_expectations();
  return std::nullopt;
}

// The authority stands in Host's place.
std::optional<Status> RequestHead::settle_authority() noexcept {
  constexpr auto host = static_cast<std::size_t>(Field::host);
  const bool is_connect = scheme_.empty();
  if (!is_connect && !equal_in_any_case(scheme_, "https") && !equal_in_any_case(scheme_, "http")) {
    return Status::bad_request;
  }
  if (request_.repeats(Field::host)) return Status::bad_request;
  if (!authority_.empty()) {
    if (request_.has(Field::host) && !equal_in_any_case(request_.values[host], authority_)) {
      return Status::bad_request;
    }
    request_.values[host] = authority_;
    request_.present = static_cast<std::uint16_t>(request_.present | Request::bit(Field::host));
  }
  if (!parse_authority(request_.value(Field::host))) return Status::bad_request;
  return std::nullopt;
}

void RequestHead::read_expectations() noexcept {
  if (!request_.has(Field::expect)) return;
  FieldLines lines(request_, Field::expect);
  for (string_view line; lines.next(line);) {
    for (string_view element; next_element(line, element);) {
      const bool known = equals_ignoring_case(element, "100-continue");
      (known ? request_.expects_continue : request_.expects_more) = true;
    }
  }
}

}  // namespace http::h2
