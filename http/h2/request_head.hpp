// SPDX-License-Identifier: ISC
// http/h2/request_head.hpp: a request's head, put together from the fields of a HEADERS frame.
//
// States:      RequestHead.   Used by: http/h2/stream.
// Kept:        what http::Request has room for; other fields are only counted. Lines are kept as
//              HTTP/1.1 has them, since lists may be spread over several (FieldLines).
// Refused:     what is over the limits of Options (414, 431), and what RFC 9113 section 8.3.1 calls
//              malformed and nghttp2 does not look at: an authority that is none, a Host that says
//              otherwise (400).
// May include: std, http's pure parts, http/h2/budget.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/h2/budget.hpp"
#include "http/options.hpp"
#include "http/request.hpp"
#include "http/status.hpp"

namespace http::h2 {

class RequestHead {
 public:
  explicit RequestHead(Allowance& allowance) noexcept : allowance_(allowance) {}
  ~RequestHead();
  RequestHead(const RequestHead&) = delete;
  RequestHead& operator=(const RequestHead&) = delete;

  // One field, pseudo-fields included; its name is in small letters and valid, as is its value.
  void take(std::string_view name, std::string_view value, const Options& options) noexcept;
  // All fields were taken; is to be called once. Answers why it is refused, if it is.
  [[nodiscard]] std::optional<Status> finish(const Options& options) noexcept;

  // What there is of it; whole after finish().
  [[nodiscard]] const Request& request() const noexcept { return request_; }
  [[nodiscard]] std::string_view authority() const noexcept { return request_.value(Field::host); }
  // A buffer for the key: lookup_slack bytes more than the target. After finish().
  [[nodiscard]] std::span<char> key() const noexcept { return key_; }
  // The client says how urgent it is.
  [[nodiscard]] bool has_priority() const noexcept { return has_priority_; }

 private:
  static constexpr std::size_t inline_bytes = 1024;

  void take_pseudo(std::string_view name, std::string_view value) noexcept;
  void take_cookie(std::string_view value) noexcept;
  [[nodiscard]] bool add(Field field, std::string_view name, std::string_view value) noexcept;
  [[nodiscard]] std::optional<Status> settle_authority() noexcept;
  void read_expectations() noexcept;
  // Appends to the buffer; empty, with a failure noted: there is no memory.
  [[nodiscard]] std::string_view keep(std::string_view text) noexcept;
  [[nodiscard]] bool make_room(std::size_t bytes) noexcept;

  Allowance& allowance_;
  Request request_;
  std::string_view authority_;
  std::string_view scheme_;
  std::span<char> key_;
  std::size_t size_ = 0;         // of the buffer's part that is used
  std::size_t lines_begin_ = 0;  // where the fields begin in it
  std::size_t capacity_ = inline_bytes;
  std::size_t list_bytes_ = 0;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts
  std::size_t field_count_ = 0;
  std::unique_ptr<char[]> large_;
  std::optional<Status> refusal_;
  bool has_priority_ = false;
  char small_[inline_bytes];
};

}  // namespace http::h2
