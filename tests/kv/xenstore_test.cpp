// SPDX-License-Identifier: ISC
// tests/kv/xenstore_test.cpp: kv::Xenstore beyond the laws of every store: what a node is, and a
// host whose answers make no sense.
//
// Method: the hostile client answers every request with what the test gave it.

#include "kv/xenstore/xenstore.hpp"

#include <gtest/gtest.h>

#include "tests/kv/memory_xenstore.hpp"

namespace {

using kv::Encoding;
using kv::Entry;
using kv::Error;
using kv::Kind;
using Store = kv::Xenstore<kv::MemoryXenstore>;

class Hostile {
 public:
  enum class Error { not_found, broken };
  base::Ready<base::Result<std::string, Error>> read(std::string_view) { return {value}; }
  base::Ready<base::Result<std::vector<std::string>, Error>> directory(std::string_view path) {
    ++requests;
    // Below the root, as many levels as are asked for.
    return {path == "root" ? names : below};
  }
  base::Result<std::string, Error> value = "value";
  base::Result<std::vector<std::string>, Error> names;
  base::Result<std::vector<std::string>, Error> below;
  int requests = 0;
};
using HostileStore = kv::Xenstore<Hostile>;

static_assert(kv::KvRo<Store> && kv::KvRo<HostileStore>);
static_assert(kv::KvRo<kv::Xenstore<kv::WaitingXenstore>>);

class KvXenstore : public ::testing::Test {
 protected:
  kv::MemoryXenstore client;
  Store store{client, "vm-data/tls", 7};
  auto exists(kv::Key key) { return base::run_now(store.exists(key)); }
  auto list(kv::Key key) { return base::run_now(store.list(key)); }
  auto stat(kv::Key key) { return base::run_now(store.stat(key)); }
  std::string text(kv::Key key) {
    auto value = base::run_now(store.get(key, Encoding::identity));
    return value ? std::string(base::text_of(static_cast<kv::Bytes>(*value))) : "none";
  }
};

TEST_F(KvXenstore, ANodeWithNodesBelowIsADictionary) {
  client.write("vm-data/tls", "what the root says itself");
  client.write("vm-data/tls/cert", "PEM");
  client.write("vm-data/tls/more", "hidden");
  client.write("vm-data/tls/more/key", "KEY");
  client.write("vm-data/tls2/cert", "other");
  EXPECT_EQ(text("cert"), "PEM");
  EXPECT_EQ(text("more/key"), "KEY");
  EXPECT_EQ(exists("more"), Kind::dictionary);
  EXPECT_EQ(text("more"), "none");
  EXPECT_EQ(list(""), (std::vector<Entry>{{"cert", Kind::value}, {"more", Kind::dictionary}}));
  EXPECT_EQ(stat("cert")->modified_s, 7);
  EXPECT_EQ(stat("cert")->form(Encoding::identity).size_bytes, 3U);
}

TEST_F(KvXenstore, AMissingRootIsEmpty) {
  EXPECT_EQ(exists(""), Kind::dictionary);
  EXPECT_EQ(list(""), std::vector<Entry>{});
  EXPECT_EQ(exists("cert").error(), Error::not_found);
  client.write("vm-data/tls", "a value, and nothing below");
  EXPECT_EQ(exists("/"), Kind::dictionary);
  EXPECT_EQ(list("/"), std::vector<Entry>{});
  EXPECT_EQ(stat("").error(), Error::value_expected);
}

TEST_F(KvXenstore, WhatIsNoNameIsNotAskedFor) {
  client.write("vm-data/tls/cert", "PEM");
  for (const std::string& key :
       {std::string("cert.pem"), std::string("../uuid"), std::string("a b"), std::string("a\0b", 3),
        std::string(3000, 'a'), std::string("a//b"), std::string("cert/"), std::string("\xc3\xa9"),
        std::string("//cert"), std::string("~")}) {
    EXPECT_EQ(exists(key).error(), Error::not_found) << key.substr(0, 20);
    EXPECT_EQ(stat(key).error(), Error::not_found) << key.substr(0, 20);
  }
  EXPECT_EQ(client.requests, 0);
  EXPECT_EQ(text("cert"), "PEM");
}

TEST_F(KvXenstore, EachCallAsksAnew) {
  client.write("vm-data/tls/cert", "one");
  auto held = base::run_now(store.get("cert", Encoding::identity));
  client.write("vm-data/tls/cert", "two");
  EXPECT_EQ(text("cert"), "two");
  EXPECT_EQ(base::text_of(static_cast<kv::Bytes>(*held)), "one");
}

TEST_F(KvXenstore, WhatIsTakenIsNotCopied) {
  const std::string secret(200, 's');
  client.write("vm-data/tls/key", secret);
  auto value = base::run_now(store.get("key", Encoding::identity));
  const auto* const at = static_cast<kv::Bytes>(*value).data();
  const std::string kept = std::move(*value).take();
  EXPECT_EQ(kept, secret);
  EXPECT_EQ(static_cast<const void*>(kept.data()), at);
}

TEST_F(KvXenstore, ADeepTreeIsWalkedNoDeeperThanAsked) {
  std::string path = "vm-data/tls";
  std::string key;
  for (int i = 0; i < 900; ++i) key += "d/";
  client.write(path + '/' + key + "x", "deep");
  EXPECT_EQ(text(key + "x"), "deep");
  client.requests = 0;
  EXPECT_EQ(list(""), (std::vector<Entry>{{"d", Kind::dictionary}}));
  EXPECT_EQ(client.requests, 2);
}

TEST(KvXenstoreHostile, NamesThatAreNoneAreNotShown) {
  Hostile host;
  host.names = {"b",
                "a",
                "",
                ".",
                "..",
                "a/b",
                std::string("a\0b", 3),
                "b",
                "../../x",
                "a.b",
                std::string(5000, 'x'),
                "\xff"};
  host.below = std::vector<std::string>{};
  HostileStore store(host, "root");
  auto entries = base::run_now(store.list(""));
  EXPECT_EQ(entries, (std::vector<Entry>{{"a", Kind::value}, {"b", Kind::value}}));
}

TEST(KvXenstoreHostile, WhatIsTooLongIsUnavailable) {
  Hostile host;
  host.below = std::vector<std::string>{};
  host.value = std::string(HostileStore::value_bytes_max, '\0');
  HostileStore store(host, "root");
  EXPECT_EQ(base::run_now(store.stat("a"))->form(Encoding::identity).size_bytes, 4096U);
  host.value = std::string(HostileStore::value_bytes_max + 1, 'x');
  EXPECT_EQ(base::run_now(store.stat("a")).error(), Error::unavailable);
  EXPECT_EQ(base::run_now(store.get("a", Encoding::identity)).error(), Error::unavailable);
  host.names = std::vector<std::string>(HostileStore::names_max + 1, "a");
  EXPECT_EQ(base::run_now(store.list("")).error(), Error::unavailable);
  EXPECT_EQ(base::run_now(store.exists("")).error(), Error::unavailable);
}

TEST(KvXenstoreHostile, ManyNamesTakeARequestEach) {
  Hostile host;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < HostileStore::names_max; ++i) names.push_back(std::to_string(i));
  host.names = names;
  host.below = names;  // and so on, for ever
  HostileStore store(host, "root");
  EXPECT_EQ(base::run_now(store.list(""))->size(), names.size());
  EXPECT_EQ(host.requests, 1 + static_cast<int>(names.size()));
}

TEST(KvXenstoreHostile, FailuresAreUnavailableOrMissing) {
  Hostile host;
  HostileStore store(host, "root");
  host.names = base::failure(Hostile::Error::broken);
  EXPECT_EQ(base::run_now(store.exists("")).error(), Error::unavailable);
  EXPECT_EQ(base::run_now(store.list("")).error(), Error::unavailable);
  host.names = {"gone"};
  host.below = base::failure(Hostile::Error::not_found);
  EXPECT_EQ(base::run_now(store.list("")), std::vector<Entry>{});
  host.below = base::failure(Hostile::Error::broken);
  EXPECT_EQ(base::run_now(store.list("")).error(), Error::unavailable);
  // There when it was looked at, gone when it was read.
  host.below = std::vector<std::string>{};
  host.value = base::failure(Hostile::Error::not_found);
  EXPECT_EQ(base::run_now(store.stat("a")).error(), Error::not_found);
  host.value = base::failure(Hostile::Error::broken);
  EXPECT_EQ(base::run_now(store.stat("a")).error(), Error::unavailable);
}

}  // namespace
