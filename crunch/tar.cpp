// SPDX-License-Identifier: ISC
#include "crunch/tar.hpp"

#include <cstring>

namespace crunch {
namespace {

struct Header {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(Header) == tar_block_bytes);

constexpr std::uint64_t number_end = std::uint64_t{1} << 33U;  // more than 11 octal digits say

// Octal digits up to the last byte, which is zero.
template <std::size_t N>
void put(char (&field)[N], std::uint64_t value) {
  for (std::size_t i = N - 1; i-- > 0; value /= 8) field[i] = static_cast<char>('0' + value % 8);
}

// One block; what does not fit is cut, or 0.
std::string block_of(const TarEntry& entry, char type) {
  Header header{};
  entry.name.copy(header.name, sizeof header.name);
  entry.link.copy(header.link, sizeof header.link);
  put(header.mode, entry.mode);
  put(header.uid, entry.uid);
  put(header.gid, entry.gid);
  put(header.size, entry.size_bytes < number_end ? entry.size_bytes : 0);
  const auto modified_s = static_cast<std::uint64_t>(entry.modified_s);
  put(header.mtime, modified_s < number_end ? modified_s : 0);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  header.type = type;
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  put(header.device_major, 0);
  put(header.device_minor, 0);
  std::string raw(tar_block_bytes, '\0');
  std::memcpy(raw.data(), &header, raw.size());
  unsigned sum = 0;
  for (const char c : raw) sum += static_cast<unsigned char>(c);
  char digits[7]{};  // six, and a zero; the space stays behind it
  put(digits, sum);
  raw.replace(offsetof(Header, checksum), sizeof digits, digits, sizeof digits);
  return raw;
}

// "LENGTH KEY=VALUE\n", where the length counts its own digits too.
std::string record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t size = rest + 1;
  while (std::to_string(size).size() + rest != size) ++size;
  return std::to_string(size) + ' ' + std::string(key) + '=' + std::string(value) + '\n';
}

}  // namespace

std::string tar_header(const TarEntry& entry) {
  std::string records;
  if (entry.name.size() > sizeof Header::name) records += record("path", entry.name);
  if (entry.link.size() > sizeof Header::link) records += record("linkpath", entry.link);
  if (entry.size_bytes >= number_end) records += record("size", std::to_string(entry.size_bytes));
  if (static_cast<std::uint64_t>(entry.modified_s) >= number_end) {
    records += record("mtime", std::to_string(entry.modified_s));
  }
  std::string out;
  if (!records.empty()) {
    out = block_of({.name = "PaxHeader", .size_bytes = records.size()}, 'x') + records;
    out.append(tar_padding(records.size()), '\0');
  }
  return out + block_of(entry, entry.link.empty() ? '0' : '1');
}

}  // namespace crunch
