// SPDX-License-Identifier: ISC
// tests/kv/tar_archive.hpp: tar archives of any shape, right and wrong.

#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "block/memory/memory.hpp"

namespace kv {

struct TarHeader {
  std::string name;
  char type = '0';
  std::uint64_t size = 0;
  std::string link = {};
  std::string prefix = {};
  std::uint64_t modified_s = 1'600'000'000;
};

class TarArchive {
 public:
  TarArchive& header(const TarHeader& what) {
    std::string block(512, '\0');
    const auto put = [&block](std::size_t at, std::string_view text) {
      block.replace(at, text.size(), text);
    };
    put(0, what.name.substr(0, 100));
    put(100, "0000644");
    put(124, octal(what.size, 11));
    put(136, octal(what.modified_s, 11));
    block[156] = what.type;
    put(157, what.link.substr(0, 100));
    put(257, std::string_view("ustar\00000", 8));
    put(345, what.prefix);
    return raw(sealed(std::move(block)));
  }
  // The bytes of a member, filled up to a block.
  TarArchive& data(std::string_view bytes) {
    bytes_ += bytes;
    bytes_.resize((bytes_.size() + 511) / 512 * 512, '\0');
    return *this;
  }
  TarArchive& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  TarArchive& file(const std::string& name, std::string_view bytes) {
    return header({.name = name, .size = bytes.size()}).data(bytes);
  }
  TarArchive& pax(std::string_view records) {
    return header({.name = "pax", .type = 'x', .size = records.size()}).data(records);
  }
  // One record of a pax header.
  static std::string record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t size = rest + 1;
    while (std::to_string(size).size() + rest != size) ++size;
    return std::to_string(size) + ' ' + std::string(key) + '=' + std::string(value) + '\n';
  }
  TarArchive& end() { return raw(std::string(1024, '\0')); }

  // The checksum made right.
  static std::string sealed(std::string block) {
    block.replace(148, 8, "        ");
    std::uint64_t sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    block.replace(148, 7, octal(sum, 6) + '\0');
    return block;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

  // As a disk, which may have sectors of several blocks.
  [[nodiscard]] block::Memory device(std::uint32_t sector_bytes = 512) const {
    std::string whole = bytes_;
    whole.resize((whole.size() + sector_bytes - 1) / sector_bytes * sector_bytes, '\0');
    if (whole.empty()) whole.resize(sector_bytes);
    const auto* begin = reinterpret_cast<const std::byte*>(whole.data());
    return {{sector_bytes, whole.size() / sector_bytes, false}, {begin, begin + whole.size()}};
  }

 private:
  static std::string octal(std::uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return text;
  }
  std::string bytes_;
};

}  // namespace kv
