// SPDX-License-Identifier: ISC
// targets/virtio/nets.hpp: the network devices of a machine: the first, which is always used, and
// those that further stacks ask for.
//
// Owns:    them. One that is not asked for stays as the firmware left it.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/machine.hpp"
#include "targets/virtio/net.hpp"

namespace virtio_target {

class Nets {
 public:
  using Device = Net;

  static constexpr const auto& device_key = config::device_key;

  // Throws std::runtime_error when there is none, or the first will not do.
  explicit Nets(std::vector<std::unique_ptr<Transport>> found);
  [[nodiscard]] Net& first() noexcept { return *begun_.front(); }
  // Begins a further one. A sentence when it is not there, will not do, or has been begun; `key`
  // gave the number.
  base::Result<Net*, std::string> find(unsigned number, std::string_view key);
  [[nodiscard]] bool are_all_used() const noexcept { return found_.size() == begun_.size(); }

  // For who sleeps, as a Net's.
  void serve(base::Loop& loop) noexcept;
  bool poll();
  [[nodiscard]] bool prepare_to_sleep() noexcept;

 private:
  std::vector<std::unique_ptr<Transport>> found_;  // null: begun
  std::vector<std::unique_ptr<Net>> begun_;
  base::Loop* loop_ = nullptr;
};

}  // namespace virtio_target
