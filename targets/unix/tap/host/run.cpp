// SPDX-License-Identifier: ISC
// targets/unix/tap/host/run.cpp: a program with a network stack of its own.

#include "crunch/run/runner.hpp"

namespace host::unix_tap_target {
namespace {

int start(const crunch::run::Options& options, const crunch::run::Image& /*image*/) {
  crunch::run::run_as_program(options);
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{
      .target = "unix-tap",
      .net_help = "",
      .trace_help = "",
      .example = "crunch build htdocs -t unix-tap -o site && crunch run site -- --tap=tap0",
      .start = start};
  return ours;
}

}  // namespace host::unix_tap_target
