// SPDX-License-Identifier: ISC
#include "net/lwip/sender.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <new>
#include <span>
#include <utility>

#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/clockwork.hpp"
#include "net/lwip/connection_table.hpp"
#include "net/lwip/ext_args.hpp"
#include "net/lwip/frame.hpp"
#include "net/lwip/memory.hpp"
#include "net/lwip/tcp_options.hpp"

namespace net::lwip {

namespace {

using namespace std::chrono_literals;

// RFC 8985 section 7.2: how long a peer may wait before it acknowledges a single segment; and, as
// Linux, for several.
constexpr base::Duration acknowledgement_delay = 200ms;
constexpr base::Duration probe_slack = 2ms;

std::uint32_t begin_of(const tcp_seg& segment) { return lwip_ntohl(segment.tcphdr->seqno); }
bool is_with_device(const tcp_seg& segment) { return segment.p->ref != 1; }

// The blocks of selective acknowledgement among TCP's options (RFC 2018).
std::span<Range> read_blocks(base::Bytes options, std::span<Range> blocks) noexcept {
  std::size_t count = 0;
  for (auto each = next_option(options, 0); each;
       each = next_option(options, each->at + each->bytes)) {
    if (each->kind != TcpOption::selective) continue;
    for (std::size_t at = 2; at + 8 <= each->bytes && count < blocks.size(); at += 8) {
      blocks[count++] = {long_at(options, each->at + at), long_at(options, each->at + at + 4)};
    }
  }
  return blocks.first(count);
}

void gone(u8_t, void* data) {
  if (data == nullptr) return;
  std::destroy_at(static_cast<Sender*>(data));
  Memory::free_again(data);
}

constexpr tcp_ext_arg_callbacks of_connection{.destroy = gone, .passive_open = nullptr};

}  // namespace

Sender::Sender(tcp_pcb& pcb, base::Loop& loop, Clockwork& clockwork) noexcept
    : Timer(loop),
      pcb_(pcb),
      loop_(loop),
      clockwork_(clockwork),
      control_(pcb.mss),
      segment_bytes_(pcb.mss) {}

bool Sender::attach(tcp_pcb& pcb, base::Loop& loop, Clockwork& clockwork) noexcept {
  void* memory = Memory::allocate(sizeof(Sender));
  if (memory == nullptr) return false;
  tcp_ext_arg_set_callbacks(&pcb, sender_arg, &of_connection);
  tcp_ext_arg_set(&pcb, sender_arg, new (memory) Sender(pcb, loop, clockwork));
  return true;
}

Sender* Sender::of(const tcp_pcb& pcb) noexcept {
  return static_cast<Sender*>(tcp_ext_arg_get(&pcb, sender_arg));
}

void Sender::on_syn() noexcept {
  ++syn_count_;
  syn_at_ = loop_.now();
}

// ---- What the peer says

void Sender::on_segment(const Heard& heard) noexcept {
  const base::Instant now = loop_.now();
  if (!is_started_) {
    // The handshake is a sample, if it was not repeated (Karn).
    const bool answers_syn = syn_count_ == 1 && heard.acknowledged == pcb_.snd_nxt;
    if (answers_syn && !round_trip_.is_measured()) round_trip_.measure(now - syn_at_, now);
    return;
  }
  pcb_.rtime = -1;
  if (is_before(heard.acknowledged, board_.acknowledged())) return;
  std::array<Range, 4> space;
  const std::uint32_t in_flight_before = board_.in_flight();
  const auto delivery = board_.on_acknowledgement(
      heard.acknowledged, read_blocks(heard.options, space), now, round_trip_.least());
  if (delivery.round_trip > 0ns) round_trip_.measure(delivery.round_trip, now);
  if (delivery.is_advance) timeouts_ = 0;
  if (delivery.has_doubled) see_doubled();
  see_end_of_probe(delivery, heard.acknowledged);
  const bool has_new_loss = find_losses(heard, delivery);
  if (state_ != State::open && !is_before(heard.acknowledged, recover_)) state_ = State::open;
  if (has_new_loss && state_ == State::open) begin_recovery(in_flight_before);
  if (state_ == State::recovering) {
    // Without blocks a duplicate stands for a segment.
    const bool is_duplicate = delivery.bytes == 0 && heard.is_plain && !delivery.has_blocks;
    reduce_rate(is_duplicate ? segment_bytes_ : delivery.bytes,
                delivery.is_advance && !has_new_loss);
  } else if (delivery.bytes > 0) {
    grow(delivery);
  }
  has_progress_ = has_progress_ || delivery.bytes > 0;
}

bool Sender::find_losses(const Heard& heard, const Scoreboard::Delivery& delivery) noexcept {
  if ((pcb_.flags & TF_SACK) != 0) {
    return delivery.bytes > 0 && board_.find_lost(loop_.now(), round_trip_.least(),
                                                  round_trip_.smoothed(), state_ != State::open);
  }
  if (delivery.is_advance) {
    // A part of what is repaired: what is first now is lost too (RFC 6582).
    const bool is_partial = state_ == State::recovering && is_before(heard.acknowledged, recover_);
    return is_partial && board_.lose_first();
  }
  const bool is_duplicate = heard.is_plain && !board_.is_empty() &&
                            SND_WND_SCALE(&pcb_, tcpwnd_size_t{heard.window}) == pcb_.snd_wnd;
  return is_duplicate && state_ == State::open && board_.on_duplicate(pcb_.unsent != nullptr);
}

void Sender::begin_recovery(std::uint32_t in_flight_before) noexcept {
  state_ = State::recovering;
  recover_ = board_.end();
  control_.on_loss();
  delivered_ = sent_out_ = 0;
  flight_at_loss_ = std::max(in_flight_before, segment_bytes_);
  resent_count_ = doubled_count_ = 0;
  has_probed_ = false;
}

// RFC 9937 section 7.
void Sender::reduce_rate(std::uint32_t delivered, bool is_safe) noexcept {
  delivered_ += delivered;
  const auto target = static_cast<std::int64_t>(control_.window());
  const auto in_flight = static_cast<std::int64_t>(board_.in_flight());
  const auto arrived = static_cast<std::int64_t>(delivered_);
  const auto sent = static_cast<std::int64_t>(sent_out_);
  const std::int64_t segment = segment_bytes_;
  if (in_flight > target) {
    const std::int64_t flight = flight_at_loss_;
    may_send_ = (arrived * target + flight - 1) / flight - sent;
  } else {
    std::int64_t most = std::max<std::int64_t>(arrived - sent, delivered);
    if (is_safe) most += segment;
    may_send_ = std::min(target - in_flight, most);
  }
  if (sent == 0) may_send_ = std::max(may_send_, segment);
}

void Sender::grow(const Scoreboard::Delivery& delivery) noexcept {
  const std::uint64_t most = std::max(flight_most_, flight_most_before_);
  const bool was_used = state_ == State::lost || 2 * most >= control_.window();
  Acknowledged acknowledged{.now = loop_.now(),
                            .bytes = delivery.bytes,
                            .round_trip = delivery.round_trip,
                            .smoothed = round_trip_.smoothed(),
                            .was_used = was_used};
  if (!is_before(board_.acknowledged(), round_end_)) {
    acknowledged.begins_round = true;
    round_end_ = board_.end();
    flight_most_before_ = std::exchange(flight_most_, board_.in_flight());
  }
  control_.on_acknowledged(acknowledged);
}

void Sender::see_doubled() noexcept {
  if (resent_count_ == 0 || ++doubled_count_ < resent_count_) return;
  resent_count_ = doubled_count_ = 0;
  control_.on_undo();
  board_.allow_more_reordering();
  if (!board_.has_lost()) state_ = State::open;
}

// RFC 8985 section 7.4.
void Sender::see_end_of_probe(const Scoreboard::Delivery& delivery,
                              std::uint32_t acknowledged) noexcept {
  if (!has_probed_ || is_before(acknowledged, probe_end_)) return;
  const bool is_told_twice =
      !is_probe_resent_ || delivery.has_doubled || (!delivery.is_advance && delivery.bytes == 0);
  const bool has_repaired =
      is_probe_resent_ && !delivery.has_doubled && is_before(probe_end_, acknowledged);
  if (!is_told_twice && !has_repaired) return;
  has_probed_ = false;
  if (has_repaired) control_.on_loss();  // what it repaired counts as one
}

// ---- What goes out

void Sender::before_write() noexcept {
  if (!is_started_ || !board_.is_empty()) return;
  const base::Duration idle = loop_.now() - board_.last_sent_at();
  const base::Duration timeout = round_trip_.timeout(0);
  if (idle > timeout) control_.on_idle(idle, timeout);
}

void Sender::on_transmit(Range range) noexcept {
  if (!is_started_) {
    is_started_ = true;
    board_.start(range.begin);
    recover_ = round_end_ = probe_end_ = range.begin;
    segment_bytes_ = pcb_.mss;
    control_ = Cubic(segment_bytes_);
  }
  const bool is_new = !is_before(range.begin, board_.end());
  board_.on_sent(range, loop_.now());
  if (!is_new) ++resent_count_;
  const std::uint32_t bytes = range.end - range.begin;
  if (state_ == State::recovering) sent_out_ += bytes;
  may_send_ -= bytes;
  last_sent_ = range;
  has_sent_ = true;
  has_sent_new_ = has_sent_new_ || is_new;
}

std::int64_t Sender::room() const noexcept {
  if (state_ == State::recovering) return may_send_;
  return std::int64_t{control_.window()} - board_.in_flight();
}

std::int64_t Sender::resend_lost(std::int64_t room) noexcept {
  tcp_seg** from = &pcb_.unacked;
  tcp_seg** into = &pcb_.unsent;
  for (std::size_t i = 0; board_.has_lost() && i < board_.count(); ++i) {
    const Scoreboard::Sent& sent = board_.at(i);
    if (!sent.is_lost || sent.is_queued) continue;
    const std::int64_t bytes = sent.end - sent.begin;
    if (room < bytes) return 0;
    while (*from != nullptr && is_before(begin_of(**from), sent.begin)) from = &(*from)->next;
    bool is_held = false;
    while (!is_held && *from != nullptr && is_before(begin_of(**from), sent.end)) {
      tcp_seg* segment = *from;
      is_held = is_with_device(*segment);
      if (is_held) break;
      *from = segment->next;
      while (*into != nullptr && is_before(begin_of(**into), begin_of(*segment))) {
        into = &(*into)->next;
      }
      segment->next = *into;
      *into = segment;
      if (segment->next == nullptr) pcb_.unsent_oversize = 0;
      into = &segment->next;
    }
    if (is_held) continue;
    board_.queue(i);
    room -= bytes;
  }
  return room;
}

err_t Sender::output(std::int64_t more) noexcept {
  if (tcp_input_pcb == &pcb_) return ERR_OK;
  if (segment_bytes_ != pcb_.mss) {
    segment_bytes_ = pcb_.mss;
    control_.set_segment_bytes(segment_bytes_);
  }
  has_sent_ = has_sent_new_ = false;
  std::int64_t left = std::max<std::int64_t>(resend_lost(room()), more);
  left = std::clamp<std::int64_t>(left, 0, std::numeric_limits<std::int32_t>::max());
  const std::uint32_t flight = pcb_.snd_nxt - pcb_.lastack;
  pcb_.cwnd = std::max<tcpwnd_size_t>(flight + static_cast<tcpwnd_size_t>(left), 1);
  const err_t answer = tcp_output(&pcb_);
  if (answer != ERR_OK && has_sent_) board_.on_refused(last_sent_);
  flight_most_ = std::max(flight_most_, board_.in_flight());
  wait();
  return answer;
}

// ---- Time

bool Sender::may_probe() const noexcept {
  return state_ == State::open && !has_probed_ && timeouts_ == 0 && !board_.has_arrivals() &&
         (pcb_.flags & TF_SACK) != 0 && round_trip_.is_measured();
}

void Sender::wait() noexcept {
  const bool has_progress = std::exchange(has_progress_, false);
  if (board_.is_empty() || pcb_.persist_backoff > 0) {
    wait_ = Wait::nothing;
    disarm();
    return;
  }
  if (board_.again_at() != base::never) {
    wait_ = Wait::reordering;
    arm(board_.again_at());
    return;
  }
  const base::Instant now = loop_.now();
  const base::Duration timeout = round_trip_.timeout(timeouts_);
  if (may_probe()) {
    if (has_progress || has_sent_new_ || wait_ != Wait::probe) {
      base::Duration probe = 2 * round_trip_.smoothed();
      probe += board_.count() == 1 ? acknowledgement_delay : probe_slack;
      // Not later than the timeout would be, which then begins anew.
      arm(std::max(std::min(now + probe, board_.at(0).at + timeout), now + probe_slack));
    }
    wait_ = Wait::probe;
  } else {
    if (has_progress || wait_ != Wait::timeout) arm(now + timeout);
    wait_ = Wait::timeout;
  }
}

void Sender::expired() {
  Clockwork& clockwork = clockwork_;
  clockwork.enter_stack();
  switch (std::exchange(wait_, Wait::nothing)) {
    case Wait::nothing:
      break;
    case Wait::probe:
      on_probe_time();
      break;
    case Wait::timeout:
      on_timeout();
      break;
    case Wait::reordering: {
      const std::uint32_t in_flight_before = board_.in_flight();
      const bool has_new_loss = board_.find_lost(loop_.now(), round_trip_.least(),
                                                 round_trip_.smoothed(), state_ != State::open);
      if (has_new_loss && state_ == State::open) begin_recovery(in_flight_before);
      if (state_ == State::recovering) reduce_rate(0, false);
      output();
    }
  }
  clockwork.enter();  // this may have gone
}

void Sender::on_probe_time() noexcept {
  if (board_.is_empty()) return;
  has_probed_ = true;
  std::int64_t more = 0;
  const tcp_seg* next = pcb_.unsent;
  is_probe_resent_ = next == nullptr || begin_of(*next) - pcb_.lastack + next->len > pcb_.snd_wnd;
  if (is_probe_resent_) {
    if (board_.lose_last()) more = segment_bytes_ + 1;  // a FIN counts
    static_cast<void>(resend_lost(more));
  } else {
    more = next->len;
  }
  output(more);
  probe_end_ = board_.end();
}

void Sender::on_timeout() noexcept {
  if (++timeouts_ > timeouts_max) {
    ConnectionTable::to_front(pcb_);
    tcp_abandon(&pcb_, 0);
    return;
  }
  board_.lose_all();
  if (state_ != State::lost) control_.on_timeout(state_ == State::recovering);
  state_ = State::lost;
  recover_ = board_.end();
  resent_count_ = doubled_count_ = 0;
  has_probed_ = false;
  // A peer that has closed its window in the meantime is probed, by lwIP, once all of it waits.
  const tcp_seg* first = pcb_.unacked;
  if (first != nullptr && begin_of(*first) - pcb_.lastack + first->len > pcb_.snd_wnd) {
    resend_lost(std::numeric_limits<std::int64_t>::max());
  }
  output();
}

}  // namespace net::lwip
