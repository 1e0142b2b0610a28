// SPDX-License-Identifier: ISC
// http/h2/sending.cpp: the part of a Framing that the writer drives: answers and their bodies.

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.hpp"
#include "http/authority.hpp"
#include "http/h2/framing.hpp"
#include "http/site/rules.hpp"

namespace http::h2 {
namespace {

// A frame with less than this of a body that has more is worth no more than its asking.
constexpr std::size_t small_frame_bytes = 256;

// Of a body. With its head the frame is as large as a TLS record may be, so that frames of a full
// batch fill their records.
constexpr std::size_t frame_head_bytes = 9;
constexpr std::size_t frame_bytes_max = std::size_t{16} * 1024 - frame_head_bytes;

}  // namespace

// ---- what to do next -------------------------------------------------------------------------

Next Framing::next() noexcept {
  for (;;) {
    if (common_.aborting) fail();
    if (state_ == State::over || state_ == State::lingering) {
      return Next::close;
    }
    Next next{};
    if (next_of_current(next)) return next;
    if (state_ == State::over || !next_answer(next)) continue;
    return next;
  }
}

// The stream for which the store was asked has more to ask, or is done with. True: `next`.
bool Framing::next_of_current(Next& next) noexcept {
  while (current_ != nullptr) {
    if (current_->is_closed) {
      done_with_current();
      continue;
    }
    switch (current_->exchange.step()) {
      case Exchange::Step::stat:
        next = Next::stat;
        return true;
      case Exchange::Step::answer:
        if (!answer(*current_)) {
          fail();
          next = Next::close;
          return true;
        }
        if (current_->state != Stream::State::answering) {
          next = Next::get;
          return true;
        }
        done_with_current();
        break;
      default:
        done_with_current();
        break;
    }
  }
  return false;
}

// Takes the next stream that has something to ask the store, or puts out what there is. False: look
// again.
bool Framing::next_answer(Next& next) noexcept {
  if (!waiting_.is_empty() && !is_terminated_) {
    current_ = &waiting_.take_first();
    if (!current_->has_begun) begin_answer(*current_);
    return false;
  }
  if (!hungry_.is_empty() && (values_last_ || (staged_ == nullptr && !staging_is_out_))) {
    current_ = &hungry_.take_first();
    next = Next::get;
    return true;
  }
  return next_output(next);
}

bool Framing::next_output(Next& next) noexcept {
  if (session_->wants_write() || !batch_.is_empty()) {
    if (!batch_.reserve() || !session_->fill(batch_)) {
      fail();
      return false;
    }
    if (offence_) terminate(*offence_);
    if (!batch_.is_empty()) {
      is_writing_ = true;
      next = Next::write;
      return true;
    }
  }
  if (!hungry_.is_empty()) {
    // What was fetched cannot be sent: its window is closed. It is fetched again when that opens.
    if (staged_ != nullptr) std::exchange(staged_, nullptr)->ready = {};
    return false;
  }
  next = next_in_silence();
  return true;
}

// Nothing can be sent now.
Next Framing::next_in_silence() noexcept {
  batch_.release();
  if (stream_count_ == 0) {
    staging_.reset();
    if (has_begun_ && !std::exchange(is_idle_, true)) become_idle();
  }
  const bool is_over = is_terminated_ || !session_->wants_read();
  const bool is_last = reads_no_more_ || state_ == State::ending;
  return is_over || (is_last && stream_count_ == 0) ? Next::shutdown : Next::wait;
}

void Framing::done_with_current() noexcept {
  Stream& stream = *std::exchange(current_, nullptr);
  if (stream.is_closed) {
    if (stream.has_begun) give_visit(stream);
    free(stream);
  }
}

void Framing::wrote(bool all) noexcept {
  batch_.clear();
  is_writing_ = false;
  staging_is_out_ = false;
  if (!all) return fail();
  if (std::exchange(made_progress_, false) && !is_idle_) become_busy();
}

// ---- answers ---------------------------------------------------------------------------------

void Framing::enqueue(Stream& stream) noexcept {
  stream.state = Stream::State::waiting;
  stream.deadline = now() + common_.options.stall_within;
  waiting_.add(stream);
}

void Framing::refuse(Stream& stream, Status why) noexcept {
  stream.exchange.refuse(stream.head.request(), common_.options, why);
  stream.has_begun = true;
  enqueue(stream);
}

// Several hosts share the appliance and the certificate is not for this one: the client is to ask
// on another connection (RFC 9110 section 15.5.20).
bool Framing::misdirected(const Stream& stream) noexcept {
  const bool has_hosts = !common_.options.hosts.empty() ||
                         (common_.rules != nullptr && !common_.rules->plan().hosts().empty());
  if (!has_hosts) return false;
  const auto authority = parse_authority(stream.head.authority());
  return authority && !serves(authority->host);
}

void Framing::begin_answer(Stream& stream) noexcept {
  stream.has_begun = true;
  if (misdirected(stream)) {
    stream.exchange.refuse(stream.head.request(), common_.options, Status::misdirected_request);
  } else if (common_.rules == nullptr) {
    stream.exchange.begin(stream.head.request(), common_.options_of(stream.head.request(), peer_),
                          stream.head.key());
  } else {
    if (visit_ == nullptr) visit_ = common_.visits.take();
    stream.exchange.begin(stream.head.request(), common_.options_of(stream.head.request(), peer_),
                          stream.head.key(), common_.rules, visit_.get());
  }
}

void Framing::give_visit(Stream& stream) noexcept {
  stream.exchange.leave_visit(stream.head.key());
  common_.visits.give(std::move(visit_));
}

// Hands the head to nghttp2, unless the first bytes of its value are still to come: a store may
// fail, and that is another answer. False: there is no memory.
bool Framing::answer(Stream& stream) noexcept {
  std::span<char> buffer = common_.head_buffer();
  if (buffer.empty()) return false;
  FieldList head(buffer, common_.date());
  stream.exchange.answer(common_.now_s(), head);
  if (head.overflowed()) {
    give_visit(stream);
    stream.exchange.refuse(stream.head.request(), common_.options, Status::service_unavailable);
    stream.exchange.answer(common_.now_s(), head);
  }
  if (stream.exchange.step() == Exchange::Step::value && !std::exchange(stream.value_came, true)) {
    return true;
  }
  give_visit(stream);
  const bool has_body = stream.exchange.step() != Exchange::Step::done;
  stream.state = Stream::State::answering;
  stream.deadline = now() + common_.options.stall_within;
  if (!session_->answer(stream, head, has_body)) return false;
  if (has_body && !stream.has_priority) session_->set_urgency(stream, urgency_of(head.type()));
  return true;
}

// ---- values ----------------------------------------------------------------------------------

void Framing::take_stat(const kv::Result<kv::Stat>& stat) noexcept {
  current_->exchange.take_stat(stat);
}

std::uint64_t Framing::piece_bytes(std::uint64_t bytes_max) const noexcept {
  const std::uint64_t most =
      values_last_ ? bytes_max : std::min<std::uint64_t>(bytes_max, frame_bytes_max);
  return std::min(current_->exchange.bytes_left(), most);
}

void Framing::take_value(base::Bytes bytes, std::uint64_t asked) noexcept {
  Stream& stream = *current_;
  if (bytes.size() != asked) return value_failed(kv::Error::unavailable);  // it has changed
  const bool is_first = stream.state != Stream::State::answering;
  // Another stream's piece is in the buffer: this one is fetched again when it can be sent.
  const bool has_room = values_last_ || (staged_ == nullptr && !staging_is_out_);
  if (!stream.is_closed && has_room) {
    stream.ready = bytes;
    stream.ready_lasts = values_last_;
    if (!values_last_) {
      if (staging_ == nullptr) staging_.reset(new (std::nothrow) std::byte[frame_bytes_max]);
      if (staging_ == nullptr) return fail();
      std::memcpy(staging_.get(), bytes.data(), bytes.size());
      stream.ready = {staging_.get(), bytes.size()};
      staged_ = &stream;
    }
    if (!is_first && !session_->resume(stream)) return fail();
  }
  if (is_first) {
    stream.exchange.answer_again();
  } else {
    done_with_current();
  }
}

void Framing::value_failed(kv::Error why) noexcept {
  // While the head has not been handed over there is another answer.
  const bool has_sent = current_->state == Stream::State::answering;
  if (current_->exchange.value_failed(why, has_sent)) return;
  break_off(*current_);
  done_with_current();
}

void Framing::break_off(Stream& stream) noexcept {
  if (!stream.is_closed && !session_->reset(stream, ErrorCode::internal_error)) fail();
}

// ---- bodies, for nghttp2 ---------------------------------------------------------------------

std::size_t Framing::pledge(Stream& stream, std::size_t bytes_max, bool& is_last) noexcept {
  Exchange& exchange = stream.exchange;
  if (stream.ready.empty()) {
    if (exchange.step() == Exchange::Step::text) {
      Writer text(stream.text);
      exchange.write_text(text);
      stream.ready = base::bytes_of(text.written());
      stream.ready_lasts = false;
      stream.ready_is_text = true;
    } else {
      CHECK(exchange.step() == Exchange::Step::value);
      if (!stream.is_queued && &stream != current_) hungry_.add(stream);
      return 0;
    }
  }
  const std::size_t bytes = std::min({bytes_max, stream.ready.size(), frame_bytes_max});
  const bool is_small = bytes < small_frame_bytes && bytes < stream.ready.size();
  if (is_small) {
    count(FrameKind::control);
  } else {
    made_progress_ = true;
    frames_.put_back(2);
  }
  stream.pledged = stream.ready.first(bytes);
  stream.ready = stream.ready.subspan(bytes);
  if (!stream.ready_is_text) exchange.took(bytes);
  stream.progress_bytes += bytes;
  is_last = stream.ready.empty() && exchange.step() == Exchange::Step::done;
  return bytes;
}

bool Framing::give(Stream& stream, base::Bytes frame_head, Batch& batch) noexcept {
  const base::Bytes body = stream.pledged;
  const bool copies = stream.ready_is_text || body.size() <= common_.options.copy_bytes_max;
  if (!batch.has_room(frame_head.size() + (copies ? body.size() : 0))) return false;
  batch.copy(frame_head);
  if (copies) {
    batch.copy(body);
  } else {
    batch.refer(body, stream.ready_lasts);
    if (!stream.ready_lasts) staging_is_out_ = true;
  }
  if (staged_ == &stream && stream.ready.empty()) staged_ = nullptr;
  if (stream.ready.empty()) stream.ready_is_text = false;
  return true;
}

}  // namespace http::h2
