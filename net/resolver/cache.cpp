// SPDX-License-Identifier: ISC
#include "net/resolver/cache.hpp"

#include <algorithm>
#include <chrono>

namespace net::resolver {

std::optional<Answer> Cache::find(const Name& name, Type type, base::Instant now) const noexcept {
  for (const Entry& entry : *entries_) {
    if (now < entry.until && entry.type == type && entry.name == name) return entry.answer;
  }
  return std::nullopt;
}

void Cache::keep(const Name& name, Type type, const Answer& answer, std::uint32_t lifetime_s,
                 base::Instant now) noexcept {
  const bool is_negative = !answer;
  if (is_negative && answer.error() != Error::no_such_name && answer.error() != Error::no_address) {
    return;
  }
  lifetime_s = std::min(lifetime_s, is_negative ? negative_max_s : lifetime_max_s);
  if (lifetime_s == 0) return;
  auto place = std::ranges::find_if(
      *entries_, [&](const Entry& entry) { return entry.type == type && entry.name == name; });
  if (place == entries_->end()) place = std::ranges::min_element(*entries_, {}, &Entry::until);
  *place = {now + std::chrono::seconds(lifetime_s), type, name, answer};
}

}  // namespace net::resolver
