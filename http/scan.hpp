// SPDX-License-Identifier: ISC
// http/scan.hpp: finding the bytes of a request's head at which something ends, 16 or 64 at a time.
//
// Used by: http/parser.cpp.   May include: std, http/syntax.hpp.
// Cost:    each byte of a head is looked at once for controls, each of a name once more.

#pragma once

#include <bit>
#include <cstdint>

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
#endif

// Finds controls, one after another; each byte is looked at once. A tab is one too: lines may have
// it, but so few do that the caller passes over it, where it costs the others nothing.
class ControlScan {
 public:
  ControlScan(const char* at, const char* end) : at_(at), end_(end) {}

  // The next one, or `end`.
  [[gnu::always_inline]] const char* next() {
#if defined(__SSE2__)
    for (;;) {
      if (found_ != 0) {
        const char* first = at_ - 64 + std::countr_zero(found_);
        found_ &= found_ - 1;
        return first;
      }
      if (end_ - at_ < 64) break;
      found_ = controls_in(at_) | controls_in(at_ + 16) << 16 | controls_in(at_ + 32) << 32 |
               controls_in(at_ + 48) << 48;
      at_ += 64;
    }
    for (; end_ - at_ >= 16; at_ += 16) {
      std::uint64_t found = controls_in(at_);
      if (found == 0) continue;
      at_ += std::countr_zero(found) + 1;
      return at_ - 1;
    }
#endif
    while (at_ != end_ && !is_control(*at_)) ++at_;
    return at_ == end_ ? end_ : at_++;
  }

  // The LF behind the CR that was found is not to be found.
  [[gnu::always_inline]] void skip_lf() {
    if (found_ != 0) {
      found_ &= found_ - 1;
    } else {
      // It stands at the front of what was not looked at, or the group ended with the CR.
      ++at_;
    }
  }

 private:
  const char* at_;
  const char* end_;
  std::uint64_t found_ = 0;  // bit i: at_[i - 64] is one
};

// Other than tabs.
[[nodiscard]] inline bool has_control(const char* at, const char* end) {
  ControlScan scan(at, end);
  const char* found = scan.next();
  while (found != end && *found == '\t') found = scan.next();
  return found != end;
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
