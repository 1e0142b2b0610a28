// SPDX-License-Identifier: ISC
// http/scan.hpp: finding the bytes of a request's head at which something ends, 16 or 64 at a time.
//
// Used by: http/{parser,target}.cpp.   May include: std, http/syntax.hpp.
// Cost:    each byte of a head is looked at once for controls, each of a name once more.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "http/syntax.hpp"

namespace http {

[[nodiscard]] constexpr bool is_control(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

#if defined(__SSE2__)
// Bit i: at[i], of sixteen bytes, is a control.
[[nodiscard]] inline std::uint64_t controls_in(const char* at) {
  const __m128i last_control = _mm_set1_epi8(0x1f);
  __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
  __m128i dels = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_or_si128(low, dels)));
}
// The same of 64 bytes.
[[gnu::always_inline]] inline std::uint64_t controls_in_64(const char* at) {
  return controls_in(at) | controls_in(at + 16) << 16 | controls_in(at + 32) << 32 |
         controls_in(at + 48) << 48;
}
#endif

// The last bytes, `at` to `end`, fewer than 64 but one at least: bit i: end[i - 64] is a control.
// Bytes from `begin` on may be read with them, so that whole groups are looked at.
[[nodiscard, gnu::noinline]] inline std::uint64_t controls_at_end(const char* begin, const char* at,
                                                                  const char* end) {
  const auto size = end - begin;
  std::uint64_t found = 0;
#if defined(__SSE2__)
  if (size >= 64) {
    found = controls_in_64(end - 64);
    return found & ~std::uint64_t{0} << (64 - (end - at));
  }
  if (size >= 16) {
    found = controls_in(begin) << (64 - size);
    for (int shift = 48; 64 - shift < size; shift -= 16) {
      found |= controls_in(end - (64 - shift)) << shift;
    }
    return found & ~std::uint64_t{0} << (64 - (end - at));
  }
#endif
  for (; at != end; ++at) found |= std::uint64_t{is_control(*at)} << (64 - (end - at));
  return found;
}

// Finds controls, one after another. A tab is one too: lines may have it, but so few do that the
// caller passes over it, where it costs the others nothing.
class ControlScan {
 public:
  ControlScan(const char* at, const char* end) : begin_(at), at_(at), end_(end) {}

  // The next one, or `end`.
  [[gnu::always_inline]] const char* next() {
    while (found_ == 0) {
      if (at_ == end_) return end_;
      look();
    }
    const char* first = at_ + (std::countr_zero(found_) - 64);
    found_ &= found_ - 1;
    return first;
  }

  // The LF behind the CR that was found is not to be found.
  [[gnu::always_inline]] void skip_lf() {
    if (found_ != 0) {
      found_ &= found_ - 1;
    } else {
      ++at_;  // the group ended with the CR
    }
  }

 private:
  // Looks at the next 64 bytes, or what there is.
  [[gnu::always_inline]] void look() {
#if defined(__SSE2__)
    if (end_ - at_ >= 64) {
      found_ = controls_in_64(at_);
      at_ += 64;
      return;
    }
#endif
    const char* const group_end = end_ - at_ >= 64 ? at_ + 63 : end_;
    found_ = controls_at_end(begin_, at_, group_end);
    at_ = group_end;
  }

  const char* begin_;
  const char* at_;  // what follows was not looked at
  const char* end_;
  std::uint64_t found_ = 0;  // bit i: at_[i - 64] is one
};

// A URI is of ASCII (RFC 3986 section 2); other bytes are percent-encoded.
[[nodiscard]] inline bool is_ascii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t bits = 0;
  auto look = [&bits](const char* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    bits |= word;
  };
  for (; end - at >= 8; at += 8) look(at);
  if (text.size() >= 8) {
    look(end - 8);  // what is left, and some again
    at = end;
  }
  for (; at != end; ++at) bits |= static_cast<unsigned char>(*at);
  return (bits & 0x8080808080808080U) == 0;
}

// Other than tabs.
[[nodiscard]] inline bool has_control(const char* at, const char* end) {
  ControlScan scan(at, end);
  const char* found = scan.next();
  while (found != end && *found == '\t') found = scan.next();
  return found != end;
}

// Is `text` a path that is a key behind its first '/': nothing to decode, no query, and no segment
// that is empty or starts with a dot? False where that takes longer to find out, too.
[[nodiscard]] inline bool is_plain_path(std::string_view text) {
#if defined(__SSE2__)
  constexpr std::ptrdiff_t step_bytes = 16 + 1;  // each byte, and the one behind it
  const char* at = text.data();
  const char* const end = at + text.size();
  if (end - at < step_bytes || *at != '/') return false;
  for (;; at = std::min(at + 16, end - step_bytes)) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
    auto are = [](__m128i them, char c) { return _mm_cmpeq_epi8(them, _mm_set1_epi8(c)); };
    __m128i turns = _mm_and_si128(are(bytes, '/'), _mm_or_si128(are(next, '/'), are(next, '.')));
    __m128i ends = _mm_or_si128(are(next, '?'), are(next, '#'));
    __m128i codes = _mm_or_si128(are(next, '%'), are(next, '\0'));
    if (_mm_movemask_epi8(_mm_or_si128(turns, _mm_or_si128(ends, codes))) != 0) return false;
    if (end - at == step_bytes) return end[-1] != '/';
  }
#else
  return false;
#endif
}

// The end of the run of name characters that starts at `at`. Lines are looked at sixteen bytes at a
// time for what names are made of almost always; the table has the last word.
[[gnu::always_inline]] inline const char* skip_name(const char* at, const char* end) {
#if defined(__SSE2__)
  auto in_span = [](__m128i bytes, char first, char count) {
    __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(static_cast<char>(count - 1))), from);
  };
  for (; end - at >= 16; at += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i letters = in_span(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i plain = _mm_or_si128(letters, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
    auto others = static_cast<unsigned>(_mm_movemask_epi8(plain)) ^ 0xffffU;
    if (others == 0) continue;
    at += std::countr_zero(others);
    if (*at == ':') return at;
    break;
  }
#endif
  while (at != end && is_token_char(*at)) ++at;
  return at;
}

}  // namespace http
