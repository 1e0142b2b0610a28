// SPDX-License-Identifier: ISC
// tests/http/h2/raw_frames.hpp: HTTP/2 byte for byte, for what no honest client sends.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace h2_test {

enum Type : std::uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
};
constexpr std::uint8_t end_stream = 1, ack = 1, end_headers = 4, padded = 8;

inline std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
  std::string out = number(payload.size(), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + number(stream, 4) + std::string(payload);
}
inline std::string setting(std::uint16_t id, std::uint32_t value) {
  return number(id, 2) + number(value, 4);
}
inline std::string preface(std::string_view client_settings = "") {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0, client_settings);
}

// HPACK: a literal without indexing and without Huffman (RFC 7541 section 6.2.2).
inline std::string integer(std::uint64_t value, unsigned prefix_bits, unsigned char first) {
  const unsigned most = (1U << prefix_bits) - 1;
  std::string out;
  if (value < most) return std::string(1, static_cast<char>(first | value));
  out += static_cast<char>(first | most);
  for (value -= most; value >= 128; value >>= 7U) out += static_cast<char>(value % 128 + 128);
  return out + static_cast<char>(value);
}
inline std::string literal(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + integer(name.size(), 7, 0) + std::string(name) +
         integer(value.size(), 7, 0) + std::string(value);
}
// The same, which goes into the table as its newest entry.
inline std::string indexed_literal(std::string_view name, std::string_view value) {
  return std::string(1, '\x40') + integer(name.size(), 7, 0) + std::string(name) +
         integer(value.size(), 7, 0) + std::string(value);
}
inline std::string newest_entry() { return "\xbe"; }  // index 62

using Pairs = std::vector<std::pair<std::string, std::string>>;
inline std::string block(const Pairs& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += literal(name, value);
  return out;
}
inline Pairs get_fields(std::string_view path, const Pairs& more = {}) {
  Pairs fields{{":method", "GET"},
               {":scheme", "https"},
               {":authority", "example.org"},
               {":path", std::string(path)}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline std::string get_frame(std::uint32_t stream, std::string_view path, const Pairs& more = {}) {
  return frame(headers, end_headers | end_stream, stream, block(get_fields(path, more)));
}

struct RawFrame {
  std::uint8_t type;
  std::uint8_t flags;
  std::uint32_t stream;
  std::string payload;
  // Of RST_STREAM and GOAWAY.
  [[nodiscard]] std::uint32_t error_code() const {
    const std::size_t at = type == goaway ? 4 : 0;
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      code = code << 8U | static_cast<unsigned char>(payload.at(at + i));
    }
    return code;
  }
};
// Takes whole frames off the front of `bytes`.
inline std::vector<RawFrame> take_frames(std::string& bytes) {
  std::vector<RawFrame> all;
  for (;;) {
    const auto byte = [&](std::size_t at) {
      return std::uint32_t{static_cast<unsigned char>(bytes[at])};
    };
    if (bytes.size() < 9) return all;
    const std::size_t size = byte(0) * 65536U + byte(1) * 256U + byte(2);
    if (bytes.size() < 9 + size) return all;
    const std::uint32_t stream =
        (byte(5) & 0x7fU) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8);
    all.push_back({static_cast<std::uint8_t>(byte(3)), static_cast<std::uint8_t>(byte(4)), stream,
                   bytes.substr(9, size)});
    bytes.erase(0, 9 + size);
  }
}

}  // namespace h2_test
