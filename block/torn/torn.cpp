// SPDX-License-Identifier: ISC
#include "block/torn/torn.hpp"

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace block {

Torn::Torn(const Info& info, std::uint32_t cut_step_bytes)
    : info_(info), cut_step_bytes_(cut_step_bytes) {
  CHECK(is_possible(info));
  CHECK(cut_step_bytes > 0 && cut_step_bytes <= info.sector_bytes);
  durable_.resize(info.size_bytes());
}

std::byte* Torn::durable_at(std::uint64_t sector) noexcept {
  return durable_.data() + sector * info_.sector_bytes;
}

bool Torn::begin_operation() noexcept {
  if (!is_on_) return false;
  ++operation_count_;
  if (!operations_left_ || (*operations_left_)-- > 0) return true;
  operations_left_.reset();
  is_on_ = false;
  return false;
}

bool Torn::is_failing() noexcept {
  if (!failure_left_ || (*failure_left_)-- > 0) return false;
  failure_left_.reset();
  return true;
}

base::Ready<Result<void>> Torn::read(std::uint64_t sector, MutableBytes to) const {
  if (!is_on_) return {base::failure(Error::unavailable)};
  if (!is_in_range(info_, sector, to.size())) return {base::failure(Error::out_of_range)};
  std::copy_n(durable_.begin() + static_cast<std::ptrdiff_t>(sector * info_.sector_bytes),
              to.size(), to.begin());
  const std::uint64_t end = sector + to.size() / info_.sector_bytes;
  for (auto at = written_.lower_bound(sector); at != written_.end() && at->first < end; ++at) {
    std::ranges::copy(at->second.back(),
                      to.subspan((at->first - sector) * info_.sector_bytes).begin());
  }
  return {{}};
}

base::Ready<Result<void>> Torn::write(std::uint64_t sector, Bytes from) {
  if (info_.is_read_only) return {base::failure(Error::read_only)};
  if (!is_in_range(info_, sector, from.size())) return {base::failure(Error::out_of_range)};
  const bool was_on = is_on_;
  const bool stays_on = begin_operation();
  if (!was_on) return {base::failure(Error::unavailable)};
  for (; !from.empty(); from = from.subspan(info_.sector_bytes), ++sector) {
    const Bytes one = from.first(info_.sector_bytes);
    written_[sector].emplace_back(one.begin(), one.end());
    forgotten_.erase(sector);
  }
  if (!stays_on || is_failing()) return {base::failure(Error::unavailable)};
  return {{}};
}

base::Ready<Result<void>> Torn::flush() {
  if (info_.is_read_only && is_on_) return {{}};
  if (!begin_operation()) return {base::failure(Error::unavailable)};
  if (is_failing()) {
    for (const auto& [sector, writes] : written_) forgotten_.insert(sector);
    return {base::failure(Error::unavailable)};
  }
  for (auto at = written_.begin(); at != written_.end();) {
    const auto& [sector, writes] = *at;
    const bool is_forgotten = forgotten_.contains(sector);
    if (!is_forgotten) std::ranges::copy(writes.back(), durable_at(sector));
    at = is_forgotten ? std::next(at) : written_.erase(at);
  }
  return {{}};
}

// The outcomes: 0 is the durable content, i the i-th write, and behind those each write torn.
Torn::Sector Torn::survivor(std::uint64_t sector, const std::vector<Sector>& writes,
                            const Choose& choose) {
  const auto version = [&](std::uint64_t number) {
    if (number > 0) return writes[number - 1];
    const std::byte* const at = durable_at(sector);
    return Sector(at, at + info_.sector_bytes);
  };
  const std::uint64_t count = writes.size();
  const std::uint64_t cuts = (info_.sector_bytes - 1) / cut_step_bytes_;
  const std::uint64_t outcome = choose(cuts == 0 ? count + 1 : 2 * count + 1);
  if (outcome <= count) return version(outcome);
  const std::uint64_t torn = outcome - count;
  Sector bytes = version(torn - 1);
  const std::uint64_t kept_bytes = (choose(cuts) + 1) * cut_step_bytes_;
  std::copy_n(version(torn).begin(), kept_bytes, bytes.begin());
  return bytes;
}

void Torn::power_on(const Choose& choose) {
  if (is_on_) return;
  for (const auto& [sector, writes] : written_) {
    std::ranges::copy(survivor(sector, writes, choose), durable_at(sector));
  }
  written_.clear();
  forgotten_.clear();
  operations_left_.reset();
  failure_left_.reset();
  is_on_ = true;
}

}  // namespace block
