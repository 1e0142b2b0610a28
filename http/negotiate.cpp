// SPDX-License-Identifier: ISC
#include "http/negotiate.hpp"

#include <array>

#include "http/syntax.hpp"

namespace http {

namespace {

using std::string_view;

constexpr int unsaid = -1;

// "0.25" is 250, "1" is 1000 (RFC 9110 section 12.4.2); -1 where it is not a qvalue.
int parse_quality(string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.') return -1;
  int scale = 100;
  for (char c : text.substr(2)) {
    if (!is_digit(c)) return -1;
    value += (c - '0') * scale;
    scale /= 10;
  }
  return value > 1000 ? -1 : value;
}

// Four letters, small, as one number.
constexpr std::uint32_t four(char a, char b, char c, char d) {
  auto byte = [](char letter, int at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(letter)) << (8 * at);
  };
  return byte(a, 0) | byte(b, 1) | byte(c, 2) | byte(d, 3);
}

struct Wishes {
  std::array<int, kv::encoding_count> quality{unsaid, unsaid, unsaid, unsaid};
  int others = unsaid;  // what "*" was given
  bool any = false;     // something was said

  void read(string_view line);
  void set(string_view coding, int q);
};

void Wishes::set(string_view coding, int q) {
  auto give = [&](kv::Encoding encoding) { quality[kv::index_of(encoding)] = q; };
  switch (coding.size()) {
    case 1:
      if (coding == "*") others = q;
      return;
    case 2:
      if ((coding[0] | 0x20) == 'b' && (coding[1] | 0x20) == 'r') give(kv::Encoding::br);
      return;
    case 4: {
      std::uint32_t name = four(coding[0], coding[1], coding[2], coding[3]) | 0x20202020U;
      if (name == four('g', 'z', 'i', 'p')) give(kv::Encoding::gzip);
      if (name == four('z', 's', 't', 'd')) give(kv::Encoding::zstd);
      return;
    }
    case 6:
      if (equals_ignoring_case(coding, "x-gzip")) give(kv::Encoding::gzip);
      return;
    case 8:
      if (equals_ignoring_case(coding, "identity")) give(kv::Encoding::identity);
      return;
    default:
      return;
  }
}

// coding [ OWS ";" OWS "q=" qvalue ], separated by commas.
void Wishes::read(string_view line) {
  const char* at = line.data();
  const char* const end = at + line.size();
  for (;;) {
    while (at != end && (*at == ',' || is_space(*at))) ++at;
    if (at == end) return;
    any = true;
    const char* coding = at;
    while (at != end && is_token_char(*at)) ++at;
    string_view name(coding, static_cast<std::size_t>(at - coding));
    if (at == end || *at == ',') {
      set(name, 1000);
      continue;
    }
    const char* rest = at;
    while (at != end && *at != ',') ++at;
    string_view weight = trimmed({rest, static_cast<std::size_t>(at - rest)});
    if (weight.empty()) set(name, 1000);
    if (!weight.starts_with(';')) continue;
    weight = trimmed(weight.substr(1));
    bool is_weight = weight.size() > 2 && (weight[0] | 0x20) == 'q' && weight[1] == '=';
    int q = is_weight ? parse_quality(weight.substr(2)) : -1;
    if (q >= 0) set(name, q);
  }
}

}  // namespace

Offer negotiate(const Request& request, const kv::Stat& stat) noexcept {
  Wishes wishes;
  FieldLines lines(request, Field::accept_encoding);
  for (string_view line; lines.next(line);) wishes.read(line);
  Offer offer;
  int best_q = -1;
  std::uint64_t best_size = 0;
  for (std::size_t i = 0; i < kv::encoding_count; ++i) {
    auto encoding = static_cast<kv::Encoding>(i);
    if (!stat.has(encoding)) continue;
    int q = wishes.quality[i];
    if (q == unsaid && wishes.any) q = wishes.others;
    if (q == 0) continue;
    if (q == unsaid) {
      if (encoding != kv::Encoding::identity) continue;
      q = 0;  // not excluded, so accepted, after all that was asked for
    }
    offer.accepted = static_cast<std::uint8_t>(offer.accepted | (1U << i));
    std::uint64_t size = stat.form(encoding).size_bytes;
    if (q > best_q || (q == best_q && size < best_size)) {
      best_q = q;
      best_size = size;
      offer.best = encoding;
    }
  }
  return offer;
}

}  // namespace http
