// SPDX-License-Identifier: ISC
// tests/kv/stores.hpp: every store of kv/, each filled with a given content.
//
// Adding a store is one fixture here and its name in AllStores; every law then runs on it.

#pragma once

#include <gtest/gtest.h>

#include "kv/crunched/crunched.hpp"
#include "kv/directory/directory.hpp"
#include "kv/memory/memory.hpp"
#include "kv/overlay/overlay.hpp"
#include "tests/kv/archetype.hpp"
#include "tests/kv/crunched_site.hpp"
#include "tests/kv/folder_of.hpp"
#include "tests/kv/memory_xenstore.hpp"
#include "tests/kv/tree.hpp"

namespace kv {

class CrunchedFixture {
 public:
  CrunchedFixture(const Content& content, base::Loop&) : content_(content) {
    for (const auto& [key, item] : content) {
      std::vector<CrunchedSite::GivenForm> forms{
          {Encoding::identity, item.identity, head_with("head")}};
      for (const auto& [encoding, bytes] : item.encoded) forms.push_back({encoding, bytes, {}});
      site_.add(key, 1, forms);
    }
    store_.emplace(site_.site());
  }
  Crunched& store() { return *store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  CrunchedSite site_;
  std::optional<Crunched> store_;
};

class MemoryFixture {
 public:
  MemoryFixture(const Content& content, base::Loop&) : content_(content) { fill(store_, content); }
  Memory& store() { return store_; }
  const Content& content() const { return content_; }

  static void fill(Memory& store, const Content& content) {
    for (const auto& [key, item] : content) {
      store.put(key, item.identity, 1);
      for (const auto& [encoding, bytes] : item.encoded) {
        store.put_form(key, encoding, base::bytes_of(bytes));
      }
    }
  }

 private:
  Content content_;
  Memory store_;
};

template <Resolver resolver>
class DirectoryFixture {
 public:
  DirectoryFixture(const Content& content, base::Loop&) : content_(content) {
    for (auto& [key, item] : content_) {
      tree_.write(key, item.identity);
      item.encoded.clear();
    }
  }
  Directory& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  Tree tree_;
  Directory store_{tree_.path(), {.dotfiles = true, .resolver = resolver}};
};

// Values alternate between the two stores, and what is in the upper one is in the lower one too,
// with other bytes.
class OverlayFixture {
 public:
  OverlayFixture(const Content& content, base::Loop&) : content_(content) {
    Content below;
    bool is_above = false;
    for (const auto& [key, item] : content) {
      is_above = !is_above;
      if (is_above) above_.put(key, item.identity, 1);
      for (const auto& [encoding, bytes] : item.encoded) {
        if (is_above) above_.put_form(key, encoding, base::bytes_of(bytes));
      }
      below[key] = is_above ? Item{"hidden", {{Encoding::zstd, "hidden zstd"}}} : item;
    }
    MemoryFixture::fill(below_, below);
  }
  auto& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  Memory above_;
  Memory below_;
  Overlay<Memory, Memory> store_{above_, below_};
};

// A folder of a store, beside which there is another file.
class FolderOfFixture {
 public:
  FolderOfFixture(const Content& content, base::Loop&) : content_(content) {
    Content whole{{"beside", Item{"not in the folder", {}}}};
    for (const auto& [key, item] : content) whole["folder/" + std::string(key)] = item;
    MemoryFixture::fill(inner_, whole);
  }
  auto& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  Memory inner_;
  FolderOf<Memory> store_{inner_, "folder"};
};

// Two stores that differ in every type, one of which waits.
class MixedOverlayFixture {
 public:
  MixedOverlayFixture(const Content& content, base::Loop& loop)
      : content_(content), above_(half(content, 0)), below_(loop, half(content, 1)) {}
  auto& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  static Content half(const Content& content, std::size_t parity) {
    Content out;
    std::size_t i = 0;
    for (const auto& [key, item] : content) {
      if (i++ % 2 == parity) out[key] = item;
    }
    return out;
  }
  Content content_;
  Archetype above_;
  WaitingArchetype below_;
  Overlay<Archetype, WaitingArchetype> store_{above_, below_};
};

// Of the content, what xenstore can hold: its names, its sizes.
class XenstoreFixture {
 public:
  XenstoreFixture(const Content& content, base::Loop& loop) : waiting_(loop, client_) {
    for (const auto& [key, item] : content) {
      Key rest = key;
      bool fits = item.identity.size() <= Xenstore<WaitingXenstore>::value_bytes_max;
      while (fits && !rest.empty()) fits = is_xenstore_name(take_segment(rest));
      if (!fits) continue;
      content_[key].identity = item.identity;
      client_.write("vm-data/site/" + key, item.identity);
    }
  }
  auto& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  MemoryXenstore client_;
  WaitingXenstore waiting_;
  Xenstore<WaitingXenstore> store_{waiting_, "vm-data/site"};
};

template <Flaw flaw>
class ArchetypeFixture {
 public:
  ArchetypeFixture(const Content& content, base::Loop&)
      : content_(content), store_(content, flaw) {}
  Archetype& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  Archetype store_;
};

class WaitingFixture {
 public:
  WaitingFixture(const Content& content, base::Loop& loop)
      : content_(content), store_(loop, content) {}
  WaitingArchetype& store() { return store_; }
  const Content& content() const { return content_; }

 private:
  Content content_;
  WaitingArchetype store_;
};

using AllStores =
    ::testing::Types<CrunchedFixture, MemoryFixture, DirectoryFixture<Resolver::openat2>,
                     DirectoryFixture<Resolver::walk>, OverlayFixture, MixedOverlayFixture,
                     FolderOfFixture, XenstoreFixture, ArchetypeFixture<Flaw::none>,
                     WaitingFixture>;

}  // namespace kv
