// SPDX-License-Identifier: ISC
#include "http/negotiate.hpp"

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

struct Wishes {
  std::array<int, kv::encoding_count> quality{unsaid, unsaid, unsaid, unsaid};
  int others = unsaid;  // what "*" was given

  void read(string_view element);
};

void Wishes::read(string_view element) {
  std::size_t end = element.find(';');
  string_view coding = trimmed(element.substr(0, end));
  int q = 1000;
  if (end != string_view::npos) {
    string_view weight = trimmed(element.substr(end + 1));
    bool is_weight = weight.size() > 2 && (weight[0] | 0x20) == 'q' && weight[1] == '=';
    q = is_weight ? parse_quality(weight.substr(2)) : -1;
    if (q < 0) return;
  }
  auto set = [&](kv::Encoding encoding) { quality[kv::index_of(encoding)] = q; };
  switch (coding.size()) {
    case 1:
      if (coding == "*") others = q;
      break;
    case 2:
      if (equals_ignoring_case(coding, "br")) set(kv::Encoding::br);
      break;
    case 4:
      if (equals_ignoring_case(coding, "gzip")) set(kv::Encoding::gzip);
      if (equals_ignoring_case(coding, "zstd")) set(kv::Encoding::zstd);
      break;
    case 6:
      if (equals_ignoring_case(coding, "x-gzip")) set(kv::Encoding::gzip);
      break;
    case 8:
      if (equals_ignoring_case(coding, "identity")) set(kv::Encoding::identity);
      break;
    default:
      break;
  }
}

}  // namespace

Offer negotiate(const Request& request, const kv::Stat& stat) noexcept {
  Wishes wishes;
  bool said = false;
  FieldLines lines(request, Field::accept_encoding);
  for (string_view line; lines.next(line);) {
    for (string_view element; next_element(line, element);) {
      wishes.read(element);
      said = true;
    }
  }
  Offer offer;
  std::array<int, kv::encoding_count> rank{};
  for (std::size_t i = 0; i < kv::encoding_count; ++i) {
    auto encoding = static_cast<kv::Encoding>(i);
    if (!stat.has(encoding)) continue;
    int q = wishes.quality[i];
    if (q == unsaid && said) q = wishes.others;
    // Not excluded, so accepted, after all that was asked for.
    if (q == unsaid)
      q = encoding == kv::Encoding::identity ? 0 : -1;
    else if (q == 0)
      q = -1;
    if (q < 0) continue;
    std::size_t at = offer.count++;
    auto before = [&](std::size_t j) {
      if (rank[j] != q) return rank[j] > q;
      return stat.form(offer.order[j]).size_bytes <= stat.form(encoding).size_bytes;
    };
    for (; at > 0 && !before(at - 1); --at) {
      offer.order[at] = offer.order[at - 1];
      rank[at] = rank[at - 1];
    }
    offer.order[at] = encoding;
    rank[at] = q;
  }
  return offer;
}

}  // namespace http
