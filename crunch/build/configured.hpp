// SPDX-License-Identifier: ISC
// crunch/build/configured.hpp: a configuration compiled for a target, from the cache or anew.
//
// States:  Request, Configured, configured; run_compiler.   Used by: crunch/build, crunch/describe.
// Reuse:   the default configuration was compiled with crunch. Others are kept in the cache, at
//          most entries_max for each header and target, the oldest going first. An object is used
//          again when every header that it was made from has the bytes it had, the compiler and its
//          flags are the same, and it was built with what is now said about its build keys. So a
//          value that only a boot uses never compiles anything.
// Layout:  CACHE/objects/<SHA-256 of compiler, flags, target and header>/<number>.o, and beside it
//          .from: a line "SHA-256 path" for each header.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crunch/build/recipe.hpp"
#include "crunch/build/settings.hpp"

namespace crunch::build {

struct Request {
  const Recipe& recipe;
  std::string config;  // a C++ header; empty: the default
  const std::vector<Setting>& settings;
  std::string cache;  // a directory; empty: nothing is kept
  std::string work;   // a directory for what is made on the way
};

struct Configured {
  std::string object;
  std::string graph;
  std::unique_ptr<KeyTable> keys;
  bool is_compiled = false;  // it took the compiler
};

// Throws if the header does not compile (with what the compiler said), or a setting cannot be.
[[nodiscard]] Configured configured(const Request& request);

// The words that every call of the compiler for `recipe` begins with.
[[nodiscard]] std::vector<std::string> compiler_call(const std::vector<std::string>& compiler,
                                                     const Recipe& recipe);
// A Failure "cannot <what>: ..." with what it said, unless it ends well.
void run_compiler(const std::vector<std::string>& call, const std::string& what);

}  // namespace crunch::build
