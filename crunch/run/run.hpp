// SPDX-License-Identifier: ISC
// crunch/run/run.hpp: starts an image the way its target is started.
//
// States:  Options, run.   Used by: `crunch run`.
// Ways:    the recipe of the image's target (crunch/build/recipe.hpp) says which: `process` runs
//          the image in crunch's place; `qemu` runs it as a machine under QEMU, see qemu.hpp; `xl`
//          as a Xen guest, see xl.hpp; `hvt-tender` as a guest of it, see tender.hpp.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace crunch::run {

struct Options {
  std::string image;
  std::vector<std::string> boot_keys;
  // The rest is for machines only.
  // One for each network device: a tap, or "auto" for hvt's own network, or a bridge of Xen's.
  // Empty: QEMU's user network, or xenbr0.
  std::vector<std::string> nets;
  std::uint32_t memory_mib = 0;  // 0: as its target suggests
  std::uint16_t http_port = 0;   // on this machine; 0: 8080 if it is free, else one that is
  std::uint16_t https_port = 0;  // 0: 8443 if it is free, else one that is
  bool uses_kvm = false;
  bool traces = false;  // each hypercall of a guest of hvt-tender
};

// The exit code of the image. Throws a Failure or Usage if it cannot be started.
int run(const Options& options);

// What the ways share: the memory that does for an image, and its command line, which libos cuts at
// spaces that are not in double quotes.
[[nodiscard]] std::uint32_t memory_for(const std::string& image);
[[nodiscard]] std::string boot_line_of(const std::vector<std::string>& keys);

}  // namespace crunch::run
