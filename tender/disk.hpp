// SPDX-License-Identifier: ISC
// tender/disk.hpp: a file, or a block device, of the host as a block device for a guest.
//
// States:  open_disk, Disk.   Used by: tender/run.cpp.
// Durable: it is open with O_DSYNC: a write that has succeeded survives a loss of power, for the
//          ABI has no flush.
// Shared:  with nobody: a lock (flock(2)) is held, as crunch's other programs do.
// Source:  open(2), flock(2), linux/fs.h.

#pragma once

#include <string>

#include "base/descriptor.hpp"
#include "solo5/abi.hpp"

namespace tender {

struct Disk {
  base::Descriptor file;
  solo5::BlockDetails details;  // what the guest is told
};

// Throws std::runtime_error with a sentence that names `path`: it cannot be opened for writing, is
// no file or block device, is empty or not of whole blocks, or is in use.
[[nodiscard]] Disk open_disk(const std::string& path);

}  // namespace tender
