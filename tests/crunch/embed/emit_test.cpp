// SPDX-License-Identifier: ISC
// What is written: the content without repetition, and the digest that names a site.
#include "crunch/embed/emit.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "kv/crunched/table.hpp"
#include "tests/kv/tree.hpp"

namespace {

namespace fs = std::filesystem;
using crunch::embed::AlignedLayout;
using crunch::embed::Content;
using crunch::embed::FileRecord;
using crunch::embed::Label;
using crunch::embed::Layout;
using crunch::embed::Placed;
using crunch::embed::Site;

crypto::Sha256Bytes sha(std::string_view text) { return crypto::sha256_of(base::bytes_of(text)); }

class ContentTest : public ::testing::Test {
 protected:
  const kv::Tree tree_;
  const std::string& folder_ = tree_.path();
};

TEST_F(ContentTest, EqualBytesAreThereOnce) {
  crunch::NewFile file(folder_ + "/content", 0644);
  AlignedLayout layout;
  Content content(file, layout);
  const Label label{.name = "a file", .modified_s = 0, .is_file = true};
  auto place = [&](std::string_view text) {
    return content.place(label, sha(text), text.size(), base::bytes_of(text));
  };
  Placed one = place("one");
  Placed two = place("twotwotwotwotwotwo");
  EXPECT_EQ(place("one").offset, one.offset);
  // Its bytes are not needed a second time.
  EXPECT_EQ(content.place(label, sha("one"), 3, {}).offset, one.offset);
  EXPECT_EQ(one.offset, 0U);
  EXPECT_EQ(two.offset, kv::crunched::content_alignment);
  EXPECT_EQ(content.size_bytes(), 16U + 18U);

  // In pieces: placed if new, taken back if not.
  content.begin_pieces(label, 18);
  content.add_piece(base::bytes_of("twotwotwo"));
  content.add_piece(base::bytes_of("twotwotwo"));
  EXPECT_EQ(content.end_pieces(label).offset, two.offset);
  EXPECT_EQ(content.size_bytes(), 16U + 18U);
  content.begin_pieces(label, kv::crunched::page_aligned_bytes_min);  // as what comes so is
  content.add_piece(base::bytes_of("th"));
  content.add_piece(base::bytes_of("ree"));
  Placed three = content.end_pieces(label);
  EXPECT_EQ(three.offset, kv::crunched::page_alignment);
  EXPECT_EQ(three.size_bytes, 5U);
  EXPECT_EQ(three.sha256, sha("three"));
  EXPECT_EQ(place("three").offset, three.offset);

  EXPECT_FALSE(fs::exists(folder_ + "/content"));  // not before it is whole
  EXPECT_EQ(crunch::replace_changed({&file}), 1U);
  std::string bytes = crunch::read_file(folder_ + "/content");
  EXPECT_EQ(bytes, std::string("one") + std::string(13, '\0') + "twotwotwotwotwotwo" +
                       std::string(4096 - 34, '\0') + "three");
}

// Records what it was asked for, and marks the places.
class RecordingLayout final : public Layout {
 public:
  void begin(crunch::NewFile& file, const Label& label, std::uint64_t size_bytes) override {
    said += "begin " + label.name + ' ' + std::to_string(size_bytes) + "; ";
    file.write(base::bytes_of("<"));
  }
  void end(crunch::NewFile& file, std::uint64_t size_bytes) override {
    said += "end " + std::to_string(size_bytes) + "; ";
    file.write(base::bytes_of(">"));
  }
  void repeat(crunch::NewFile& file, const Label& label, const std::string& first) override {
    said += "repeat " + label.name + " as " + first + "; ";
    file.write(base::bytes_of("="));
  }
  std::string said;
};

TEST_F(ContentTest, ALayoutStandsAroundWhatIsNewAndInPlaceOfTheRest) {
  crunch::NewFile file(folder_ + "/content", 0644);
  RecordingLayout layout;
  Content content(file, layout);
  const auto label = [](std::string name) { return Label{std::move(name), 0, true}; };
  EXPECT_EQ(content.place(label("a"), sha("one"), 3, base::bytes_of("one")).offset, 1U);
  EXPECT_EQ(content.place(label("b"), sha("one"), 3, {}).offset, 1U);
  content.begin_pieces(label("c"), 3);
  content.add_piece(base::bytes_of("one"));
  EXPECT_EQ(content.end_pieces(label("c")).offset, 1U);
  content.begin_pieces(label("d"), 3);
  content.add_piece(base::bytes_of("two"));
  EXPECT_EQ(content.end_pieces(label("d")).offset, 8U);
  EXPECT_EQ(layout.said,
            "begin a 3; end 3; repeat b as a; begin c 3; repeat c as a; begin d 3; end 3; ");
  EXPECT_EQ(crunch::replace_changed({&file}), 1U);
  EXPECT_EQ(crunch::read_file(folder_ + "/content"), "<one>==<two>");
}

TEST(SiteDigest, ChangesWithEveryPathTimeAndContent) {
  auto site_of = [](std::string key, std::int64_t modified_s, std::string_view text) {
    Site site;
    site.name = "site";
    FileRecord file;
    file.key = std::move(key);
    file.modified_s = modified_s;
    file.forms[0] = Placed{0, text.size(), sha(text)};
    site.files.push_back(file);
    return site;
  };
  std::string digest = crunch::embed::digest_of(site_of("a", 1, "x"));
  EXPECT_EQ(digest.size(), 64U);
  EXPECT_EQ(digest, crunch::embed::digest_of(site_of("a", 1, "x")));
  EXPECT_NE(digest, crunch::embed::digest_of(site_of("b", 1, "x")));
  EXPECT_NE(digest, crunch::embed::digest_of(site_of("a", 2, "x")));
  EXPECT_NE(digest, crunch::embed::digest_of(site_of("a", 1, "y")));
  // Forms are of the same content: another --effort is the same site.
  Site with_forms = site_of("a", 1, "x");
  with_forms.files[0].forms[1] = Placed{16, 3, sha("gzip")};
  EXPECT_EQ(digest, crunch::embed::digest_of(with_forms));
}

// A tree cannot have them, but a mistake in the walk could: nothing is lost without a word.
TEST(Index, RefusesKeysThatCollide) {
  Site site;
  FileRecord file;
  file.forms[0] = Placed{0, 0, sha("")};
  for (const char* key : {"a", "a"}) {
    file.key = key;
    site.files.push_back(file);
  }
  std::string digest(64, '0');
  EXPECT_THROW(static_cast<void>(crunch::embed::index_of(site, digest)), std::invalid_argument);
  site.files[1].key = "a/b";
  EXPECT_THROW(static_cast<void>(crunch::embed::index_of(site, digest)), std::invalid_argument);
  site.files[1].key = "a-b";
  EXPECT_NO_THROW(static_cast<void>(crunch::embed::index_of(site, digest)));
}

}  // namespace
