// SPDX-License-Identifier: ISC
// The other half of compress.hpp: decode, one function for each encoding, and decodes_to.
#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>

#include "crunch/embed/compress.hpp"

namespace crunch::embed {
namespace {

constexpr std::size_t piece_bytes = 128 * 1024;
constexpr int zstd_window_log_max = 23;  // RFC 9659: more is not for the web

// The coded bytes, a piece at a time; nothing is asked for before all was taken.
struct Input {
  const ReadPiece& read;
  std::vector<std::byte> piece = std::vector<std::byte>(piece_bytes);
  std::size_t at = 0;
  std::size_t end = 0;

  // False: there are no more.
  bool fill() {
    if (at < end) return true;
    at = 0;
    end = read(piece);
    return end > 0;
  }
};

// Compares what is decoded with what it should be.
struct Expected {
  const ReadPiece& read;
  std::vector<std::byte> piece = std::vector<std::byte>(piece_bytes);

  bool take(kv::Bytes decoded) {
    while (!decoded.empty()) {
      auto room = base::MutableBytes(piece).first(std::min(piece.size(), decoded.size()));
      std::size_t count = read(room);
      if (count == 0 || std::memcmp(room.data(), decoded.data(), count) != 0) return false;
      decoded = decoded.subspan(count);
    }
    return true;
  }
  bool is_at_end() {
    std::byte more{};
    return read({&more, 1}) == 0;
  }
};

bool decode_zstd(Input& input, const TakePiece& take) {
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, zstd_window_log_max);
  std::vector<std::byte> out(piece_bytes);
  std::size_t left = 1;  // of the frame that is being decoded; 0 between frames
  bool is_flushed = true;
  while (!is_flushed || input.fill()) {
    ZSTD_inBuffer in{input.piece.data(), input.end, input.at};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    left = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(left) || !take(kv::Bytes(out).first(to.pos))) return false;
    input.at = in.pos;
    is_flushed = to.pos < to.size || left == 0;
  }
  return left == 0;
}

bool decode_brotli(Input& input, const TakePiece& take) {
  std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
  if (!state) throw std::bad_alloc();
  std::vector<std::uint8_t> out(piece_bytes);
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT;
  while (result != BROTLI_DECODER_RESULT_SUCCESS) {
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !input.fill()) return false;
    std::size_t in_left = input.end - input.at;
    const auto* in = reinterpret_cast<const std::uint8_t*>(input.piece.data() + input.at);
    std::size_t out_left = out.size();
    std::uint8_t* to = out.data();
    result = BrotliDecoderDecompressStream(state.get(), &in_left, &in, &out_left, &to, nullptr);
    if (result == BROTLI_DECODER_RESULT_ERROR) return false;
    input.at = input.end - in_left;
    if (!take(std::as_bytes(std::span(out)).first(out.size() - out_left))) return false;
  }
  return !input.fill();  // nothing may follow
}

bool decode_gzip(Input& input, const TakePiece& take) {
  z_stream stream{};
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::bad_alloc();
  std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, &inflateEnd);
  std::vector<std::uint8_t> out(piece_bytes);
  int result = Z_OK;
  bool is_flushed = true;
  while (!is_flushed || input.fill()) {
    // RFC 1952 section 2.2: a file is a series of members.
    if (result == Z_STREAM_END) inflateReset(&stream);
    stream.next_in = reinterpret_cast<Bytef*>(input.piece.data() + input.at);
    stream.avail_in = static_cast<uInt>(input.end - input.at);
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
    input.at = input.end - stream.avail_in;
    std::size_t count = out.size() - stream.avail_out;
    if (!take(std::as_bytes(std::span(out)).first(count))) return false;
    if (result == Z_BUF_ERROR && count == 0 && stream.avail_in != 0) return false;
    is_flushed = stream.avail_out > 0 || result == Z_STREAM_END;
  }
  return result == Z_STREAM_END;
}

}  // namespace

bool decode(kv::Encoding encoding, const ReadPiece& coded, const TakePiece& take) {
  Input input{coded};
  switch (encoding) {
    case kv::Encoding::zstd:
      return decode_zstd(input, take);
    case kv::Encoding::br:
      return decode_brotli(input, take);
    case kv::Encoding::gzip:
      return decode_gzip(input, take);
    case kv::Encoding::identity:
      break;
  }
  return false;
}

bool decodes_to(kv::Encoding encoding, const ReadPiece& coded, const ReadPiece& original) {
  Expected expected{original};
  return decode(encoding, coded, [&](kv::Bytes piece) { return expected.take(piece); }) &&
         expected.is_at_end();
}

}  // namespace crunch::embed
