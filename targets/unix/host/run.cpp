// SPDX-License-Identifier: ISC
// targets/unix/host/run.cpp: a program on the kernel's sockets.

#include "crunch/run/runner.hpp"

namespace host::unix_target {
namespace {

int start(const crunch::run::Options& options, const crunch::run::Image& /*image*/) {
  crunch::run::run_as_program(options);
}

}  // namespace

const crunch::run::Runner& runner() {
  static constexpr crunch::run::Runner ours{
      .target = "unix",
      .net_help = "",
      .trace_help = "",
      .example = "crunch build htdocs -t unix -o site && crunch run site -- --http-port=8080",
      .start = start};
  return ours;
}

}  // namespace host::unix_target
