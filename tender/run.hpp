// SPDX-License-Identifier: ISC
// tender/run.hpp: a guest, from its file to its end.
//
// States:  Options, run.   Used by: tender/main.cpp.
// Stop:    the first SIGTERM or SIGINT is told to the guest by bit 0 of what its next poll says is
//          ready (abi.hpp), once: who does not know it polls again. A second SIGINT ends this
//          process with status 130.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tender {

struct Options {
  // What is attached to a device of the image's manifest.
  struct Attachment {
    std::string name;
    std::string to;  // a tap's name, "@N", or a file
  };
  // The address that a network device has, in place of a random one.
  struct Mac {
    std::string name;
    std::uint8_t bytes[6] = {};
  };

  std::string image;
  std::string command_line;
  std::uint64_t memory_mib = 512;
  std::vector<Attachment> nets;
  std::vector<Attachment> blocks;
  std::vector<Mac> macs;
  bool traces = false;      // each hypercall, on standard error
  bool counts = false;      // how many there were, at the guest's end
  bool offers_ring = true;  // if the image has a network device and there is room
};

// Ends the process: with the guest's status, or with 1 and a sentence if the guest did what it may
// not. Before the guest runs, std::runtime_error with a sentence.
[[noreturn]] void run(const Options& options);

}  // namespace tender
