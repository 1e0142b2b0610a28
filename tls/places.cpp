// SPDX-License-Identifier: ISC
#include "tls/places.hpp"

#include <utility>

namespace tls {

void Places::Entry::leave() noexcept {
  if (list_ == nullptr) return;
  (before_ != nullptr ? before_->after_ : list_->oldest) = after_;
  (after_ != nullptr ? after_->before_ : list_->newest) = before_;
  --list_->count;
  before_ = after_ = nullptr;
  list_ = nullptr;
}

void Places::put(Entry& entry, Entry::List& list, std::size_t count_max) noexcept {
  entry.leave();
  while (list.count >= count_max && list.oldest != nullptr) evict(*list.oldest);
  entry.list_ = &list;
  entry.before_ = std::exchange(list.newest, &entry);
  (entry.before_ != nullptr ? entry.before_->after_ : list.oldest) = &entry;
  ++list.count;
}

}  // namespace tls
