// SPDX-License-Identifier: ISC
// targets/libos/once.hpp: memory that another party may write at any time.
//
// States:  read_once.
// Rule:    what a back end, a device or a hypervisor can write is copied into private memory once,
//          and what is checked is the copy that is then used. A plain read will not do: the
//          compiler may read again after the check.

#pragma once

#include <cstring>
#include <type_traits>

namespace libos {

// A copy that stays as it is, whatever happens to `shared`. (It is torn if somebody writes while it
// is made: where that matters, the protocol has a version or an index that says so.)
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] inline T read_once(const T& shared) noexcept {
  if constexpr (std::is_scalar_v<T>) {
    return const_cast<const volatile T&>(shared);
  } else {
    T copy;
    std::memcpy(static_cast<void*>(&copy), &shared, sizeof copy);
    asm volatile("" : : : "memory");  // later reads are of the copy
    return copy;
  }
}

}  // namespace libos
