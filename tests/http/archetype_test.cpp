// SPDX-License-Identifier: ISC
// tests/http/archetype_test.cpp: the server asks of its store and its stack what the concepts say,
// and no more.
//
// Method:  it is instantiated, whole, on the least models there are. That this file compiles is the
//          test; what is run is only that the class has a size.

#include <gtest/gtest.h>

#include "http/server.hpp"
#include "tests/net/archetype.hpp"

namespace {

class ArchetypeValue {
 public:
  ArchetypeValue() = delete;
  ArchetypeValue(const ArchetypeValue&) = delete;
  ArchetypeValue(ArchetypeValue&&) = default;
  ArchetypeValue& operator=(const ArchetypeValue&) = delete;
  ArchetypeValue& operator=(ArchetypeValue&&) = default;
  operator kv::Bytes() const { return {}; }  // NOLINT: as the concept has it
};

class ArchetypeStore {
 public:
  using Value = ArchetypeValue;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 1;
  template <class T>
  using Answer = net::ArchetypeAnswer<kv::Result<T>>;

  ArchetypeStore() = delete;
  ArchetypeStore(const ArchetypeStore&) = delete;
  ArchetypeStore& operator=(const ArchetypeStore&) = delete;
  Answer<kv::Kind> exists(kv::Key) { return {}; }
  Answer<kv::Stat> stat(kv::Key) { return {}; }
  Answer<Value> get(kv::Key, kv::Encoding) { return {}; }
  Answer<Value> get_partial(kv::Key, kv::Encoding, std::uint64_t, std::uint64_t) { return {}; }
  Answer<std::vector<kv::Entry>> list(kv::Key) { return {}; }
};
static_assert(kv::KvRo<ArchetypeStore>);

}  // namespace

template class http::Server<ArchetypeStore, net::ArchetypeStack>;

namespace {

TEST(Archetype, TheServerIsInstantiated) {
  EXPECT_GT(sizeof(http::Server<ArchetypeStore, net::ArchetypeStack>), 0U);
}

}  // namespace
