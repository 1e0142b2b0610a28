// SPDX-License-Identifier: ISC
// kv/tar: KvRo's laws on archives, those of the tar of this system in each of its formats, and what
// is refused with which sentence.

#include "kv/tar/tar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "tests/block/archetype.hpp"
#include "tests/kv/laws.hpp"
#include "tests/kv/tar_archive.hpp"
#include "tests/kv/tree.hpp"

namespace kv {
namespace {

static_assert(KvRo<Tar<block::Archetype>>);

// The content in an archive with pax names, on sectors of 512 or 4,096 bytes.
template <std::uint32_t sector_bytes>
class TarFixture {
 public:
  TarFixture(const Content& content, base::Loop& loop) : content_(content) {
    TarArchive archive;
    for (auto& [key, item] : content_) {
      item.encoded.clear();
      if (key.size() > 100) archive.pax(TarArchive::record("path", key));
      archive.file(key.size() > 100 ? "short" : key, item.identity);
    }
    device_.emplace(archive.end().device(sector_bytes));
    store_.emplace(*device_);
    const auto connected = answer(loop, store_->connect());
    EXPECT_TRUE(connected.has_value());
  }
  Tar<block::Memory>& store() { return *store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  std::optional<block::Memory> device_;
  std::optional<Tar<block::Memory>> store_;
};

template <class Fixture>
class TarLaws : public ::testing::Test {};
using Fixtures = ::testing::Types<TarFixture<512>, TarFixture<4096>>;
TYPED_TEST_SUITE(TarLaws, Fixtures);

TYPED_TEST(TarLaws, AreKvRos) {
  for (int number = 1; number <= Laws<TypeParam>::count; ++number) {
    Laws<TypeParam> laws(small_site());
    EXPECT_EQ(laws.broken(number), std::vector<std::string>{}) << "law " << number;
  }
}

// Every file of an archive, or why it is refused.
struct Read {
  std::map<std::string, std::string> files;
  std::string refusal;
};

void collect(Tar<block::Memory>& store, const std::string& key, Read& read) {
  const auto entries = base::run_now(store.list(key));
  ASSERT_TRUE(entries.has_value());
  for (const Entry& entry : *entries) {
    const std::string below = key.empty() ? entry.name : key + '/' + entry.name;
    if (entry.kind == Kind::dictionary) {
      collect(store, below, read);
      continue;
    }
    const auto value = base::run_now(store.get(below, Encoding::identity));
    read.files[below] = value ? std::string(base::text_of(Bytes(*value))) : "(unreadable)";
  }
}

Read read(block::Memory device) {
  Tar<block::Memory> store(device);
  Read read;
  const auto connected = base::run_now(store.connect());
  if (connected) {
    collect(store, "", read);
  } else {
    read.refusal = connected.error();
    EXPECT_EQ(store.exists("").value.error(), Error::unavailable);
  }
  return read;
}
Read read(const TarArchive& archive) { return read(archive.device()); }
using Files = std::map<std::string, std::string>;

TEST(TarFormat, NamesAndKinds) {
  TarArchive archive;
  archive.header({.name = "./", .type = '5'})
      .file("./index.html", "one")
      .header({.name = "docs/", .type = '5'})
      .header({.name = "page", .size = 3, .prefix = "docs/deep"})
      .data("two")
      .header({.name = "old-dir/", .type = '\0'})
      .header({.name = "old", .type = '\0', .size = 5})
      .data("three")
      .header({.name = "contiguous", .type = '7', .size = 1})
      .data("c")
      .header({.name = "fifo", .type = '6'})
      .header({.name = "device", .type = '3'})
      .header({.name = "again", .type = '1', .link = "./index.html"})
      .file("empty", "")
      .end();
  EXPECT_EQ(read(archive).files, (Files{{"index.html", "one"},
                                        {"docs/deep/page", "two"},
                                        {"old", "three"},
                                        {"contiguous", "c"},
                                        {"again", "one"},
                                        {"empty", ""}}));
}

TEST(TarFormat, Extensions) {
  const std::string long_name = std::string(300, 'd') + "/" + std::string(200, 'f');
  const std::string of_gnu = long_name + '\0';
  TarArchive archive;
  archive.pax(TarArchive::record("path", long_name) + TarArchive::record("mtime", "1700000000.5"))
      .file("cut", "pax")
      .header({.name = "././@LongLink", .type = 'L', .size = of_gnu.size() + 1})
      .data(of_gnu + "g")
      .file("cut", "gnu")
      .header({.name = "g", .type = 'g', .size = 20})
      .data("20 comment=of a git\n")
      .pax(TarArchive::record("size", "4"))
      .header({.name = "sized"})
      .data("four")
      .file("plain", "after them")
      .end();
  const Read found = read(archive);
  EXPECT_EQ(found.refusal, "");
  EXPECT_EQ(found.files, (Files{{long_name, "gnu"}, {"sized", "four"}, {"plain", "after them"}}))
      << "of two members of one name the later counts";
  block::Memory device = archive.device();
  Tar<block::Memory> store(device);
  ASSERT_TRUE(base::run_now(store.connect()).has_value());
  EXPECT_EQ(store.stat("plain").value->modified_s, 1'600'000'000);
}

TEST(TarFormat, AnEmptyArchiveIsAnEmptyStore) {
  EXPECT_EQ(read(TarArchive().end()).refusal, "");
  EXPECT_EQ(read(TarArchive().file("a", "1").end().raw("garbage behind the end mark")).files,
            (Files{{"a", "1"}}));
}

TEST(TarFormat, HostileOnesAreRefused) {
  const auto one = [](const TarHeader& header) { return TarArchive().header(header).end(); };
  const auto in_pax = [](std::string_view records) {
    return TarArchive().pax(records).file("a", "1").end();
  };
  std::string wrong = TarArchive().file("a", "1").file("b", "2").end().bytes();
  wrong[1024] = 'c';
  const struct {
    TarArchive archive;
    std::string_view why;
  } table[] = {
      {TarArchive().raw(std::string(512, 'x')), "is no tar archive"},
      {TarArchive().raw(wrong), "the header at byte 1024 has a wrong checksum"},
      {one({.name = "/etc/passwd"}), "\"/etc/passwd\" has a name that is no path below the top"},
      {one({.name = "../x"}), "no path below the top"},
      {one({.name = "a/../../x"}), "no path below the top"},
      {one({.name = "a//b"}), "no path below the top"},
      {one({.name = "\xff"}), "no path below the top"},
      {one({.name = ""}), "has no name"},
      {one({.name = "x", .type = '2', .link = "/etc"}), "is a symbolic link; pack with"},
      {one({.name = "x", .type = '1', .link = "none"}), "is a link to what comes not before it"},
      {one({.name = "x", .type = 'S'}), "is a sparse file"},
      {one({.name = "x", .size = 2000}), "longer than the archive: it was cut short"},
      {one({.name = "x", .size = 077777777777}), "longer than the archive"},
      {one({.name = "x", .type = 'x', .size = 70'000}), "more than 64 KiB"},
      {one({.name = "x", .type = 'x', .size = 2000}), "longer than the archive"},
      {one({.name = "x", .type = 'g', .size = 2000}), "longer than the archive"},
      {TarArchive().file("a", "1"), "was cut short: its end mark is missing"},
      {TarArchive().header({.name = "a", .size = 600}).raw(std::string(512, 'a')), "cut short"},
      {TarArchive().file("a", "1").file("a/b", "2").end(), "\"a/b\" lies in a file"},
      {TarArchive().file("a/b", "1").file("a", "2").end(), "\"a\" is a file and a folder"},
      {in_pax("x"), "a length that is none"},
      {in_pax("5 a=b"), "a length that is none"},
      {in_pax("99 a=b\n"), "a length that is none"},
      {in_pax("0 a=b\n"), "a length that is none"},
      {in_pax("99999999999999999999 a=b\n"), "a length that is none"},
      {in_pax("6 abc\n"), "without ="},
      {in_pax(TarArchive::record("size", "-1")), "a size that is no number"},
      {in_pax(TarArchive::record("size", "9223372036854775807")), "longer than the archive"},
      {in_pax(TarArchive::record("mtime", "soon")), "a time that is no number"},
      {in_pax(TarArchive::record("path", "../a")), "no path below the top"},
      {in_pax(TarArchive::record("path", std::string(5000, 'p'))), "no path below the top"},
      {in_pax(TarArchive::record("GNU.sparse.major", "1")), "is a sparse file"},
  };
  for (const auto& [archive, why] : table) {
    const Read found = read(archive);
    EXPECT_NE(found.refusal.find(why), std::string::npos) << why << ": " << found.refusal;
    EXPECT_EQ(found.refusal.find('\n'), std::string::npos);
  }
}

// What this system's tar makes of a tree, in each of its formats.
TEST(TarFormat, TheSystemsTar) {
  const Tree tree;
  const std::string long_name = std::string(90, 'a') + "/" + std::string(90, 'b') + "/c.html";
  const Files files{{"index.html", "<p>one</p>"},
                    {"a/b.css", std::string(5000, 'b')},
                    {long_name, "long"},
                    {"empty", ""},
                    {"with space", "s"}};
  for (const auto& [name, bytes] : files) tree.write("site/" + name, bytes);
  for (const char* format : {"ustar", "pax", "gnu"}) {
    const std::string path = tree.at("out.tar").string();
    const std::string command = "tar --format=" + std::string(format) + " -C '" +
                                tree.at("site").string() + "' -cf '" + path + "' .";
    ASSERT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    const Read found = read(TarArchive().raw(bytes));
    EXPECT_EQ(found.refusal, "") << format;
    EXPECT_EQ(found.files, files) << format;
  }
}

TEST(TarFormat, ADeviceThatFailsIsUnavailable) {
  struct Failing {
    [[nodiscard]] static block::Info info() { return {512, 100, false}; }
    static base::Ready<block::Result<void>> read(std::uint64_t, base::MutableBytes) {
      return {base::failure(block::Error::unavailable)};
    }
    static base::Ready<block::Result<void>> write(std::uint64_t, Bytes) { return {{}}; }
    static base::Ready<block::Result<void>> flush() { return {{}}; }
  };
  Failing device;
  Tar<Failing> store(device);
  const auto connected = base::run_now(store.connect());
  ASSERT_FALSE(connected.has_value());
  EXPECT_EQ(connected.error(), "cannot be read: the device fails");
}

}  // namespace
}  // namespace kv
