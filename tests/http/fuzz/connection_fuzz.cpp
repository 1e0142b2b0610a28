// SPDX-License-Identifier: ISC
// tests/http/fuzz/connection_fuzz.cpp: any bytes sent to a whole server.
//
// Held:  what comes back is answers, each of them well-formed; and the same to the byte when the
//        request is cut into small pieces.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using World = http_test::World<http_test::ScriptedStore>;

std::string serve(World& world, std::string_view input, std::size_t step) {
  auto wire = world.dial();
  for (std::size_t at = 0; at < input.size(); at += step) {
    wire->push(input.substr(at, step));
    if (step < input.size()) world.settle();
  }
  world.settle();
  wire->end();
  world.settle();
  CHECK(wire->is_closed());
  return wire->take();
}

// Answers to HEAD look as if they had a body; so only the heads of those without are walked.
void check_answers(std::string bytes, bool has_head) {
  std::string why;
  while (!has_head && http_test::take_answer(bytes, false, why)) {
  }
  CHECK(why.empty());
  if (!has_head) CHECK(bytes.empty());
  if (!bytes.empty()) CHECK(bytes.starts_with("HTTP/1.1 "));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20'000) return 0;
  static World& world = *new World;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::size_t step = 1 + data[0] % 37;
  input.remove_prefix(1);
  std::string whole = serve(world, input, input.size() + 1);
  std::string cut = serve(world, input, step);
  CHECK(whole == cut);
  check_answers(whole, input.find("HEAD") != std::string_view::npos);
  CHECK(world.server.connection_count() == 0);
  return 0;
}
