# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# scripts/common.sh: what the scripts here share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${CRUNCH_BUILD:-$root/build}
jobs=$(nproc)
# What other programs say is read, here and by tests: no translations.
export LC_ALL=C.UTF-8

# One line about what happens next, on standard error, so that output can be piped.
say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

usage_error() {
  printf '%s: %s\nTry: scripts/%s --help\n' "$(basename "$0")" "$*" "$(basename "$0")" >&2
  exit 2
}

# The head comment of the script is its help: from its second comment line to the first other line.
show_help() { sed -n '3,${/^#/!q;s/^# \{0,1\}//;p;}' "$0"; }

# Configures $build with the given cmake options, and CRUNCH_REQUIRE of the environment. Ninja and
# ccache are used where they are installed; a folder that is configured already keeps its generator
# and its compiler.
configure() {
  local first=()
  if [ ! -f "$build/CMakeCache.txt" ]; then
    if command -v ninja >/dev/null; then first+=(-G Ninja); fi
    if command -v ccache >/dev/null; then
      first+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
  fi
  if [ -n "${CRUNCH_REQUIRE:-}" ]; then first+=("-DCRUNCH_REQUIRE=$CRUNCH_REQUIRE"); fi
  say "configuring $build"
  mkdir -p "$build"
  cmake -S "$root" -B "$build" "${first[@]}" "$@" >"$build/configure.log" 2>&1 || {
    cat "$build/configure.log" >&2
    die "cmake could not configure $build (its output is above)"
  }
}

# Builds the given targets; `all` is everything.
compile() {
  say "building $* ($jobs jobs)"
  cmake --build "$build" --parallel "$jobs" --target "$@"
}
