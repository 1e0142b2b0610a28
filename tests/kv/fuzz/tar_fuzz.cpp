// SPDX-License-Identifier: ISC
// tests/kv/fuzz/tar_fuzz.cpp: any bytes as a tar archive.
//
// Held:  connecting ends; what it gives keeps KvRo's rules of keys, and every value can be read and
//        has the size of its stat.
// Input: an index after "P", put into an archive as if crunch pack had made it, with its hash and
//        the size that it is of; else blocks of 512 bytes: where the first byte of the checksum
//        field is '!', the right checksum is put there. No fuzzer guesses those.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "kv/tar/tar.hpp"
#include "tests/kv/packed_archive.hpp"
#include "tests/kv/tar_archive.hpp"

namespace {

using namespace kv;

void check(Tar<block::Memory>& store, const std::string& key) {
  const auto entries = base::run_now(store.list(key));
  CHECK(entries.has_value());
  for (const Entry& entry : *entries) {
    const std::string below = key.empty() ? entry.name : key + '/' + entry.name;
    CHECK(is_normal(below) && is_utf8(below));
    if (entry.kind == Kind::dictionary) {
      check(store, below);
      continue;
    }
    const auto stat = base::run_now(store.stat(below));
    CHECK(stat.has_value());
    const auto value = base::run_now(store.get(below, Encoding::identity));
    CHECK(value.has_value());
    CHECK(Bytes(*value).size() == stat->form(Encoding::identity).size_bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t bytes_max = 65'536;
  TarArchive archive;
  std::string input(reinterpret_cast<const char*>(data), std::min(size, bytes_max));
  if (input.starts_with('P')) {
    PackedArchive packed;
    packed.members.resize(1024);
    const Bytes index = base::bytes_of(std::string_view(input).substr(1));
    packed.index.assign(index.begin(), index.end());
    const std::uint64_t content_bytes = packed.packed().index_offset;
    if (index.size() >= sizeof(crunched::Header)) {
      std::memcpy(packed.index.data() + offsetof(crunched::Header, content_bytes), &content_bytes,
                  sizeof content_bytes);
    }
    archive.raw(packed.bytes());
    input.clear();
  }
  for (std::size_t at = 0; at < input.size(); at += 512) {
    std::string block = input.substr(at, 512);
    block.resize(512);
    archive.raw(block[148] == '!' ? TarArchive::sealed(block) : block);
  }
  block::Memory device = archive.device();
  Tar<block::Memory> store(device);
  const auto connected = base::run_now(store.connect());
  if (!connected) {
    CHECK(!connected.error().empty());
    return 0;
  }
  check(store, "");
  return 0;
}
