// SPDX-License-Identifier: ISC
#include "crunch/package/archive.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

#include "crunch/failure.hpp"

namespace crunch::package {
namespace {

constexpr std::size_t block_bytes = 512;

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
static_assert(sizeof(Header) == block_bytes);

// Octal digits up to the last byte, which is zero.
template <std::size_t N>
void put(char (&field)[N], std::uint64_t value) {
  for (std::size_t i = N - 1; i-- > 0; value /= 8) field[i] = static_cast<char>('0' + value % 8);
}

}  // namespace

void Archive::add(std::string_view name, std::string_view bytes, unsigned mode, Owner owner) {
  Header header{};
  if (name.size() > sizeof header.name) {
    throw Failure(in_quotes(name) + " is too long a name for an archive: at most 100 bytes");
  }
  if (bytes.size() >= 1ULL << 33U) {
    throw Failure(in_quotes(name) + " is too large for an archive: less than 8 GiB");
  }
  name.copy(header.name, name.size());
  put(header.mode, mode);
  put(header.uid, owner.uid);
  put(header.gid, owner.gid);
  put(header.size, bytes.size());
  put(header.mtime, 0);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  put(header.device_major, 0);
  put(header.device_minor, 0);
  unsigned sum = 0;
  char raw[block_bytes];
  std::memcpy(raw, &header, sizeof raw);
  for (const char c : raw) sum += static_cast<unsigned char>(c);
  char digits[7]{};  // six, and a zero; the space stays behind it
  put(digits, sum);
  std::memcpy(header.checksum, digits, sizeof digits);
  std::memcpy(raw, &header, sizeof raw);
  bytes_.append(raw, sizeof raw).append(bytes);
  bytes_.append((block_bytes - bytes.size() % block_bytes) % block_bytes, '\0');
}

std::string Archive::finish() && {
  bytes_.append(2 * block_bytes, '\0');
  return std::move(bytes_);
}

}  // namespace crunch::package
