// SPDX-License-Identifier: ISC
#include "targets/virtio/nets.hpp"

#include <stdexcept>
#include <utility>

namespace virtio_target {

Nets::Nets(std::vector<std::unique_ptr<Transport>> found) : found_(std::move(found)) {
  if (found_.empty()) {
    throw std::runtime_error(
        "this machine has no virtio network device (QEMU: -netdev ... -device virtio-net-pci)");
  }
  begun_.push_back(std::make_unique<Net>(std::move(found_.front())));
}

base::Result<Net*, std::string> Nets::find(unsigned number, std::string_view key) {
  const auto begin = [this](std::size_t index) -> Net* {
    std::unique_ptr<Transport>& transport = found_[index];
    if (transport == nullptr) return nullptr;
    begun_.push_back(std::make_unique<Net>(std::move(transport)));
    if (loop_ != nullptr) begun_.back()->serve(*loop_);
    return begun_.back().get();
  };
  return config::find_device(key, number, found_.size(), "QEMU: -netdev ... -device virtio-net-pci",
                             begin);
}

void Nets::serve(base::Loop& loop) noexcept {
  loop_ = &loop;
  for (const auto& net : begun_) net->serve(loop);
}

bool Nets::poll() {
  bool has_work = false;
  for (const auto& net : begun_) has_work = net->poll() || has_work;
  return has_work;
}

bool Nets::prepare_to_sleep() noexcept {
  bool may_sleep = true;
  for (const auto& net : begun_) may_sleep = net->prepare_to_sleep() && may_sleep;
  return may_sleep;
}

}  // namespace virtio_target
