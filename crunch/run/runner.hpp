// SPDX-License-Identifier: ISC
// crunch/run/runner.hpp: how `crunch run` starts images: the interface that each target's
// host/run.cpp implements.
//
// States:  Options, Image, Runner; what runners share: memory_for, boot_line_of, check_disks,
//          hold_disks, become.
// Names:   the target `some-one` defines host::some_one_target::runner() in its host/run.cpp. CMake
//          lists the targets (CRUNCH_TARGETS) and generates the table that runners() reads.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "block/file/file.hpp"
#include "crunch/build/recipe.hpp"

namespace crunch::run {

struct Options {
  std::string image;
  std::vector<std::string> boot_keys;
  // The rest is for machines only.
  // One for each network device of the machine: a device of this host, or another word that the
  // target knows. Empty: the target's default.
  std::vector<std::string> nets;
  // One for each block device of the machine, in order: a file or a block device of this host.
  std::vector<std::string> disks;
  std::uint32_t memory_mib = 0;  // 0: memory_for(image)
  std::uint16_t http_port = 0;   // on this host; 0: 8080 if it is free, else one that is
  std::uint16_t https_port = 0;  // 0: 8443 if it is free, else one that is
  bool uses_kvm = false;
  bool traces = false;
};

struct Image {
  build::Recipe recipe;
  bool has_certificates = false;    // or may find some in its vault, or get some from a CA
  bool connects_to_others = false;  // by name
  // Where it serves, by its defaults and the boot keys of Options; 0: it has no such port.
  std::uint16_t http_port = 0;
  std::uint16_t https_port = 0;
  // Those that the image itself names and cannot start without (hvt's manifest).
  std::size_t block_device_count = 0;
};

struct Runner {
  std::string_view target;
  // Lines for `crunch run --help`: what --net and --trace mean here (may be empty), an example.
  std::string_view net_help;
  std::string_view trace_help;
  std::string_view example;
  // Starts the image and gives its exit status, or replaces this process. Throws Failure or Usage
  // if it cannot be started.
  int (*start)(const Options&, const Image&);
};

// Those of all targets that this crunch was built with, in the order of CRUNCH_TARGETS.
[[nodiscard]] std::span<const Runner* const> runners();

// The MiB that do for an image where --memory does not say.
[[nodiscard]] std::uint32_t memory_for(const std::string& image);

// A machine's command line, which libos cuts at spaces that are not in double quotes.
[[nodiscard]] std::string boot_line_of(const std::vector<std::string>& keys);

// Runs `words` in place of this process. Returns errno if that fails.
[[nodiscard]] int become(std::vector<std::string> words);

// Usage if the disks of `options` are more than `most`, or one is given twice.
void check_disks(const Options& options, std::size_t most);
// The disks of `options`, locked so that no others write to them meanwhile. A Failure if one is
// not there, may not be written, is empty or not of whole sectors, or is in use; Usage as
// check_disks().
[[nodiscard]] std::vector<block::File> hold_disks(const Options& options, std::size_t most);

// A program of this host: it takes boot keys and nothing else.
[[noreturn]] void run_as_program(const Options& options);

}  // namespace crunch::run
