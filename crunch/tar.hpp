// SPDX-License-Identifier: ISC
// crunch/tar.hpp: the headers of a tar archive in which nothing is of this machine: no user's name.
//
// States:  TarEntry, tar_header, tar_padding, tar_end.   Used by: crunch/package, crunch/pack.
// Format:  ustar (POSIX.1-1988), with a pax header (POSIX.1-2001) for a name of more than 100
//          bytes, a file of 8 GiB or more, and a time that has more than 11 octal digits.
// Source:  POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format".

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace crunch {

inline constexpr std::size_t tar_block_bytes = 512;

struct TarEntry {
  std::string_view name;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_s = 0;  // not before 1970
  unsigned mode = 0444;
  unsigned uid = 0;
  unsigned gid = 0;
  std::string_view link = {};  // a name that came before; empty: a file
};

// What stands before the entry's bytes: whole blocks.
[[nodiscard]] std::string tar_header(const TarEntry& entry);

// How many zeros follow `size_bytes` of an entry.
[[nodiscard]] constexpr std::size_t tar_padding(std::uint64_t size_bytes) {
  return (tar_block_bytes - size_bytes % tar_block_bytes) % tar_block_bytes;
}
// How many zeros end an archive, at least.
inline constexpr std::size_t tar_end_bytes = 2 * tar_block_bytes;

}  // namespace crunch
