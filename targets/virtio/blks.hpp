// SPDX-License-Identifier: ISC
// targets/virtio/blks.hpp: the block devices of a machine, begun when something asks for one.
//
// Owns:    them. They are looked for when something asks for the first time: a machine whose image
//          uses none may have any, also such as will not do.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "targets/virtio/blk.hpp"

namespace virtio_target {

class Blks {
 public:
  using Device = Blk;

  // Begins the device of this number, the first being 1. A sentence when it is not there, will not
  // do, or has been begun; `key` gave the number.
  base::Result<Blk*, std::string> find(unsigned number, std::string_view key);

  // For who sleeps, as a Blk's. The loop that runs those who wait for a device.
  void serve(base::Loop& loop) noexcept { loop_ = &loop; }
  bool poll();
  [[nodiscard]] bool prepare_to_sleep() noexcept;

 private:
  std::vector<std::unique_ptr<Transport>> found_;  // null: begun
  bool has_looked_ = false;
  std::vector<std::unique_ptr<Blk>> begun_;
  base::Loop* loop_ = nullptr;
};

}  // namespace virtio_target
