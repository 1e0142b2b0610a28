// SPDX-License-Identifier: ISC
// kv/tar/packed.hpp: what `crunch pack` puts into an archive beside the files: compressed forms,
// the rules' plan, and an index of it all, so that nothing is computed at start.
//
// States:  Packed, packed_in.   Used by: kv/tar/tar.hpp, crunch/pack, the fuzzer.
// Layout:  the first member is ".crunch/packed", one block, whose first 64 bytes are below. The
//          last one is ".crunch/index": kv/crunched/table.hpp, whose content is the archive itself:
//          a form's offset is that of its bytes in the archive, and all lie before the index. Two
//          blocks of zeros end the archive. Between them are the site's files by their names, and
//          ".crunch/br/NAME" and the like.
// Changed: by other tools, an archive has another index, another end, or none: it is refused.
// Numbers: little-endian.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/hash.hpp"

namespace kv::tar {

inline constexpr std::string_view packed_name = ".crunch/packed";
inline constexpr std::string_view index_name = ".crunch/index";
inline constexpr std::uint32_t packed_bytes = 64;           // of the member
inline constexpr std::uint32_t packed_blocks_bytes = 1024;  // its header and its block
inline constexpr std::uint64_t index_bytes_max = std::uint64_t{1} << 30U;

struct Packed {
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t end_offset = 0;  // of the two blocks of zeros
  crypto::Sha256Bytes index_sha256{};

  // The member's bytes.
  [[nodiscard]] std::string encode() const;
};

// What an archive of `size_bytes` begins with, of which these are the first packed_blocks_bytes.
// None: `crunch pack` has not made it. The error is a sentence that says "it" for the archive.
[[nodiscard]] base::Result<std::optional<Packed>, std::string> packed_in(base::Bytes begin,
                                                                         std::uint64_t size_bytes);

}  // namespace kv::tar
