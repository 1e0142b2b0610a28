// SPDX-License-Identifier: ISC
// base/result.hpp: what a call answers when failing is an expected outcome.
//
// `Result<T, E>` holds a T or an E; E is a small closed `enum class` that stands beside the concept
// whose calls answer with it, so that a switch over it is exhaustive. Bugs are CHECKs, not Results.
//
// May include: std, tl-expected (std::expected is C++23; the shape is the same).

#pragma once

#include <tl/expected.hpp>

namespace base {

template <class T, class E>
using Result = tl::expected<T, E>;

// `return base::failure(Error::not_found);` makes a failed Result of any T.
template <class E>
using Failure = tl::unexpected<E>;

template <class E>
[[nodiscard]] constexpr Failure<E> failure(E error) {
  return Failure<E>(error);
}

}  // namespace base
