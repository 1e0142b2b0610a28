// SPDX-License-Identifier: ISC
// kv/reading.hpp: reads that belong to one version of a store's content.
//
// States:  Versioned, Reading, begin_reading, stat, get_partial.
// Used by: http/server.hpp, which begins a reading when a request's head is complete, and by stores
//          over other stores.   May include: kv/kv.hpp.
//
// A store that never changes has no type Reading: its handle is empty and costs nothing. One whose
// content changes holds in its handle what ties a request's calls together: what stat answered, or
// the version that the site had.

#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "kv/kv.hpp"

namespace kv {

// The laws, beside those of kv/kv.hpp, which tests/kv/reading_laws.hpp checks on every store:
//    1. Within a reading, get_partial of a key gives bytes of the value that the reading's last
//       stat of that key described, or fails with unavailable. It never mixes two values.
//    2. A reading does not change what another one sees.
//    3. A key that the reading has not asked stat for is read as it is now.
//    4. When its handle is destroyed, the store keeps nothing of a reading.
template <class S>
concept Versioned = requires(S& store, typename S::Reading& reading, Key key, Encoding encoding,
                             std::uint64_t n) {
  { store.reading() } -> std::same_as<typename S::Reading>;
  requires std::movable<typename S::Reading>;
  { store.stat(reading, key) } -> base::AwaitableOf<Result<Stat>>;
  {
    store.get_partial(reading, key, encoding, n, n)
    } -> base::AwaitableOf<Result<typename S::Value>>;
};

struct NoReading {};

template <class S>
struct ReadingOf {
  using Type = NoReading;
};
template <Versioned S>
struct ReadingOf<S> {
  using Type = typename S::Reading;
};
// Holds a reference to nothing but the store, which outlives it.
template <class S>
using Reading = typename ReadingOf<S>::Type;

template <Source S>
[[nodiscard]] Reading<S> begin_reading(S& store) {
  if constexpr (Versioned<S>)
    return store.reading();
  else
    return {};
}

// As the store's own; `reading` came from begin_reading of the same store.
template <Source S>
[[nodiscard]] decltype(auto) stat(S& store, Reading<S>& reading, Key key) {
  if constexpr (Versioned<S>)
    return store.stat(reading, key);
  else
    return store.stat(key);
}

template <Source S>
[[nodiscard]] decltype(auto) get_partial(S& store, Reading<S>& reading, Key key, Encoding encoding,
                                         std::uint64_t offset, std::uint64_t length) {
  if constexpr (Versioned<S>)
    return store.get_partial(reading, key, encoding, offset, length);
  else
    return store.get_partial(key, encoding, offset, length);
}

}  // namespace kv
