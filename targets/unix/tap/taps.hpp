// SPDX-License-Identifier: ISC
// targets/unix/tap/taps.hpp: the taps that a process has open, by the names that boot keys give.
//
// Owns:    them.

#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "targets/unix/tap/tap.hpp"

namespace unix_target {

class Taps {
 public:
  // All must outlive it.
  Taps(base::Loop& loop, base::Descriptors& descriptors, base::Log& log)
      : loop_(loop), descriptors_(descriptors), log_(log) {}

  // Opens one. A sentence when it cannot be had, or one of ours has it; `key` named it.
  base::Result<Tap*, std::string> find(std::string_view name, std::string_view key) {
    if (std::ranges::find(taps_, name, [](const auto& tap) { return tap->name(); }) !=
        taps_.end()) {
      return base::Failure<std::string>("the tap '" + std::string(name) +
                                        "' is another stack's already: --" + std::string(key) +
                                        "=NAME names its own");
    }
    auto open = open_tap(name, key);
    if (!open) return base::Failure<std::string>(std::move(open.error()));
    taps_.push_back(std::make_unique<Tap>(loop_, descriptors_, log_, *open));
    return taps_.back().get();
  }

 private:
  base::Loop& loop_;
  base::Descriptors& descriptors_;
  base::Log& log_;
  std::vector<std::unique_ptr<Tap>> taps_;
};

}  // namespace unix_target
