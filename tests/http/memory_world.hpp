// SPDX-License-Identifier: ISC
// tests/http/memory_world.hpp: a server over the stack without a network, on simulated time.
//
// Used by: conformance, connection, allocation and fuzz tests.

#pragma once

#include <memory>
#include <string>

#include "http/server.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/http/conformance_table.hpp"
#include "tests/http/scripted_store.hpp"
#include "tests/net/memory_flow.hpp"

namespace http_test {

struct TextConsole final : base::Console {
  std::string text;
  void write(std::string_view more) noexcept override { text += more; }
};

inline void put_site(ScriptedStore& store) {
  for (const File& file : site()) store.put(file.key, file.bytes, site_modified_s);
  // Only the first bytes are what they would be.
  store.put_encoding("style.css", kv::Encoding::gzip, "\x1f\x8b" + std::string(998, 'g'));
  store.put_encoding("style.css", kv::Encoding::br, std::string(900, 'b'));
  store.put_encoding("style.css", kv::Encoding::zstd, "\x28\xb5\x2f\xfd" + std::string(946, 'z'));
}

inline ScriptedStore& site_of(ScriptedStore& store) { return store; }
inline ScriptedStore& site_of(WaitingStore& store) { return store.site; }

template <class Store>
class World {
 public:
  explicit World(const http::Options& options = {}, http::LogFormat format = http::LogFormat::off)
      : log(console, loop, format),
        store(make_store(loop)),
        server(store, stack, loop, options, log, nullptr, &counters) {
    loop.on_exception = [](std::string_view what) noexcept {
      base::panic(__FILE__, __LINE__, std::string(what).c_str());
    };
    put_site(site_of(store));
    CHECK(server.listen(80).has_value());
    loop.spawn(server.run());
    settle();
  }
  ~World() {
    server.drain();
    // More than every deadline there is.
    for (int i = 0; i < 100 && loop.spawned_count() > 0; ++i) advance(std::chrono::seconds(10));
    CHECK(loop.spawned_count() == 0);
  }

  std::shared_ptr<net::MemoryWire> dial() { return stack.dial(80); }

  // Turns until nothing can happen without more bytes or more time: waits in a store included.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      std::uint64_t before = stack.faults.operations + site_of(store).calls;
      loop.turn(time.now() + base::Duration(2));
      quiet = stack.faults.operations + site_of(store).calls == before ? quiet + 1 : 0;
    }
  }
  void advance(base::Duration by) {
    base::Instant until = time.now() + by;
    while (time.now() < until) loop.turn(until);
    settle();
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  TextConsole console;
  http::AccessLog log;
  net::MemoryStack stack{loop};
  Store store;
  http::Counters counters;
  http::Server<Store, net::MemoryStack> server;

 private:
  static Store make_store(base::Loop& loop) {
    if constexpr (std::is_constructible_v<Store, base::Loop&>) {
      return Store(loop);
    } else {
      return Store();
    }
  }
};

}  // namespace http_test
