// SPDX-License-Identifier: ISC
// tests/kv/crunched_test.cpp: kv::Crunched and its writer, beyond the laws that all stores share.
//
// Method: a large random site against std::map, as present keys, absent keys near them and
// dictionaries; the index against itself for another order of adding; every refusal of the writer
// by name; a damaged index must stop the program before it serves a byte.

#include "kv/crunched/crunched.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tests/kv/crunched_site.hpp"

namespace {

using kv::CrunchedSite;
using kv::Encoding;
using kv::Error;
using kv::Kind;
using std::string_literals::operator""s;

// Keys of one to four segments over few letters, so that many share prefixes and '-' and '/' meet.
std::string random_key(std::mt19937& random) {
  constexpr std::string_view letters = "ab-.\xc3\xa9 %0";
  std::string key;
  for (auto segments = 1 + random() % 4; segments > 0; --segments) {
    if (!key.empty()) key += '/';
    key += 's';
    for (auto length = random() % 12; length > 0; --length) {
      key += letters[random() % letters.size()];
    }
  }
  return key;
}

struct Reference {
  std::map<std::string, std::string> files;
  std::set<std::string> dictionaries{""};

  bool can_add(const std::string& key) const {
    if (files.contains(key) || dictionaries.contains(key)) return false;
    for (std::size_t at = key.find('/'); at != std::string::npos; at = key.find('/', at + 1)) {
      if (files.contains(key.substr(0, at))) return false;
    }
    return true;
  }
  void add(const std::string& key, const std::string& value) {
    files[key] = value;
    for (std::size_t at = key.find('/'); at != std::string::npos; at = key.find('/', at + 1)) {
      dictionaries.insert(key.substr(0, at));
    }
  }
};

void expect_same(const kv::Crunched& store, const Reference& reference, const std::string& key) {
  auto kind = base::run_now(store.exists(key));
  auto value = base::run_now(store.get(key, Encoding::identity));
  auto stat = base::run_now(store.stat(key));
  auto file = reference.files.find(key);
  if (file != reference.files.end()) {
    ASSERT_TRUE(kind && value && stat) << key;
    ASSERT_EQ(*kind, Kind::value) << key;
    ASSERT_EQ(base::text_of(*value), file->second) << key;
    ASSERT_EQ(stat->form(Encoding::identity).size_bytes, file->second.size()) << key;
  } else if (reference.dictionaries.contains(key)) {
    ASSERT_EQ(kind, Kind::dictionary) << key;
    ASSERT_EQ(value.error(), Error::value_expected) << key;
    ASSERT_EQ(stat.error(), Error::value_expected) << key;
  } else {
    ASSERT_EQ(kind.error(), Error::not_found) << key;
    ASSERT_EQ(value.error(), Error::not_found) << key;
    ASSERT_EQ(stat.error(), Error::not_found) << key;
  }
}

TEST(Crunched, AHundredThousandKeysAreThoseOfAMap) {
  constexpr unsigned seed = 20260101;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Reference reference;
  CrunchedSite site;
  while (reference.files.size() < 100'000) {
    std::string key = random_key(random);
    if (!reference.can_add(key)) continue;
    std::string value = std::to_string(reference.files.size() % 5'000);
    reference.add(key, value);
    site.add(key, 1, {{Encoding::identity, value, {}}});
  }
  kv::Crunched store(site.site());
  ASSERT_EQ(store.file_count(), 100'000U);
  for (const auto& [key, value] : reference.files) expect_same(store, reference, key);
  for (const std::string& key : reference.dictionaries) expect_same(store, reference, key);
  for (int i = 0; i < 100'000; ++i) expect_same(store, reference, random_key(random));

  // Every name is listed once, under its dictionary: walking the tree finds the map.
  std::size_t values = 0;
  std::size_t dictionaries = 0;
  for (const std::string& dictionary : reference.dictionaries) {
    ++dictionaries;
    auto entries = base::run_now(store.list(dictionary));
    ASSERT_TRUE(entries) << dictionary;
    for (const kv::Entry& entry : *entries) {
      std::string key = dictionary.empty() ? entry.name : dictionary + '/' + entry.name;
      if (entry.kind == Kind::value) {
        ASSERT_TRUE(reference.files.contains(key)) << key;
        ++values;
      } else {
        ASSERT_TRUE(reference.dictionaries.contains(key)) << key;
      }
    }
  }
  EXPECT_EQ(values, reference.files.size());
  EXPECT_EQ(dictionaries, reference.dictionaries.size());
}

std::string_view type_of(const kv::Stat& stat, Encoding encoding) {
  const kv::Head& head = stat.form(encoding).head;
  return head.at(head.type).text();
}

TEST(Crunched, AnswersEachEncodingWithItsOwnHead) {
  CrunchedSite site;
  site.add("a", 7,
           {{Encoding::zstd, "Z", kv::head_with("hz")},
            {Encoding::identity, "plain", kv::head_with("hi")}});
  site.add("b", 8,
           {{Encoding::identity, "plain2", kv::head_with("hi")},
            {Encoding::br, "BR", kv::head_with("hb")}});
  kv::Crunched store(site.site());
  auto stat = base::run_now(store.stat("a"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->encodings, 0b1001);
  EXPECT_EQ(stat->modified_s, 7);
  EXPECT_EQ(type_of(*stat, Encoding::zstd), "Content-Type: hz\r\n");
  EXPECT_EQ(type_of(*stat, Encoding::identity), "Content-Type: hi\r\n");
  EXPECT_EQ(base::text_of(*base::run_now(store.get("a", Encoding::zstd))), "Z");
  EXPECT_EQ(base::text_of(*base::run_now(store.get("a", Encoding::identity))), "plain");
  EXPECT_EQ(base::text_of(*base::run_now(store.get("b", Encoding::br))), "BR");
  EXPECT_EQ(base::run_now(store.get("b", Encoding::zstd)).error(), Error::not_found);
  EXPECT_EQ(base::run_now(store.get("b", Encoding::gzip)).error(), Error::not_found);
  EXPECT_EQ(store.site_digest(), std::string(64, 'd'));
}

// Every part comes back as it was given, as text and as pairs, and equal parts are there once.
TEST(Crunched, PartsOfHeadsArePooled) {
  const kv::HeadFields fields{
      .validators = {{"ETag", "\"1\""}, {"Cache-Control", "no-cache"}},
      .type = {{"Content-Type", "text/html"}},
      .middle = {},
      .length = {{"Content-Length", "5"}},
      .fields = {{"X-Long", std::string(65'535, 'x')}, {"Empty", ""}, {"X-Long", "again"}}};
  kv::HeadFields other = fields;
  other.length = {{"Content-Length", "6"}};
  CrunchedSite site;
  site.add("b", 1, {{Encoding::identity, "plain", fields}});
  site.add("a", 1, {{Encoding::identity, "plain2", other}});
  kv::Crunched store(site.site());
  auto a = base::run_now(store.stat("a")), b = base::run_now(store.stat("b"));
  ASSERT_TRUE(a && b);
  const kv::Head& head = b->form(Encoding::identity).head;
  const kv::Head& other_head = a->form(Encoding::identity).head;
  ASSERT_TRUE(head.is_stored());
  auto pairs = [](const kv::Fields& set) {
    kv::OwnedFields out;
    set.for_each(
        [&](std::string_view name, std::string_view value) { out.emplace_back(name, value); });
    return out;
  };
  EXPECT_EQ(pairs(head.at(head.validators)), fields.validators);
  EXPECT_EQ(head.at(head.validators).text(), "ETag: \"1\"\r\nCache-Control: no-cache\r\n");
  EXPECT_EQ(pairs(head.at(head.type)), fields.type);
  EXPECT_EQ(head.at(head.middle).count(), 0U);
  EXPECT_EQ(head.at(head.middle).text(), "");
  EXPECT_EQ(pairs(head.at(head.length)), fields.length);
  EXPECT_EQ(pairs(head.at(head.fields)), fields.fields);
  EXPECT_EQ(head.validators, other_head.validators);
  EXPECT_EQ(head.fields, other_head.fields);
  EXPECT_NE(head.length, other_head.length);
  EXPECT_EQ(pairs(other_head.at(other_head.length)), other.length);
}

TEST(Crunched, TheIndexDoesNotDependOnTheOrderOfAdding) {
  CrunchedSite one;
  CrunchedSite other;
  std::vector<std::string> keys{"b", "a/c", "a-c", "a/b", "\xc3\xa9", "z"};
  std::vector<CrunchedSite::GivenForm> forms{{Encoding::identity, "", kv::head_with("head")}};
  for (const std::string& key : keys) one.add(key, 1, forms);
  std::ranges::reverse(keys);
  for (const std::string& key : keys) other.add(key, 1, forms);
  auto first = one.site();
  auto second = other.site();
  EXPECT_TRUE(std::ranges::equal(first.index, second.index));
}

std::string refusal(auto&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CrunchedWriter, RefusesKeysThatAreNotNormal) {
  for (const std::string& key :
       {""s, "/"s, "/a"s, "a/"s, "a//b"s, "."s, "a/.."s, "../a"s, "a\0b"s}) {
    CrunchedSite site;
    auto add = [&] { site.add(key, 1, {{Encoding::identity, "", {}}}); };
    EXPECT_NE(refusal(add), "accepted") << key;
  }
}

TEST(CrunchedWriter, RefusesFormsThatAreNotAsSaid) {
  struct Case {
    std::vector<kv::crunched::WrittenForm> forms;
    std::string why;
  };
  const Case cases[] = {
      {{}, "\"k\": no identity form is given"},
      {{{Encoding::gzip, 1, {}, {}, 0}}, "\"k\": no identity form is given"},
      {{{Encoding::identity, 1, {}, {}, 0}, {Encoding::identity, 1, {}, {}, 0}},
       "\"k\": an encoding is given twice"},
      {{{Encoding::identity, 1, {}, {}, 8}}, "\"k\": an offset is not aligned"},
      {{{Encoding::identity, 33, {}, {}, 0}}, "\"k\": a form ends beyond the content"},
      {{{Encoding::identity, 1, {}, {}, 32}}, "\"k\": a form ends beyond the content"},
      {{{Encoding::identity, ~std::uint64_t{0}, {}, {}, 16}},
       "\"k\": a form ends beyond the content"},
      {{{Encoding::identity, 16, {}, {}, 16}}, "accepted"},
      {{{Encoding::identity, 0, {}, {}, 32}}, "accepted"},
  };
  for (const Case& given : cases) {
    kv::crunched::Writer writer;
    auto call = [&] {
      writer.add("k", 1, given.forms);
      return writer.index(32, {});
    };
    EXPECT_EQ(refusal(call), given.why);
  }
}

TEST(CrunchedWriter, RefusesFieldsThatAreTooLong) {
  CrunchedSite site;
  auto add = [&] {
    site.add("k", 1, {{Encoding::identity, "", kv::head_with(std::string(65'536, 'x'))}});
  };
  EXPECT_EQ(refusal(add), "a response field takes more than 65,535 bytes");
}

TEST(CrunchedWriter, RefusesKeysThatCollide) {
  struct Case {
    std::vector<std::string> keys;
    std::string why;
  };
  const Case cases[] = {
      {{"a", "b", "a"}, "\"a\": two files have this key"},
      {{"a", "a-b", "a/b"}, "\"a\": a file has this key, and another's lies below it"},
      {{"a/b/c/d", "a/b"}, "\"a/b\": a file has this key, and another's lies below it"},
      {{"a", "a-b", "ab", "b/a"}, "accepted"},
  };
  for (const Case& given : cases) {
    CrunchedSite site;
    for (const std::string& key : given.keys) {
      site.add(key, 1, {{Encoding::identity, "", {}}});
    }
    EXPECT_EQ(refusal([&] { return site.site(); }), given.why);
  }
}

TEST(CrunchedDeathTest, ADamagedIndexStopsTheProgramAtTheStart) {
  CrunchedSite made;
  made.add("a", 1, {{Encoding::identity, "text", kv::head_with("head")}});
  kv::crunched::Site good = made.site();
  { kv::Crunched starts(good); }
  std::vector<std::uint64_t> words(good.index.size() / 8 + 1);
  std::memcpy(words.data(), good.index.data(), good.index.size());
  auto bytes = std::as_writable_bytes(std::span(words)).first(good.index.size());
  auto with = [&](kv::Bytes index, kv::Bytes content) {
    return kv::crunched::Site{"site", index, content};
  };
  EXPECT_DEATH(kv::Crunched(with({}, {})), "CHECK");
  EXPECT_DEATH(kv::Crunched(with(bytes.first(bytes.size() - 1), good.content)), "CHECK");
  EXPECT_DEATH(kv::Crunched(with(bytes, good.content.first(1))), "CHECK");
  EXPECT_DEATH(kv::Crunched(with(bytes.subspan(1), good.content)), "CHECK");
  // Each byte of the magic and of the counts.
  for (std::size_t at = 0; at < 48; ++at) {
    if (at >= 20 && at < 24) continue;  // the header's padding
    bytes[at] ^= std::byte{0x40};
    EXPECT_DEATH(kv::Crunched(with(bytes, good.content)), "CHECK") << at;
    bytes[at] ^= std::byte{0x40};
  }
}

}  // namespace
