// SPDX-License-Identifier: ISC
// http/site/plan.hpp: a site's rules as one value without addresses: made when the site is built,
// kept in its store under plan_key, read where it lies.
//
// Layout:  Header, then an array for each kind of record in the order of the header's counts, then
//          texts. Little-endian; spans count records, slices count bytes of the texts.
// Law:     Plan::open checks every span and slice once; nothing read later can lie outside. A value
//          that is not this format, cut or changed is refused there, never at a request.
// Writer:  http/site/assemble.cpp.   Change both together, and `plan_magic` with them.
// May include: base, std.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/bytes.hpp"

namespace http::site {

// The first segment of keys that no request can name, and the plan's key.
inline constexpr std::string_view own_folder = ".crunch";
inline constexpr std::string_view plan_key = ".crunch/plan";

// At a site's root these say things about it and are no part of it, also where no build has taken
// them out.
[[nodiscard]] constexpr bool is_about_site(std::string_view key) noexcept {
  return key == "_headers" || key == "_redirects" || key == "crunch.toml";
}
// What no address and no rule can name: those, and all in the server's own folder.
[[nodiscard]] constexpr bool is_reserved(std::string_view key) noexcept {
  return is_about_site(key) || key == own_folder ||
         (key.starts_with(own_folder) && key[own_folder.size()] == '/');
}

inline constexpr std::array<char, 8> plan_magic{'c', 'r', 'p', 'l', 'a', 'n', '0', '2'};
inline constexpr std::size_t captures_max = 8;
inline constexpr std::uint8_t no_capture = 0xFF;

enum class Dialect : std::uint8_t { none, cloudflare, netlify };
enum class CleanUrls : std::uint8_t { off, serve, automatic, slash, no_slash, exact, netlify };
enum class NotFound : std::uint8_t {
  page,       // the nearest 404.html
  root_page,  // the root's 404.html
  spa,        // 200.html or index.html, with 200
  none,
};

struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};
struct Range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

enum class PartKind : std::uint8_t {
  literal,
  segment,       // one byte or more, no '/'
  host_segment,  // nor '.'
  splat,         // any bytes, or none
  tail,          // nothing, or '/' and any bytes, which are what is captured
  end_slash,     // '/' or nothing, at the end
};
struct PartRecord {
  Slice text;
  PartKind kind = PartKind::literal;
  std::uint8_t capture = no_capture;
  std::uint16_t zero = 0;
};

// A text with captures put in: each piece is a literal, or one capture.
struct PieceRecord {
  Slice text;
  std::uint32_t capture = no_capture;
};

enum class ConditionKind : std::uint8_t {
  query_equals,
  query_captures,
  language,
  host,  // `name` is the scheme
};
struct ConditionRecord {
  Slice name;
  Slice value;  // languages: two letters each, without anything between
  ConditionKind kind = ConditionKind::query_equals;
  std::uint8_t capture = no_capture;
  std::uint16_t zero = 0;
};

struct RuleRecord {
  Slice literal;  // the path of a static rule; else empty, and `pattern` counts
  Range pattern;
  Range conditions;
  Range target;    // path and query, or the whole of an address elsewhere
  Range fragment;  // with its '#'
  std::uint32_t line = 0;
  std::uint16_t status = 0;
  std::uint8_t forced = 0;         // before files
  std::uint8_t elsewhere = 0;      // the target has a scheme
  std::uint8_t has_query = 0;      // the target's own
  std::uint8_t keeps_slashes = 0;  // "//" in the target is meant
  std::array<std::uint8_t, 2> zero{};
};

// Fields of ours that a block can take the place of.
enum class OwnField : std::uint8_t {
  none,
  cache_control,
  content_type,
  content_type_options,
  etag,
  last_modified,
  hsts,
  vary,  // theirs goes beside ours
};
enum class FieldAction : std::uint8_t { set, detach };
struct FieldRecord {
  Slice name;
  Range value;                // pieces
  std::uint32_t name_id = 0;  // equal names, in any case, have one
  FieldAction action = FieldAction::set;
  OwnField own = OwnField::none;
  std::uint8_t by_line = 0;  // Set-Cookie: never joined
  std::uint8_t zero = 0;
};
struct BlockRecord {
  Range pattern;  // of the path; with_host: of host and path
  Range fields;
  std::uint32_t line = 0;
  std::uint32_t with_host = 0;
};

// A user who may log in.
inline constexpr std::size_t digest_bytes = 32;
struct UserRecord {
  Slice name;
  Slice salt;
  Slice digest;  // SHA-256 of salt and password
};

