// SPDX-License-Identifier: ISC
#include "targets/xen/vbds.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "config/machine.hpp"

namespace xen_target {

base::Result<Blkfront*, std::string> Vbds::find(unsigned number, std::string_view key) {
  CHECK(loop_ != nullptr);
  if (names_.empty()) names_ = Frontend::names(store_, Vbd::devices);
  const auto begin = [this](std::size_t index) -> Blkfront* {
    if (std::ranges::find(begun_, index, &Begun::index) != begun_.end()) return nullptr;
    auto vbd = std::make_unique<Vbd>(host_, grants_, store_, log_);
    vbd->begin(names_[index], *loop_);
    begun_.push_back({index, std::move(vbd)});
    return &begun_.back().vbd->device();
  };
  return config::find_device(
      key, number, names_.size(),
      "xl: disk = [ \"format=raw,vdev=xvda,access=rw,target=/path/to/site.disk\" ]", begin,
      config::disk_words);
}

void Vbds::look() {
  for (const Begun& one : begun_) one.vbd->look();
}

void Vbds::begin_again() {
  for (const Begun& one : begun_) one.vbd->begin_again();
}

bool Vbds::is_broken() const noexcept {
  return std::ranges::any_of(begun_, [](const Begun& one) {
    return one.vbd->device().is_open() && !one.vbd->device().broken_by().empty();
  });
}

bool Vbds::poll() {
  bool has_work = false;
  for (const Begun& one : begun_) has_work = one.vbd->device().poll() || has_work;
  return has_work;
}

bool Vbds::prepare_to_sleep() noexcept {
  bool may_sleep = true;
  for (const Begun& one : begun_) may_sleep = one.vbd->device().prepare_to_sleep() && may_sleep;
  return may_sleep;
}

void Vbds::add_ports(std::vector<Host::Port>& ports) const {
  for (const Begun& one : begun_) {
    if (one.vbd->device().port() != 0) ports.push_back(one.vbd->device().port());
  }
}

}  // namespace xen_target
