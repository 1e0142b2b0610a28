// SPDX-License-Identifier: ISC
// crunch/embed/cache.hpp: keeps compressed forms from one run to the next.
//
// States:  MadeForm, Forms, Cache.   Owns: the files beneath its directory.
// Named by: the SHA-256 of the content, and the libraries, versions and levels that made the forms;
//          so an entry is never wrong, only no longer asked for.
// Rules:   1. An entry is written under another name and renamed: another crunch, at the same time,
//             sees it whole or not at all.
//          2. An entry whose digests are not those of its bytes is as good as none.
//          3. "Not worth it" is an answer too, and is kept.
//          4. Above `bytes_max` the entries that were not used for the longest time are removed.
//          5. A cache that cannot be written costs time, never the run.
// Layout:  magic; for gzip, br, zstd: a state byte, the size (8 bytes, little-endian), the SHA-256;
//          the SHA-256 of all that; then the forms' bytes.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "crunch/embed/compress.hpp"
#include "kv/digest.hpp"

namespace crunch::embed {

// What is known about one encoding of a content.
struct MadeForm {
  enum class State : std::uint8_t { unknown, not_worthwhile, made };
  State state = State::unknown;
  crypto::Sha256Bytes sha256{};
  std::uint64_t size_bytes = 0;
  std::vector<std::byte> bytes;  // may be empty where they are known to be in the output already
};
using Forms = std::array<MadeForm, kv::encoding_count>;  // by kv::Encoding; identity is not used

class Cache {
 public:
  static constexpr std::uint64_t default_bytes_max = std::uint64_t{4} << 30U;

  // An empty directory: no cache. It is made when there is something to keep.
  Cache(std::string directory, Effort effort, std::uint64_t bytes_max = default_bytes_max);

  // Both may be called by several threads at once.
  [[nodiscard]] Forms find(const crypto::Sha256Bytes& content) const;
  void keep(const crypto::Sha256Bytes& content, const Forms& forms);

  // Keeps rule 4, if this run kept anything.
  void trim() const;

  // Why the first entry that could not be kept was not; empty: all were.
  [[nodiscard]] std::string trouble() const;

  // $XDG_CACHE_HOME/crunch, else ~/.cache/crunch; empty if neither is known.
  [[nodiscard]] static std::string default_directory();

  // Where the entry of a content is.
  [[nodiscard]] std::string path_of(const crypto::Sha256Bytes& content) const;

 private:
  std::string directory_;
  std::string recipe_;
  std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> kept_count_ = 0;
  std::atomic<int> error_ = 0;
};

}  // namespace crunch::embed
