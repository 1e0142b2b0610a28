// SPDX-License-Identifier: ISC
// tests/http/exhaustion_test.cpp: the allocation law over kernel sockets, from a store that never
// waits and from a directory.

#include "tests/http/exhaustion.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kv/directory/directory.hpp"
#include "kv/memory/memory.hpp"

namespace {

using http_test::check_every;
using http_test::large_bytes;
using http_test::Served;

TEST(Exhaustion, AStoreThatNeverWaits) {
  kv::Memory store;
  store.put("small", "small body");
  store.put("large", std::string(large_bytes, 'x'));
  check_every([&] { return std::make_unique<Served<kv::Memory>>(store); }, http_test::no_tls, 1);
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/exhaustion-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    path = name;
    std::ofstream(path + "/small") << "small body";
    std::ofstream(path + "/large") << std::string(large_bytes, 'x');
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(Exhaustion, ADirectory) {
  Folder folder;
  std::optional<kv::Directory> store;  // each run's own: it remembers what it has read
  check_every(
      [&] {
        store.emplace(folder.path, kv::Directory::Options{});
        return std::make_unique<Served<kv::Directory>>(*store);
      },
      http_test::no_tls, 1);
}

}  // namespace
