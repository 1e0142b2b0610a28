// SPDX-License-Identifier: ISC
// crunch/embed/compress.hpp: compresses a value, and checks a compressed form that the site has.
//
// States:  Effort, Compressor, decodes_to.   Used by: crunch/embed.
// Links:   libzstd, libbrotli, libdeflate; zlib for gzip in a stream, which libdeflate lacks.
// Output:  the same bytes for the same input and library versions, on every machine.

#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kv/kv.hpp"

namespace crunch::embed {

enum class Effort : std::uint8_t { fast, normal, best };
[[nodiscard]] std::string_view name_of(Effort effort);

// The most bytes that a compressed form may have to be worth a choice: at least 64 bytes and 5 %
// fewer than identity. 0: none is.
[[nodiscard]] constexpr std::uint64_t worthwhile_bytes_max(std::uint64_t identity_bytes) {
  if (identity_bytes <= 64) return 0;
  return std::min(identity_bytes - 64, identity_bytes / 100 * 95 + identity_bytes % 100 * 95 / 100);
}

// Which library, version and level make `encoding` at `effort`: equal texts, equal output.
[[nodiscard]] std::string recipe_of(kv::Encoding encoding, Effort effort);

// Compresses values one after another; one for each thread, for it keeps the libraries' memory.
class Compressor {
 public:
  explicit Compressor(Effort effort);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The value in `encoding`; nothing if that would take more than `bytes_max`.
  [[nodiscard]] std::optional<std::vector<std::byte>> compress(kv::Encoding encoding,
                                                               kv::Bytes value,
                                                               std::uint64_t bytes_max);

 private:
  struct Contexts;
  Effort effort_;
  std::unique_ptr<Contexts> contexts_;
};

// Fills as much of the span as there is left; 0: the end.
using ReadPiece = std::function<std::size_t(base::MutableBytes)>;

// Takes bytes as they are decoded; false: enough.
using TakePiece = std::function<bool(kv::Bytes)>;

// Decodes `coded` as browsers do. False: it is not in `encoding`, or `take` had enough.
[[nodiscard]] bool decode(kv::Encoding encoding, const ReadPiece& coded, const TakePiece& take);

// Does `coded` decode, as browsers do it, to exactly the bytes of `original`? Holds neither: stops
// at the first byte that differs, so that a bomb costs no more than the original's size.
[[nodiscard]] bool decodes_to(kv::Encoding encoding, const ReadPiece& coded,
                              const ReadPiece& original);

}  // namespace crunch::embed
