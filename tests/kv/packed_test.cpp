// SPDX-License-Identifier: ISC
// tests/kv/packed_test.cpp: archives as `crunch pack` writes them: KvRo's laws, what is refused.
//
// Method: an archive is made in memory; then each part of it is changed, with the right hash. What
// is not refused must keep the laws of keys and sizes.

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "kv/tar/tar.hpp"
#include "tests/kv/laws.hpp"
#include "tests/kv/packed_archive.hpp"

namespace kv {
namespace {

template <std::uint32_t sector_bytes>
class PackedFixture {
 public:
  PackedFixture(const Content& content, base::Loop& loop)
      : content_(content),
        device_(PackedArchive::device(packed_archive_of(content).bytes(), sector_bytes)),
        store_(device_) {
    const auto connected = answer(loop, store_.connect());
    EXPECT_TRUE(connected.has_value()) << connected.error();
    EXPECT_TRUE(store_.is_packed());
  }
  Tar<block::Memory>& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  block::Memory device_;
  Tar<block::Memory> store_;
};

template <class Fixture>
class PackedLaws : public ::testing::Test {};
using Fixtures = ::testing::Types<PackedFixture<512>, PackedFixture<4096>>;
TYPED_TEST_SUITE(PackedLaws, Fixtures);

TYPED_TEST(PackedLaws, AreKvRos) {
  for (int number = 1; number <= Laws<TypeParam>::count; ++number) {
    Laws<TypeParam> laws(small_site());
    EXPECT_EQ(laws.broken(number), std::vector<std::string>{}) << "law " << number;
  }
}

// Why it is refused; "" if it is not, and then everything in it can be had.
std::string refusal_of(const std::string& bytes) {
  block::Memory device = PackedArchive::device(bytes);
  Tar<block::Memory> store(device);
  const auto connected = base::run_now(store.connect());
  if (!connected) {
    EXPECT_EQ(store.exists("").value.error(), Error::unavailable);
    EXPECT_EQ(connected.error().find('\n'), std::string::npos);
    return connected.error();
  }
  std::vector<std::string> folders{""};
  while (!folders.empty()) {
    const std::string folder = folders.back();
    folders.pop_back();
    const auto entries = store.list(folder).value;
    EXPECT_TRUE(entries.has_value());
    if (!entries) continue;
    for (const Entry& entry : *entries) {
      const std::string key = folder.empty() ? entry.name : folder + '/' + entry.name;
      if (entry.kind == Kind::dictionary) {
        folders.push_back(key);
        continue;
      }
      const auto stat = store.stat(key).value;
      EXPECT_TRUE(stat.has_value()) << key;
      for (const Encoding encoding :
           {Encoding::identity, Encoding::gzip, Encoding::br, Encoding::zstd}) {
        if (!stat || !stat->has(encoding)) continue;
        const Form& form = stat->form(encoding);
        const auto value = base::run_now(store.get(key, encoding));
        EXPECT_TRUE(value && Bytes(*value).size() == form.size_bytes) << key;
        EXPECT_EQ(form.head.at(form.head.length).text(),
                  "Content-Length: " + std::to_string(form.size_bytes) + "\r\n");
      }
    }
  }
  return "";
}

Content two_files() {
  return {{"a/one.txt", {"first", {{Encoding::gzip, "GZ"}}}}, {"b.txt", {"second", {}}}};
}

TEST(Packed, WhatIsCutOrChangedIsRefusedWithWhatToDo) {
  const PackedArchive archive = packed_archive_of(two_files());
  const std::string whole = archive.bytes();
  EXPECT_EQ(refusal_of(whole), "");
  EXPECT_EQ(refusal_of(whole + std::string(1 << 20, '\0')), "") << "a longer disk";
  for (std::size_t size = 1024; size < whole.size(); size += 512) {
    const std::string said = refusal_of(whole.substr(0, size));
    EXPECT_NE(said.find("was cut short"), std::string::npos) << size << said;
    EXPECT_NE(said.find("copy it again"), std::string::npos);
  }
  std::string other = whole;
  other[512] = 'X';
  EXPECT_EQ(refusal_of(other), "was packed by another crunch: run crunch pack again");
  // As `tar --append` leaves it.
  const std::string appended =
      TarArchive().raw(whole.substr(0, whole.size() - 1024)).file("new.txt", "new").end().bytes();
  EXPECT_NE(refusal_of(appended).find("was changed after crunch pack"), std::string::npos);
  for (const auto change : {+[](tar::Packed& packed) { packed.index_offset += 512; },
                            +[](tar::Packed& packed) { packed.index_offset -= 512; },
                            +[](tar::Packed& packed) { packed.index_offset = ~0ULL; },
                            +[](tar::Packed& packed) { packed.index_offset += 1; },
                            +[](tar::Packed& packed) { packed.index_bytes = ~0ULL; },
                            +[](tar::Packed& packed) { packed.index_bytes = 0; },
                            +[](tar::Packed& packed) { packed.end_offset = ~0ULL; },
                            +[](tar::Packed& packed) { packed.end_offset = 512; },
                            +[](tar::Packed& packed) { packed.index_sha256[0] ^= std::byte{1}; }}) {
    tar::Packed packed = archive.packed();
    change(packed);
    EXPECT_NE(refusal_of(archive.bytes(packed)), "");
  }
}

TEST(Packed, AnIndexOfWhichNothingIsRightIsRefused) {
  const PackedArchive right = packed_archive_of(two_files());
  const auto with = [&right](std::size_t offset, std::uint64_t value, std::size_t bytes) {
    PackedArchive archive = right;
    std::memcpy(archive.index.data() + offset, &value, bytes);
    return refusal_of(archive.bytes());
  };
  using crunched::FormRecord;
  const std::size_t files = sizeof(crunched::Header);
  const std::size_t forms = files + 2 * sizeof(crunched::File);
  const std::size_t slots = forms + 3 * sizeof(FormRecord);
  const struct {
    std::size_t offset;
    std::uint64_t value;
    std::size_t bytes;
    std::string_view why;
  } table[] = {
      {0, 'x', 1, "of another crunch, or not whole"},
      {offsetof(crunched::Header, file_count), 3, 4, "not whole"},
      {offsetof(crunched::Header, slot_count), 0, 4, "not whole"},
      {offsetof(crunched::Header, slot_count), 0xFFFFFFFF, 4, "not whole"},
      {offsetof(crunched::Header, key_bytes), ~0ULL, 8, "not whole"},
      {offsetof(crunched::Header, content_bytes), 1, 8, "of another archive"},
      {files + offsetof(crunched::File, key_offset), 0xFFFFFFFF, 4, "not in order"},
      {files + offsetof(crunched::File, key_bytes), 1000, 4, "not in order"},
      {files + offsetof(crunched::File, key_bytes), 0, 4, "not in order"},
      {files + offsetof(crunched::File, encodings), 0, 1, "not in order"},
      {files + offsetof(crunched::File, encodings), 0xFF, 1, "not in order"},
      {files + offsetof(crunched::File, first_form), 9, 4, "not in order"},
      {slots, 77, 4, "cannot be found by its name"},
      {forms + offsetof(FormRecord, content_offset), ~0ULL, 8, "lies beyond its end"},
      {forms + offsetof(FormRecord, size_bytes), ~0ULL, 8, "lies beyond its end"},
      {forms + offsetof(FormRecord, size_bytes), 4, 8, "fields of a file are damaged"},
      {forms + offsetof(FormRecord, type), 2, 4, "fields of a file are damaged"},
      {forms + offsetof(FormRecord, type), 0xFFFFFFFC, 4, "fields of a file are damaged"},
      {forms + offsetof(FormRecord, length), 0, 4, "fields of a file are damaged"},
  };
  for (const auto& [offset, value, bytes, why] : table) {
    const std::string said = with(offset, value, bytes);
    EXPECT_NE(said.find(why), std::string::npos) << offset << ": " << said;
  }
}

TEST(Packed, EachByteOfTheIndexMayBeAnything) {
  const PackedArchive right = packed_archive_of(two_files());
  for (std::size_t at = 0; at < right.index.size(); ++at) {
    for (const unsigned flip : {1U, 0x80U, 0xFFU}) {
      PackedArchive archive = right;
      archive.index[at] ^= static_cast<std::byte>(flip);
      static_cast<void>(refusal_of(archive.bytes()));
    }
  }
  const unsigned seed = 20261130;
  SCOPED_TRACE(seed);
  std::mt19937 chance(seed);
  for (int i = 0; i < 2000; ++i) {
    PackedArchive archive = right;
    for (unsigned changes = 1 + chance() % 4; changes > 0; --changes) {
      archive.index[chance() % archive.index.size()] = static_cast<std::byte>(chance());
    }
    static_cast<void>(refusal_of(archive.bytes()));
  }
}

TEST(Packed, KeysThatAreNoneAreRefused) {
  for (const char* key : {"../../x", "/a", "a//b", "a/./b", "\xff\xff\xff\xff\xff"}) {
    PackedArchive archive = packed_archive_of({{std::string(std::strlen(key), 'k'), {"v", {}}}});
    const std::string stand_in(std::strlen(key), 'k');
    auto* const begin = reinterpret_cast<char*>(archive.index.data());
    const std::string_view text(begin, archive.index.size());
    std::memcpy(begin + text.rfind(stand_in), key, stand_in.size());
    EXPECT_NE(refusal_of(archive.bytes()).find("not in order"), std::string::npos) << key;
  }
}

}  // namespace
}  // namespace kv
