// SPDX-License-Identifier: ISC
#include "net/lwip/globals.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "base/check.hpp"

// Of cmake/lwip.ld.
extern "C" std::byte crunch_lwip_data_begin[], crunch_lwip_data_end[];
extern "C" std::byte crunch_lwip_zero_begin[], crunch_lwip_zero_end[];

namespace net::lwip {

namespace {

using Variables = std::span<std::byte>;
Variables with_values() { return {crunch_lwip_data_begin, crunch_lwip_data_end}; }
Variables zeroes() { return {crunch_lwip_zero_begin, crunch_lwip_zero_end}; }

std::unique_ptr<std::byte[]> room() {
  return std::make_unique<std::byte[]>(with_values().size() + zeroes().size());
}

void begin() {
  static const std::vector<std::byte> first_values(with_values().begin(), with_values().end());
  std::ranges::copy(first_values, with_values().begin());
  std::ranges::fill(zeroes(), std::byte{});
}

void put_away(std::byte* to) {
  to = std::ranges::copy(with_values(), to).out;
  std::ranges::copy(zeroes(), to);
}

void put_back(const std::byte* from) {
  const std::byte* middle = from + with_values().size();
  std::copy(from, middle, with_values().begin());
  std::copy(middle, middle + zeroes().size(), zeroes().begin());
}

}  // namespace

Globals::Globals(Engine& owner) : owner_(owner) {
  if (count_ > 0) {
    away_ = room();
    if (in_place_ != nullptr) {
      if (in_place_->away_ == nullptr) in_place_->away_ = room();
      put_away(in_place_->away_.get());
    }
  }
  begin();
  in_place_ = this;
  ++count_;
}

Globals::~Globals() {
  CHECK(in_place_ == this);
  in_place_ = nullptr;
  --count_;
}

Engine& Globals::owner() noexcept {
  CHECK(in_place_ != nullptr);
  return in_place_->owner_;
}

void Globals::change_places() noexcept {
  if (in_place_ != nullptr) put_away(in_place_->away_.get());
  put_back(away_.get());
  in_place_ = this;
}

}  // namespace net::lwip
