// SPDX-License-Identifier: ISC
// kv/kv.hpp: the concept of a read-only key-value store.
//
// States:   Source, KvRo and parts.   Modelled by: all folders of kv/.   Used by: http/server.hpp.
// May include: base, kv/fields.hpp.
// Source:   the shape follows MirageOS's Mirage_kv.RO. Ours adds encodings (one value, several
//           representations of it, RFC 9110 section 8.4) and answers size, digest and time in one
//           `stat`.

#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "kv/fields.hpp"

namespace kv {

using base::Bytes;

// A path: segments joined by '/'. Normal form: no leading or trailing '/', no empty, "." or ".."
// segment; the root is "". http/target.hpp makes normal Keys from request targets.
using Key = std::string_view;

// Why a store had no answer. Expected in normal service; never logged as a fault.
enum class Error : std::uint8_t {
  not_found,            // nothing has this key
  value_expected,       // the key names a dictionary, not a value
  dictionary_expected,  // the key names a value, not a dictionary
  unavailable,          // the medium failed; the same call may work later
};

// What a key names.
enum class Kind : std::uint8_t { value, dictionary };

// How a value's bytes are coded: the content codings of RFC 9110 section 8.4.1 that the server
// speaks.
enum class Encoding : std::uint8_t { identity, gzip, br, zstd };
inline constexpr std::size_t encoding_count = 4;
[[nodiscard]] constexpr std::size_t index_of(Encoding e) { return static_cast<std::size_t>(e); }

// The content coding's registered name; "identity" for none.
[[nodiscard]] constexpr std::string_view name_of(Encoding e) {
  constexpr std::array<std::string_view, encoding_count> names{"identity", "gzip", "br", "zstd"};
  return names[index_of(e)];
}

// What no other bytes have, in hexadecimal: most often the first 16 bytes of their SHA-256.
using Digest = std::array<char, 32>;

// One representation of a value.
struct Form {
  std::uint64_t size_bytes = 0;
  Digest digest{};
  Head head;  // made when the store was filled, as http/head.hpp says; opaque to stores
};

// What is known about a value without reading it.
struct Stat {
  std::int64_t modified_s = 0;  // seconds since 1970-01-01 UTC
  std::array<Form, encoding_count> forms{};
  std::uint8_t encodings = 0;  // bit i: forms[i] is there; identity always is

  [[nodiscard]] constexpr bool has(Encoding e) const { return (encodings >> index_of(e)) & 1U; }
  [[nodiscard]] constexpr const Form& form(Encoding e) const { return forms[index_of(e)]; }
  constexpr void set(Encoding e, const Form& form) {
    forms[index_of(e)] = form;
    encodings = static_cast<std::uint8_t>(encodings | (1U << index_of(e)));
  }
};

// One name in a dictionary: the last segment only.
struct Entry {
  std::string name;
  Kind kind = Kind::value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

template <class T>
using Result = base::Result<T, Error>;

// The concept is split into named parts so that a compiler can say which one a type lacks.
template <class S>
concept HasExists = requires(S& store, Key key) {
  { store.exists(key) } -> base::AwaitableOf<Result<Kind>>;
};

template <class S>
concept HasStat = requires(S& store, Key key) {
  { store.stat(key) } -> base::AwaitableOf<Result<Stat>>;
};

// `Value` owns or borrows bytes and converts to Bytes.
template <class S>
concept HasGetPartial = requires(S& store, Key key, Encoding encoding, std::uint64_t n) {
  typename S::Value;
  requires std::convertible_to<const typename S::Value&, Bytes>;
  requires std::movable<typename S::Value>;
  { store.get_partial(key, encoding, n, n) } -> base::AwaitableOf<Result<typename S::Value>>;
};

template <class S>
concept HasGet = requires(S& store, Key key, Encoding encoding) {
  { store.get(key, encoding) } -> base::AwaitableOf<Result<typename S::Value>>;
};

template <class S>
concept HasList = requires(S& store, Key key) {
  { store.list(key) } -> base::AwaitableOf<Result<std::vector<Entry>>>;
};

// How a store wants to be read: `values_last` says that a Value's bytes live as long as the store
// (.rodata: a stack may send them by reference); `piece_bytes_max` is the most that one get_partial
// should ask for, so that a store that copies never holds a large value whole.
template <class S>
concept HasReadingAdvice = requires {
  { S::values_last } -> std::convertible_to<bool>;
  { S::piece_bytes_max } -> std::convertible_to<std::uint64_t>;
};

// What values are served from: the part of a read-only store that http::Server asks for. Laws 1 to
// 9, as far as they are about it.
template <class S>
concept Source = HasStat<S> && HasGetPartial<S> && HasReadingAdvice<S>;

// A read-only store.
//
// The laws, which no compiler checks and tests/kv/laws_test.cpp does, by number, on every store:
//    1. A leading '/' is ignored.
//    2. exists(k) is `value` exactly when stat(k) and get(k, identity) succeed, and `dictionary`
//       exactly when list(k) does. The root "" is a dictionary, in an empty store too.
//    3. stat and get of a dictionary are value_expected; list of a value is dictionary_expected.
//    4. A key below a value ("index.html/x") is not_found, as is every key that is not normal (law
//       1 apart): no such string reaches anything outside the store.
//    5. stat(k).form(e).size_bytes is the size of get(k, e). get of an encoding that stat lacks is
//       not_found.
//    6. get_partial(k, e, o, n) is bytes [o, o+n) of get(k, e), cut at its end; from an offset at
//       or past the end it is empty, not an error. Sums that overflow are no exception.
//    7. Equal digests mean equal bytes; stat has identity for every value.
//    8. list is sorted by name (bytes, unsigned), without duplicates, each name one segment.
//    9. A Value's bytes do not change or move while the Value and the store live.
// A store that never waits returns base::Ready, which costs no coroutine frame.
template <class S>
concept KvRo = Source<S> && HasExists<S> && HasGet<S> && HasList<S>;

}  // namespace kv
