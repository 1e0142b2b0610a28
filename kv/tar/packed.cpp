// SPDX-License-Identifier: ISC
#include "kv/tar/packed.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace kv::tar {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as in memory");

constexpr std::array<char, 8> packed_magic{'c', 'r', 'p', 'a', 'c', 'k', '0', '1'};

struct Record {
  std::array<char, 8> magic;
  std::uint64_t index_offset, index_bytes, end_offset;
  crypto::Sha256Bytes index_sha256;
};
static_assert(sizeof(Record) == packed_bytes);

constexpr std::uint64_t end_bytes = 1024;
constexpr std::uint64_t alignment = 512;

}  // namespace

std::string Packed::encode() const {
  const Record record{packed_magic, index_offset, index_bytes, end_offset, index_sha256};
  std::string bytes(sizeof record, '\0');
  std::memcpy(bytes.data(), &record, sizeof record);
  return bytes;
}

base::Result<std::optional<Packed>, std::string> packed_in(base::Bytes begin,
                                                           std::uint64_t size_bytes) {
  using Outcome = base::Result<std::optional<Packed>, std::string>;
  const std::string_view text = base::text_of(begin);
  if (text.size() < packed_blocks_bytes || !text.starts_with(packed_name) ||
      text[packed_name.size()] != '\0') {
    return Outcome(std::nullopt);
  }
  Record record;
  std::memcpy(&record, text.data() + 512, sizeof record);
  if (record.magic != packed_magic) {
    return base::failure(std::string("was packed by another crunch: run crunch pack again"));
  }
  if (record.end_offset > size_bytes || size_bytes - record.end_offset < end_bytes) {
    return base::failure("was cut short: it has " + std::to_string(size_bytes) +
                         " bytes, and its files end at byte " + std::to_string(record.end_offset) +
                         "; copy it again");
  }
  if (record.end_offset % alignment != 0 || record.index_offset % alignment != 0 ||
      record.index_bytes > index_bytes_max || record.index_offset > record.end_offset ||
      record.index_bytes > record.end_offset - record.index_offset) {
    return base::failure(std::string("is damaged: its index lies outside; copy it again"));
  }
  return Outcome(
      Packed{record.index_offset, record.index_bytes, record.end_offset, record.index_sha256});
}

}  // namespace kv::tar
