// SPDX-License-Identifier: ISC
// tests/net/fuzz/proxied_fuzz.cpp: any bytes as a header of the PROXY protocol.
//
// Input:  a byte, the most that is handed on at once; then the header.
// Held:   however the bytes are cut, the header ends at the same one and says the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/proxied/header.hpp"

namespace {

using net::proxied::Header;

Header read(std::string_view& text, std::size_t piece) {
  Header header;
  while (header.state() == Header::State::reading && !text.empty()) {
    if (header.wanted() == 0) std::abort();
    const std::size_t count = std::min({header.wanted(), piece, text.size()});
    header.take(base::bytes_of(text.substr(0, count)));
    text.remove_prefix(count);
  }
  return header;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string_view one = all;
  std::string_view other = all;
  const Header whole = read(one, all.size() + 1);
  const Header cut = read(other, data[0] % 16U + 1);
  // One that cannot become whole may be refused a little sooner or later.
  const bool is_whole = whole.state() == Header::State::complete;
  if (is_whole != (cut.state() == Header::State::complete)) std::abort();
  if (!is_whole) return 0;
  if (one.size() != other.size() || whole.source() != cut.source()) std::abort();
  return 0;
}
