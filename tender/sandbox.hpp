// SPDX-License-Identifier: ISC
// tender/sandbox.hpp: what is left to this process once its guest runs.
//
// States:  enter_sandbox.   Used by: tender/run.cpp.
// Source:  seccomp(2), capabilities(7), linux/filter.h.

#pragma once

#include <vector>

namespace tender {

// The only descriptors that can be used from now on, each in its way; standard output and error
// can be written to.
struct Allowed {
  int processor = -1;         // KVM_RUN, KVM_GET_REGS
  int wake = -1;              // written to by the signal handler
  std::vector<int> networks;  // read and written
  std::vector<int> blocks;    // pread, pwrite
};

// For good: user and group nobody if it was root, no capabilities, no new privileges, and a filter
// under which any other system call, or one with other arguments, kills the process. Memory can be
// had, but never to execute. Throws std::runtime_error if a part of it cannot be had.
void enter_sandbox(const Allowed& allowed);

}  // namespace tender
