// SPDX-License-Identifier: ISC
// kv/rw.hpp: the concept of a store that is changed one key at a time.
//
// States:   KvRw, ChangeError, is_vault_key and the limits of every vault.
// Modelled by: kv/vault (a block device), kv/directory/writable.hpp (a directory of Unix).
// Used by:  config/parts, crunch/disk.   May include: base, kv/kv.hpp, kv/key.hpp.
// Source:   the shape follows MirageOS's Mirage_kv.RW; what a loss of power leaves is ours.

#pragma once

#include <algorithm>

#include "base/wipe.hpp"
#include "kv/key.hpp"
#include "kv/kv.hpp"

namespace kv {

// A secret value, or a part of it: wiped when it goes.
class SecretValue {
 public:
  SecretValue() = default;
  // `part` lies in `whole`.
  SecretValue(base::SecretBytes whole, Bytes part) : whole_(std::move(whole)), part_(part) {}
  operator Bytes() const noexcept { return part_; }  // NOLINT: as kv::HasGetPartial has it

 private:
  base::SecretBytes whole_;
  Bytes part_;
};

// Why a change was not made.
enum class ChangeError : std::uint8_t {
  bad_key,      // not is_vault_key(): nothing was changed
  too_large,    // the value has more than vault_value_bytes_max: nothing was changed
  conflict,     // the key names a dictionary, or lies below a value: nothing was changed
  not_found,    // remove: there is no such value
  full,         // there is no room beside the old value: nothing was changed
  unavailable,  // the medium failed, or is read-only: see law 13
};

template <class T>
using ChangeResult = base::Result<T, ChangeError>;

inline constexpr std::size_t vault_key_bytes_max = 200;
inline constexpr std::size_t vault_value_bytes_max = std::size_t{1} << 20U;

// The keys that can be written: segments of letters, digits, '-', '_' and '.', joined by '/', that
// do not start with '.'. So a key is a file's name everywhere, and is printed as it is.
[[nodiscard]] constexpr bool is_vault_key(Key key) {
  constexpr auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  return !key.empty() && key.size() <= vault_key_bytes_max && is_normal(key) &&
         std::ranges::all_of(key, is_plain) && !key.starts_with('.') && key.find("/.") == Key::npos;
}

// The same in words, for messages.
inline constexpr std::string_view vault_key_rule =
    "a key is up to 200 letters, digits, '-', '_', '.' and '/', and no part of it starts with '.'";

// A store that is changed. Laws 1 to 9 are KvRo's, of what the changes left; the others are tested
// by tests/kv/rw_laws.hpp on every model, 13 and 14 also by tests/kv/vault_power_test.cpp:
//   10. After set(k, v) has succeeded, k has the value v, also after a restart. A leading '/' is
//       ignored.
//   11. After remove(k) has succeeded, there is no k, and no dictionary that held nothing else.
//       There is nothing to remove: not_found; k is a dictionary: conflict.
//   12. A change that fails otherwise than by `unavailable` has changed nothing. set of a key that
//       is not is_vault_key() is bad_key, of more than vault_value_bytes_max bytes too_large; of a
//       dictionary, or of a key below a value, conflict.
//   13. After `unavailable`, and after a loss of power during a change, the key has its old value
//       or its new one, whole; all other keys have theirs.
//   14. What was flushed or answered once is never lost by a change that fails later.
//   15. Changes and reads that overlap take turns in the order of their calls. A Value that was
//       read before a change keeps its bytes (law 9).
//   16. After a change was abandoned (its coroutine destroyed), all later ones are `unavailable`.
// Values are secrets: a model wipes every copy in memory that it is done with.
template <class S>
concept KvRw = KvRo<S> && requires(S& store, Key key, Bytes value) {
  { store.set(key, value) } -> base::AwaitableOf<ChangeResult<void>>;
  { store.remove(key) } -> base::AwaitableOf<ChangeResult<void>>;
};

}  // namespace kv
