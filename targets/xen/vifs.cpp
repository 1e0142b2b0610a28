// SPDX-License-Identifier: ISC
#include "targets/xen/vifs.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace xen_target {

bool Vifs::is_used(const std::string& name) const noexcept {
  return std::ranges::any_of(begun_, [&](const auto& vif) { return vif->name() == name; });
}

void Vifs::connect(const std::string& name) {
  auto vif = std::make_unique<Vif>(host_, grants_, store_, log_,
                                   [this](const std::string& one) { return !is_used(one); });
  vif->begin(name);
  begun_.push_back(std::move(vif));
}

void Vifs::begin() {
  names_ = vif_names(store_);
  if (names_.empty()) {
    throw std::runtime_error("this guest has no network device (xl: vif = [ \"bridge=xenbr0\" ])");
  }
  connect(names_.front());
}

base::Result<Netfront*, std::string> Vifs::find(unsigned number, std::string_view key) {
  const auto begin = [this](std::size_t index) -> Netfront* {
    if (is_used(names_[index])) return nullptr;
    connect(names_[index]);
    Netfront& device = begun_.back()->device();
    if (loop_ != nullptr) device.serve(*loop_);
    return &device;
  };
  return config::find_device(key, number, names_.size(),
                             "xl: vif = [ \"bridge=xenbr0\", \"bridge=xenbr1\" ]", begin);
}

void Vifs::look() {
  for (const auto& vif : begun_) vif->look();
}

void Vifs::begin_again() {
  for (const auto& vif : begun_) vif->begin_again();
}

bool Vifs::is_broken() const noexcept {
  return std::ranges::any_of(begun_, [](const auto& vif) {
    return vif->device().is_open() && !vif->device().broken_by().empty();
  });
}

void Vifs::serve(base::Loop& loop) noexcept {
  loop_ = &loop;
  for (const auto& vif : begun_) vif->device().serve(loop);
}

bool Vifs::poll() {
  bool has_work = false;
  for (const auto& vif : begun_) has_work = vif->device().poll() || has_work;
  return has_work;
}

bool Vifs::prepare_to_sleep() noexcept {
  bool may_sleep = true;
  for (const auto& vif : begun_) may_sleep = vif->device().prepare_to_sleep() && may_sleep;
  return may_sleep;
}

void Vifs::add_ports(std::vector<Host::Port>& ports) const {
  for (const auto& vif : begun_) {
    if (vif->device().port() != 0) ports.push_back(vif->device().port());
  }
}

Netfront::Counts Vifs::counts() const noexcept {
  Netfront::Counts sum;
  for (const auto& vif : begun_) {
    const Netfront::Counts& one = vif->device().counts();
    sum.sent += one.sent;
    sum.received += one.received;
    sum.dropped += one.dropped;
    sum.left += one.left;
  }
  return sum;
}

}  // namespace xen_target
