// SPDX-License-Identifier: ISC
// tests/http/fuzz/h2_fuzz.cpp: any bytes sent to a server behind an honest preface of HTTP/2.
//
// Held:  what comes back is whole frames; the connection ends with its peer; and all memory that
//        HTTP/2 took is given back.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/http/h2/raw_frames.hpp"
#include "tests/http/memory_world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20'000) return 0;
  static auto& world = *new http_test::World<http_test::ScriptedStore>;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t step = 1 + data[0] * std::size_t{16};
  input.remove_prefix(1);
  auto wire = world.stack.dial(80);
  wire->protocol = "h2";
  wire->push(h2_test::preface());
  for (std::size_t at = 0; at < input.size(); at += step) {
    wire->push(input.substr(at, step));
    world.settle();
  }
  std::string came = wire->take();
  wire->end();
  // Answers whose windows stay closed are given up.
  for (int i = 0; i < 20 && !wire->is_closed(); ++i) world.advance(std::chrono::seconds(10));
  CHECK(wire->is_closed());
  CHECK(world.server.connection_count() == 0);
  CHECK(world.server.http2_bytes() == 0);
  static_cast<void>(h2_test::take_frames(came));
  CHECK(came.size() < 9 + 16'384);
  return 0;
}
