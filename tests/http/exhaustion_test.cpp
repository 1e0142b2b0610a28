// SPDX-License-Identifier: ISC
// tests/http/exhaustion_test.cpp: the allocation law over kernel sockets, from a store that never
// waits and from a directory, by HTTP/1.1 and by HTTP/2.

#include "tests/http/exhaustion.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kv/directory/directory.hpp"
#include "kv/memory/memory.hpp"
#include "tests/http/h2/client.hpp"

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

// Several streams on one connection; failures of nghttp2's allocations included.
struct Http2Clients {
  // All was answered in whole.
  static bool ask(std::uint16_t port) {
    try {
      http_test::SocketPeer peer("127.0.0.1", std::to_string(port));
      h2_test::Client client;
      client.get("/small");
      client.get("/large");
      client.get("/none", {{"x", std::string(12'000, 'y')}});
      const auto post = h2_test::Fields{
          {":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/small"}};
      client.ask(post, "abc");
      const auto is_over = [](const auto& each) {
        return each.first == 0 || each.second.is_whole || each.second.reset >= 0;
      };
      for (;;) {
        peer.send(client.give());
        if (std::ranges::all_of(client.responses, is_over)) break;
        std::string bytes;
        if (!peer.receive(bytes)) return false;
        client.take(bytes);
      }
      return std::ranges::all_of(client.responses, [](const auto& each) {
        return each.first == 0 || (each.second.is_whole && each.second.status != "503");
      });
    } catch (const std::exception&) {
      return false;
    }
  }
  static void visit(std::uint16_t port, http_test::SecurePeers*) { ask(port); }
  static bool are_served(std::uint16_t port, http_test::SecurePeers*) { return ask(port); }
};

TEST(Exhaustion, Http2) {
  kv::Memory store;
  store.put("small", "small body");
  store.put("large", std::string(large_bytes, 'x'));
  http::Options options;
  options.http2_cleartext = true;
  check_every<Http2Clients>([&] { return std::make_unique<Served<kv::Memory>>(store, options); },
                            http_test::no_tls, 1);
}

TEST(Exhaustion, Http2OfADirectory) {
  Folder folder;
  std::optional<kv::Directory> store;
  http::Options options;
  options.http2_cleartext = true;
  check_every<Http2Clients>(
      [&] {
        store.emplace(folder.path, kv::Directory::Options{});
        return std::make_unique<Served<kv::Directory>>(*store, options);
      },
      http_test::no_tls, 1);
}

}  // namespace
