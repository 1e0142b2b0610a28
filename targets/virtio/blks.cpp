// SPDX-License-Identifier: ISC
#include "targets/virtio/blks.hpp"

#include <stdexcept>
#include <utility>

#include "base/check.hpp"
#include "config/machine.hpp"

namespace virtio_target {

base::Result<Blk*, std::string> Blks::find(unsigned number, std::string_view key) {
  CHECK(loop_ != nullptr);
  if (!has_looked_) {
    try {
      found_ = virtio_target::find(DeviceKind::block);
      has_looked_ = true;
    } catch (const std::runtime_error& error) {
      return base::failure("--" + std::string(key) + ": " + error.what());
    }
  }
  const auto begin = [this](std::size_t index) -> Blk* {
    std::unique_ptr<Transport>& transport = found_[index];
    if (transport == nullptr) return nullptr;
    begun_.push_back(std::make_unique<Blk>(std::move(transport), *loop_));
    return begun_.back().get();
  };
  return config::find_device(key, number, found_.size(), "QEMU: -drive ... -device virtio-blk-pci",
                             begin, config::disk_words);
}

bool Blks::poll() {
  bool has_work = false;
  for (const auto& blk : begun_) has_work = blk->poll() || has_work;
  return has_work;
}

bool Blks::prepare_to_sleep() noexcept {
  bool may_sleep = true;
  for (const auto& blk : begun_) may_sleep = blk->prepare_to_sleep() && may_sleep;
  return may_sleep;
}

}  // namespace virtio_target
