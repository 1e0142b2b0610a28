// SPDX-License-Identifier: ISC
#include "base/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace base {

namespace {

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Optimal string alignment distance: insertions, deletions, changes, and swaps of neighbours.
// Capitals are no change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t change = last[j - 1] + (small(a[i - 1]) == small(b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && small(a[i - 1]) == small(b[j - 2]) &&
          small(a[i - 2]) == small(b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t word_bytes_max = 64;  // longer ones are no slips, and cost time
  if (word.size() > word_bytes_max) return {};
  std::string_view best;
  std::size_t fewest = 4;
  for (std::string_view candidate : known) {
    std::size_t allowed = std::clamp<std::size_t>(candidate.size() / 3, 1, 3);
    std::size_t changes = distance(word, candidate);
    if (changes <= allowed && changes < fewest) {
      best = candidate;
      fewest = changes;
    }
  }
  return best;
}

}  // namespace base
