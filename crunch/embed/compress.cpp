// SPDX-License-Identifier: ISC
#include "crunch/embed/compress.hpp"

#include <brotli/encode.h>
#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "crunch/failure.hpp"

namespace crunch::embed {
namespace {

// Indexed by Effort. `best` is all that the formats can do; `normal` was chosen by measuring on
// HTML (docs/benchmarks.md has the table); `fast` is for trying things
struct Levels {
  int zstd;
  int brotli;
  int gzip;
};
constexpr std::array<Levels, 3> levels{{{6, 5, 6}, {15, 9, 9}, {19, 11, 12}}};

constexpr Levels levels_of(Effort effort) { return levels[static_cast<std::size_t>(effort)]; }

// RFC 9659: a browser needs to have no more than 8 MiB of window for zstd. Brotli's own limit
// (RFC 7932 section 9.1) is 16 MiB.
constexpr int zstd_window_log_max = 23;
constexpr int brotli_window_log_max = 24;

int window_log_of(std::size_t size_bytes, int least, int most) {
  return std::clamp(static_cast<int>(std::bit_width(size_bytes)) + 1, least, most);
}

void check_zstd(std::size_t result) {
  if (ZSTD_isError(result)) throw Failure(std::string("zstd: ") + ZSTD_getErrorName(result));
}

}  // namespace

std::string_view name_of(Effort effort) {
  constexpr std::array<std::string_view, 3> names{"fast", "default", "best"};
  return names[static_cast<std::size_t>(effort)];
}

std::string recipe_of(kv::Encoding encoding, Effort effort) {
  Levels level = levels_of(effort);
  switch (encoding) {
    case kv::Encoding::gzip:
      return "libdeflate " LIBDEFLATE_VERSION_STRING " level " + std::to_string(level.gzip);
    case kv::Encoding::br:
      return "brotli " + std::to_string(BrotliEncoderVersion()) + " quality " +
             std::to_string(level.brotli);
    case kv::Encoding::zstd:
      return "zstd " + std::to_string(ZSTD_versionNumber()) + " level " +
             std::to_string(level.zstd);
    case kv::Encoding::identity:
      break;
  }
  return "identity";
}

struct Compressor::Contexts {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), &ZSTD_freeCCtx};
  std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> gzip;
  std::vector<std::byte> out;

  explicit Contexts(Levels level)
      : gzip(libdeflate_alloc_compressor(level.gzip), &libdeflate_free_compressor) {
    if (!zstd || !gzip) throw std::bad_alloc();
    check_zstd(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_compressionLevel, level.zstd));
  }

  // Each answers the size of what it wrote to `out`; 0: it did not fit.
  std::size_t write_zstd(kv::Bytes value) {
    // By default the level and the size choose; only windows that browsers refuse must not be.
    int window = window_log_of(value.size(), 10, zstd_window_log_max);
    check_zstd(ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_windowLog,
                                      window == zstd_window_log_max ? window : 0));
    std::size_t size =
        ZSTD_compress2(zstd.get(), out.data(), out.size(), value.data(), value.size());
    if (!ZSTD_isError(size)) return size;
    ZSTD_CCtx_reset(zstd.get(), ZSTD_reset_session_only);
    if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) check_zstd(size);
    return 0;
  }

  std::size_t write_gzip(kv::Bytes value) {
    return libdeflate_gzip_compress(gzip.get(), value.data(), value.size(), out.data(), out.size());
  }

  std::size_t write_brotli(kv::Bytes value, int quality) {
    std::size_t size = out.size();
    int window = window_log_of(value.size(), BROTLI_MIN_WINDOW_BITS, brotli_window_log_max);
    bool fits = BrotliEncoderCompress(quality, window, BROTLI_MODE_GENERIC, value.size(),
                                      reinterpret_cast<const std::uint8_t*>(value.data()), &size,
                                      reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE;
    return fits ? size : 0;
  }
};

Compressor::Compressor(Effort effort)
    : effort_(effort), contexts_(std::make_unique<Contexts>(levels_of(effort))) {}
Compressor::~Compressor() = default;

std::optional<std::vector<std::byte>> Compressor::compress(kv::Encoding encoding, kv::Bytes value,
                                                           std::uint64_t bytes_max) {
  Contexts& at = *contexts_;
  // One buffer for all, grown as needed: fresh memory for each small file would cost more than
  // filling it. brotli answers "does not fit" with a stored stream if that fits, so never more room
  // than is worth it.
  if (at.out.size() < bytes_max) at.out = std::vector<std::byte>();
  at.out.resize(bytes_max);
  std::size_t size = 0;
  switch (encoding) {
    case kv::Encoding::zstd:
      size = at.write_zstd(value);
      break;
    case kv::Encoding::br:
      size = at.write_brotli(value, levels_of(effort_).brotli);
      break;
    case kv::Encoding::gzip:
      size = at.write_gzip(value);
      break;
    case kv::Encoding::identity:
      break;
  }
  if (size == 0 || size > bytes_max) return std::nullopt;
  kv::Bytes form = kv::Bytes(at.out).first(size);
  return std::vector<std::byte>(form.begin(), form.end());
}

}  // namespace crunch::embed
