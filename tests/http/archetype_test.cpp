// SPDX-License-Identifier: ISC
// tests/http/archetype_test.cpp: the server asks of its store and its stack what the concepts say,
// and no more.
//
// Method:  it is instantiated, whole, on the least models there are. That this file compiles is the
//          test; what is run is only that the class has a size.

#include <gtest/gtest.h>

#include "http/server.hpp"
#include "tests/net/archetype.hpp"

// Named: of a class that only this file sees, g++ wants every function to be used.
namespace archetype {

class Content {
 public:
  Content() = delete;
  Content(const Content&) = delete;
  Content(Content&&) = default;
  Content& operator=(const Content&) = delete;
  Content& operator=(Content&&) = default;
  operator kv::Bytes() const { return {}; }  // NOLINT: as the concept has it
};

class Store {
 public:
  using Value = Content;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 1;
  template <class T>
  using Answer = net::ArchetypeAnswer<kv::Result<T>>;

  Store() = delete;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Answer<kv::Stat> stat(kv::Key) { return {}; }
  Answer<Value> get_partial(kv::Key, kv::Encoding, std::uint64_t, std::uint64_t) { return {}; }
};
static_assert(kv::Source<Store> && !kv::KvRo<Store>);

}  // namespace archetype

template class http::Server<archetype::Store, net::ArchetypeServerStack>;

namespace {

TEST(Archetype, TheServerIsInstantiated) {
  EXPECT_GT(sizeof(http::Server<archetype::Store, net::ArchetypeServerStack>), 0U);
}

}  // namespace
