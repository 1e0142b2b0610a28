// SPDX-License-Identifier: ISC
// http/head.hpp: the fields that describe one representation.
//
// Parts:   validators  ETag, Cache-Control, [Vary], [Last-Modified]: what a 304 repeats (RFC 9110
//                      section 15.4.5)
//          type        Content-Type
//          middle      [Content-Encoding], Accept-Ranges, X-Content-Type-Options
//          length      Content-Length
//          What belongs to an answer and not to the representation (status line, Date, Connection)
//          is the server's. A site may add fields of its own (kv::Head::fields).
// Used by: crunch/embed, which stores them as kv::Form::head; http/respond, which makes those that
//          a store lacks.
// May include: std, kv/{kv,field_pool}.hpp, http/{caching,mime,date,writer}.

#pragma once

#include <cstdint>
#include <string_view>

#include "kv/field_pool.hpp"
#include "kv/kv.hpp"

namespace http {

struct HeadOf {
  std::string_view key;
  kv::Encoding encoding = kv::Encoding::identity;
  kv::Digest digest{};
  std::uint64_t size_bytes = 0;
  std::int64_t modified_s = 0;  // left out unless it is_modification_time
  bool varies = false;          // the value has more than one representation
  // What Content-Type and Cache-Control say; empty: what the key's name says.
  std::string_view type = {};
  std::string_view caching = {};
};

enum class HeadPart : std::uint8_t { validators, type, middle, length };

// Takes fields one after another; the texts stand only during the call.
class FieldTaker {
 public:
  virtual void take(HeadPart part, std::string_view name, std::string_view value) = 0;

 protected:
  ~FieldTaker() = default;
};

// Gives all fields of `head`, part after part. Allocates nothing.
void describe(const HeadOf& head, FieldTaker& taker);

// The same, to be stored.
[[nodiscard]] kv::HeadFields make_head(const HeadOf& head);

inline constexpr std::string_view etag_name = "ETag";
inline constexpr std::string_view last_modified_name = "Last-Modified";
inline constexpr std::string_view accept_ranges_name = "Accept-Ranges";
inline constexpr std::string_view content_type_name = "Content-Type";

// Fields that a page about something else does not have: it is neither revalidated nor cut.
[[nodiscard]] constexpr bool is_of_the_value(std::string_view name) {
  return name == etag_name || name == last_modified_name || name == accept_ranges_name;
}

}  // namespace http