// Addresses that ask for a name and a password (http/site/auth.hpp).
inline constexpr std::uint32_t all_sites = 0xFFFFFFFF;
enum class LockKind : std::uint8_t { path, host_and_path, exception };
struct LockRecord {
  Range pattern;
  Range users;
  std::uint32_t site = all_sites;  // or the number of one
  LockKind kind = LockKind::path;
  std::array<std::uint8_t, 3> zero{};
};

struct SiteRecord {
  Slice root;         // of its keys, with '/' at the end; empty: the store's
  Slice spa_page;     // a key
  Slice dialect_why;  // for people
  Range rules;
  Range dynamic;  // numbers of the rules that are no static ones, ascending
  Range slots;    // a hash table: 0, or 1 + a rule's number
  Range blocks;
  Dialect dialect = Dialect::none;
  CleanUrls clean_urls = CleanUrls::serve;
  NotFound not_found = NotFound::page;
  std::uint8_t zero = 0;
};

struct HostRecord {
  Slice name;  // in small letters
  std::uint32_t site = 0;
  std::uint32_t canonical = 0;  // the number of the host to redirect to; itself: serve
};

struct Header {
  std::array<char, 8> magic;
  std::uint32_t site_count, host_count, rule_count, number_count, part_count, piece_count;
  std::uint32_t condition_count, block_count, field_count, user_count, lock_count;
  std::uint32_t text_bytes;
  std::uint32_t flags;             // strict_hosts
  std::uint32_t fields_bytes_max;  // of the fields of any one address, captures apart
  Slice base;                      // "/project/": the site's place; empty: "/"
};
inline constexpr std::uint32_t strict_hosts = 1;

static_assert(std::is_trivially_copyable_v<SiteRecord> && alignof(Header) <= 8);

class Plan {
 public:
  // Nothing: `bytes` are no whole plan, or are not aligned to 8.
  [[nodiscard]] static std::optional<Plan> open(base::Bytes bytes) noexcept;

  [[nodiscard]] std::span<const SiteRecord> sites() const noexcept { return sites_; }
  [[nodiscard]] std::span<const HostRecord> hosts() const noexcept { return hosts_; }
  [[nodiscard]] std::span<const RuleRecord> rules() const noexcept { return rules_; }
  [[nodiscard]] std::span<const PartRecord> parts(Range r) const noexcept { return at(parts_, r); }
  [[nodiscard]] std::span<const PieceRecord> pieces(Range r) const noexcept {
    return at(pieces_, r);
  }
  [[nodiscard]] std::span<const ConditionRecord> conditions(Range r) const noexcept {
    return at(conditions_, r);
  }
  [[nodiscard]] std::span<const std::uint32_t> numbers(Range r) const noexcept {
    return at(numbers_, r);
  }
  [[nodiscard]] std::span<const BlockRecord> blocks(Range r) const noexcept {
    return at(blocks_, r);
  }
  [[nodiscard]] std::span<const FieldRecord> fields(Range r) const noexcept {
    return at(fields_, r);
  }
  [[nodiscard]] std::span<const UserRecord> users(Range r) const noexcept { return at(users_, r); }
  [[nodiscard]] std::span<const LockRecord> locks() const noexcept { return locks_; }
  [[nodiscard]] std::string_view text(Slice slice) const noexcept {
    return text_.substr(slice.offset, slice.size);
  }
  [[nodiscard]] const Header& header() const noexcept { return *header_; }

 private:
  template <class T>
  static std::span<const T> at(std::span<const T> all, Range r) noexcept {
    return all.subspan(r.first, r.count);
  }
  [[nodiscard]] bool is_sound() const noexcept;
  [[nodiscard]] bool is_sound(const SiteRecord& site) const noexcept;
  [[nodiscard]] bool is_sound(const RuleRecord& rule) const noexcept;

  const Header* header_ = nullptr;
  std::span<const SiteRecord> sites_;
  std::span<const HostRecord> hosts_;
  std::span<const RuleRecord> rules_;
  std::span<const std::uint32_t> numbers_;
  std::span<const PartRecord> parts_;
  std::span<const PieceRecord> pieces_;
  std::span<const ConditionRecord> conditions_;
  std::span<const BlockRecord> blocks_;
  std::span<const FieldRecord> fields_;
  std::span<const UserRecord> users_;
  std::span<const LockRecord> locks_;
  std::string_view text_;
};

// Where the search for a static rule begins: slot hash_of(path) modulo the count of slots, a power
// of two.
[[nodiscard]] constexpr std::uint32_t hash_of(std::string_view path) noexcept {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash ^ hash >> 15U;
}

}  // namespace http::site
