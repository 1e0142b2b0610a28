// SPDX-License-Identifier: ISC
// tests/crunch/run/fake/host/run.cpp: the fake target's side of `crunch run`: it says what it was
// asked for and ends with a status that no other target has.

#include <cstdio>

#include "crunch/run/runner.hpp"

namespace host::fake_target {
namespace {

int start(const crunch::run::Options& options, const crunch::run::Image& image) {
  std::printf("fake: %s for %s, %zu boot keys\n", options.image.c_str(),
              image.recipe.target.c_str(), options.boot_keys.size());
  return 42;
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{.target = "fake",
                                            .net_help = "fake: ignored",
                                            .trace_help = "",
                                            .example = "crunch run a-fake-image",
                                            .start = start};
  return ours;
}

}  // namespace host::fake_target
