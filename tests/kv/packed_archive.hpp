// SPDX-License-Identifier: ISC
// tests/kv/packed_archive.hpp: archives as `crunch pack` writes them, right and wrong.

#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "kv/crunched/writer.hpp"
#include "kv/digest.hpp"
#include "kv/tar/packed.hpp"
#include "tests/kv/content.hpp"
#include "tests/kv/tar_archive.hpp"

namespace kv {

// The parts of an archive, to be changed before they are put together.
struct PackedArchive {
  std::string members;  // between the first and the last one
  std::vector<std::byte> index;

  static constexpr std::uint64_t members_offset = tar::packed_blocks_bytes;

  [[nodiscard]] tar::Packed packed() const {
    tar::Packed packed;
    packed.index_offset = members_offset + members.size() + tar_header_bytes;
    packed.index_bytes = index.size();
    packed.end_offset = packed.index_offset + (index.size() + 511) / 512 * 512;
    packed.index_sha256 = crypto::sha256_of(index);
    return packed;
  }
  [[nodiscard]] std::string bytes(const tar::Packed& packed) const {
    return TarArchive()
        .file(std::string(tar::packed_name), packed.encode())
        .raw(members)
        .file(std::string(tar::index_name), base::text_of(index))
        .end()
        .bytes();
  }
  [[nodiscard]] std::string bytes() const { return bytes(packed()); }
  static block::Memory device(const std::string& bytes, std::uint32_t sector_bytes = 512) {
    return TarArchive().raw(bytes).device(sector_bytes);
  }

 private:
  static constexpr std::uint64_t tar_header_bytes = 512;
};

inline PackedArchive packed_archive_of(const Content& content) {
  crunched::Writer writer;
  TarArchive members;
  for (const auto& [key, item] : content) {
    std::vector<crunched::WrittenForm> forms;
    const auto add = [&](Encoding encoding, const std::string& bytes) {
      members.header({.name = "member", .size = bytes.size()});
      const std::uint64_t offset = PackedArchive::members_offset + members.bytes().size();
      HeadFields head;
      head.type = {{"Content-Type", "text/" + std::string(name_of(encoding))}};
      head.length = {{"Content-Length", std::to_string(bytes.size())}};
      forms.push_back(
          {encoding, bytes.size(), digest_of(base::bytes_of(bytes)), std::move(head), offset});
      members.data(bytes);
    };
    add(Encoding::identity, item.identity);
    for (const auto& [encoding, bytes] : item.encoded) add(encoding, bytes);
    writer.add(key, 1'600'000'000, forms);
  }
  PackedArchive archive;
  archive.members = members.bytes();
  std::array<char, 64> digest;
  digest.fill('d');
  archive.index = writer.index(archive.packed().index_offset, digest);
  return archive;
}

}  // namespace kv
