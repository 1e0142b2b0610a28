// SPDX-License-Identifier: ISC
#include "tls/places.hpp"

#include <utility>

namespace tls {

void Places::Entry::leave() noexcept {
  if (list_ == nullptr) return;
  (before_ != nullptr ? before_->after_ : list_->oldest) = after_;
  (after_ != nullptr ? after_->before_ : list_->newest) = before_;
  list_->count_entry(*this, -1);
  before_ = after_ = nullptr;
  list_ = nullptr;
}

void Places::Entry::List::count_entry(const Entry& entry, int more) noexcept {
  count += static_cast<std::size_t>(more);
  if (entry.client_ == alone) return;
  std::uint16_t& its = of_client[static_cast<std::size_t>(entry.client_)];
  its = static_cast<std::uint16_t>(its + more);
}

Places::Entry& Places::Entry::List::first_to_go() const noexcept {
  Entry* most = oldest;
  for (Entry* each = oldest; each != nullptr; each = each->after_) {
    if (count_of(each->client_) > count_of(most->client_)) most = each;
  }
  return *most;
}

void Places::put(Entry& entry, Entry::List& list, std::size_t count_max) noexcept {
  entry.leave();
  while (list.count >= count_max && list.oldest != nullptr) evict(list.first_to_go());
  entry.list_ = &list;
  entry.before_ = std::exchange(list.newest, &entry);
  (entry.before_ != nullptr ? entry.before_->after_ : list.oldest) = &entry;
  list.count_entry(entry, 1);
}

}  // namespace tls
