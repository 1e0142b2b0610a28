// SPDX-License-Identifier: ISC
#include "net/lwip/scoreboard.hpp"

#include <algorithm>
#include <utility>

#include "net/lwip/memory.hpp"

namespace net::lwip {

namespace {

constexpr unsigned reordering_steps_max = 16;

std::uint32_t bytes_of(const Range& range) { return range.end - range.begin; }

}  // namespace

Scoreboard::~Scoreboard() {
  if (ranges_ != few_.data()) Memory::free_again(ranges_);
}

void Scoreboard::start(std::uint32_t sequence) noexcept {
  acknowledged_ = end_ = newest_end_ = highest_arrived_ = sequence;
}

// ---- The ring

// The first range that ends after `sequence`.
std::size_t Scoreboard::index_of(std::uint32_t sequence) noexcept {
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (is_before(sequence, at(middle).end)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

bool Scoreboard::make_room() noexcept {
  if (count_ < capacity_) return true;
  if (capacity_ >= ranges_max) return false;
  void* memory = Memory::allocate(2 * capacity_ * sizeof(Sent));
  if (memory == nullptr) return false;
  Sent* more = static_cast<Sent*>(memory);
  for (std::size_t i = 0; i < count_; ++i) std::construct_at(more + i, at(i));
  for (std::size_t i = count_; i < 2 * capacity_; ++i) std::construct_at(more + i);
  if (ranges_ != few_.data()) Memory::free_again(ranges_);
  ranges_ = more;
  capacity_ *= 2;
  first_ = 0;
  return true;
}

void Scoreboard::append(const Sent& sent) noexcept {
  end_ = sent.end;
  in_flight_ += bytes_of(sent);
  if (make_room()) {
    at(count_++) = sent;
    return;
  }
  Sent& last = at(count_ - 1);
  if (last.has_arrived || last.is_lost) in_flight_ += bytes_of(last);
  if (last.has_arrived) --arrived_count_;
  if (last.is_lost && !last.is_queued) --lost_count_;
  last = {{last.begin, sent.end}, sent.at, false, false, false, last.was_resent};
}

// Makes two of one, the second from `at_sequence` on. False: no room.
bool Scoreboard::split(std::size_t index, std::uint32_t at_sequence) noexcept {
  if (!make_room()) return false;
  ++count_;
  for (std::size_t i = count_ - 1; i > index; --i) at(i) = at(i - 1);
  at(index).end = at_sequence;
  Sent& second = at(index + 1);
  second.begin = at_sequence;
  if (second.has_arrived) ++arrived_count_;
  if (second.is_lost && !second.is_queued) ++lost_count_;
  return true;
}

void Scoreboard::remove_first() noexcept {
  const Sent& sent = at(0);
  if (sent.has_arrived) --arrived_count_;
  if (sent.is_lost && !sent.is_queued) --lost_count_;
  if (!sent.has_arrived && !sent.is_lost) in_flight_ -= bytes_of(sent);
  first_ = (first_ + 1) & (capacity_ - 1);
  if (--count_ > 0) return;
  again_at_ = base::never;
  if (ranges_ == few_.data()) return;
  Memory::free_again(std::exchange(ranges_, few_.data()));
  capacity_ = few_.size();
  first_ = 0;
}

// ---- Sending

void Scoreboard::on_sent(Range range, base::Instant now) noexcept {
  last_sent_at_ = now;
  if (is_before(range.begin, acknowledged_)) range.begin = acknowledged_;
  if (!is_before(range.begin, range.end)) return;
  while (is_before(range.begin, end_) && is_before(range.begin, range.end)) {
    const std::size_t index = index_of(range.begin);
    if (index == count_) break;
    if (is_before(at(index).begin, range.begin) && split(index, range.begin)) continue;
    if (is_before(range.end, at(index).end)) static_cast<void>(split(index, range.end));
    Sent& sent = at(index);
    if (sent.is_lost) {
      if (!sent.is_queued) --lost_count_;
      in_flight_ += bytes_of(sent);
    }
    sent.is_lost = sent.is_queued = false;
    sent.was_resent = true;
    sent.at = now;
    range.begin = sent.end;
  }
  if (is_before(range.begin, range.end)) append({{range.begin, range.end}, now});
}

void Scoreboard::on_refused(Range range) noexcept {
  if (count_ == 0) return;
  Sent& last = at(count_ - 1);
  if (last.begin == range.begin && !last.was_resent) {
    // It was new: it has not been sent at all.
    in_flight_ -= bytes_of(last);
    end_ = last.begin;
    --count_;
    return;
  }
  for (std::size_t i = index_of(range.begin); i < count_ && is_before(at(i).begin, range.end);
       ++i) {
    Sent& sent = at(i);
    if (sent.has_arrived || sent.is_lost) continue;
    sent.is_lost = sent.is_queued = true;
    in_flight_ -= bytes_of(sent);
  }
}

// ---- Acknowledgements

void Scoreboard::arrive(Sent& sent, base::Instant now, Delivery& delivery) noexcept {
  if (sent.has_arrived) return;
  if (!sent.is_lost) in_flight_ -= bytes_of(sent);
  if (sent.is_lost && !sent.is_queued) --lost_count_;
  sent.is_lost = sent.is_queued = false;
  sent.has_arrived = true;
  ++arrived_count_;
  delivery.bytes += bytes_of(sent);
  if (!sent.was_resent) delivery.round_trip = now - sent.at;
  see_delivered(sent, now);
}

// RFC 8985 section 6.2, steps 2 and 3.
void Scoreboard::see_delivered(const Sent& sent, base::Instant now) noexcept {
  if (is_before(sent.end, highest_arrived_)) {
    if (!sent.was_resent) has_seen_reordering_ = true;
  } else {
    highest_arrived_ = sent.end;
  }
  // Sooner than a round trip after it was sent again: the first one has come.
  if (sent.was_resent && now - sent.at < least_round_trip_) return;
  const bool is_newer =
      newest_at_ < sent.at || (newest_at_ == sent.at && is_before(newest_end_, sent.end));
  if (!is_newer) return;
  newest_at_ = sent.at;
  newest_end_ = sent.end;
  newest_round_trip_ = now - sent.at;
}

Scoreboard::Delivery Scoreboard::on_acknowledgement(std::uint32_t sequence,
                                                    std::span<const Range> blocks,
                                                    base::Instant now,
                                                    base::Duration least_round_trip) noexcept {
  Delivery delivery;
  least_round_trip_ = least_round_trip;
  delivery.has_blocks = !blocks.empty();
  if (delivery.has_blocks) {
    // The first block may report what came twice (RFC 2883 section 4).
    const Range& first = blocks.front();
    const bool is_within = blocks.size() > 1 && !is_before(first.begin, blocks[1].begin) &&
                           !is_before(blocks[1].end, first.end);
    delivery.has_doubled = is_before(first.begin, sequence) || is_within;
  }
  delivery.is_advance = is_before(acknowledged_, sequence);
  bool is_ambiguous = false;
  while (count_ > 0 && !is_before(sequence, at(0).end)) {
    is_ambiguous = is_ambiguous || (at(0).was_resent && !at(0).has_arrived);
    arrive(at(0), now, delivery);
    remove_first();
  }
  // What waited for a gap to be closed may have come long ago (Karn; as Linux).
  if (is_ambiguous) delivery.round_trip = {};
  if (count_ > 0 && is_before(at(0).begin, sequence)) {
    Sent& first = at(0);
    const std::uint32_t part = sequence - first.begin;
    if (!first.has_arrived) delivery.bytes += part;
    if (!first.has_arrived && !first.is_lost) in_flight_ -= part;
    first.begin = sequence;
  }
  if (delivery.is_advance) {
    acknowledged_ = sequence;
    if (is_before(end_, sequence)) end_ = sequence;
    duplicates_ = 0;
  }
  for (const Range& block : blocks) {
    if (is_before(block.begin, acknowledged_) || is_before(end_, block.end)) continue;
    for (std::size_t i = index_of(block.begin); i < count_ && !is_before(block.end, at(i).end);
         ++i) {
      if (!is_before(at(i).begin, block.begin)) arrive(at(i), now, delivery);
    }
  }
  return delivery;
}

// ---- Losses

void Scoreboard::lose(Sent& sent) noexcept {
  if (sent.has_arrived || sent.is_lost) return;
  sent.is_lost = true;
  sent.is_queued = false;
  ++lost_count_;
  in_flight_ -= bytes_of(sent);
}

// RFC 8985 section 6.2, steps 4 and 5.
bool Scoreboard::find_lost(base::Instant now, base::Duration least_round_trip,
                           base::Duration smoothed, bool is_recovering) noexcept {
  base::Duration allowance{};
  if (has_seen_reordering_ || (!is_recovering && arrived_count_ < duplicates_max)) {
    allowance = std::min(least_round_trip / 4 * reordering_steps_, smoothed);
  }
  bool has_lost_some = false;
  again_at_ = base::never;
  for (std::size_t i = 0; i < count_; ++i) {
    Sent& sent = at(i);
    if (sent.has_arrived || sent.is_lost) continue;
    const bool is_earlier =
        sent.at < newest_at_ || (sent.at == newest_at_ && is_before(sent.end, newest_end_));
    if (!is_earlier) {
      if (!sent.was_resent && !is_recovering) break;  // later ones were sent later still
      continue;
    }
    const base::Instant due = sent.at + newest_round_trip_ + allowance;
    if (due <= now) {
      lose(sent);
      has_lost_some = true;
    } else {
      again_at_ = std::min(again_at_, due);
    }
  }
  return has_lost_some;
}

bool Scoreboard::on_duplicate(bool has_more_to_send) noexcept {
  ++duplicates_;
  // Early retransmit: of a few, fewer can report it (RFC 5827).
  unsigned enough = duplicates_max;
  if (count_ <= duplicates_max && !has_more_to_send) enough = static_cast<unsigned>(count_) - 1;
  return count_ > 1 && duplicates_ == std::max(enough, 1U) && lose_first();
}

bool Scoreboard::lose_first() noexcept {
  if (count_ == 0 || at(0).has_arrived || at(0).is_lost) return false;
  lose(at(0));
  return true;
}

bool Scoreboard::lose_last() noexcept {
  if (count_ == 0 || at(count_ - 1).has_arrived || at(count_ - 1).is_lost) return false;
  lose(at(count_ - 1));
  return true;
}

void Scoreboard::queue(std::size_t index) noexcept {
  at(index).is_queued = true;
  --lost_count_;
}

void Scoreboard::lose_all() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    Sent& sent = at(i);
    lose(sent);
    if (!sent.is_queued) continue;
    // A part of it may be among what lwIP holds to be acknowledged.
    sent.is_queued = false;
    ++lost_count_;
  }
  again_at_ = base::never;
  duplicates_ = 0;
}

void Scoreboard::allow_more_reordering() noexcept {
  has_seen_reordering_ = true;
  reordering_steps_ = std::min(reordering_steps_ + 1, reordering_steps_max);
}

}  // namespace net::lwip
