// SPDX-License-Identifier: ISC
// targets/hvt/blks.hpp: the block devices of the image's manifest.
//
// Owns:    them, once something has asked for them.

#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"
#include "targets/hvt/blk.hpp"
#include "targets/hvt/machine.hpp"
#include "targets/hvt/notes.hpp"

namespace hvt_target {

class Blks {
 public:
  using Device = Blk;

  explicit Blks(const BootInfo& from) : from_(from) {}

  // How many the image may ask for: so many are in its manifest (config::declare_block_devices).
  template <std::size_t count>
  void declare() const noexcept {
    need_manifest<count>();
  }

  // The device of this number, the first being 1. A sentence when it is not there, will not do, or
  // is in use; `key` gave the number.
  base::Result<Blk*, std::string> find(unsigned number, std::string_view key);
  // Warns if what is written to one that is in use may not survive a loss of power.
  void warn_if_not_durable(base::Log& log) const noexcept;

 private:
  const BootInfo& from_;
  std::array<std::optional<Blk>, blocks_max> begun_;
};

}  // namespace hvt_target
