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
  const std::string asked = "--" + std::string(key) + "=" + std::to_string(number);
  if (number == 0 || number > found_.size()) {
    return base::Failure<std::string>(
        asked + ": this machine has " + std::to_string(found_.size()) +
        (found_.size() == 1 ? " network device" : " network devices") +
        "; give it another one (QEMU: -netdev ... -device virtio-net-pci)");
  }
  std::unique_ptr<Transport>& transport = found_[number - 1];
  if (transport == nullptr) {
    return base::Failure<std::string>(
        asked + ": that network device is another stack's already; name another one");
  }
  try {
    begun_.push_back(std::make_unique<Net>(std::move(transport)));
  } catch (const std::runtime_error& error) {
    return base::Failure<std::string>(asked + ": " + error.what());
  }
  if (loop_ != nullptr) begun_.back()->serve(*loop_);
  return begun_.back().get();
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
