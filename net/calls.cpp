// SPDX-License-Identifier: ISC
#include "net/calls.hpp"

#include "base/check.hpp"

namespace net {

// ---- Call

bool Call::await_suspend(std::coroutine_handle<> waiting) {
  CHECK(!side_.is_waiting());
  if (!calls_.can_wait()) {
    calls_.read_over_ = calls_.write_over_ = error_ = Error::reset;
    return false;
  }
  waiting_ = waiting;
  side_.call_ = this;
  start_deadline();
  return true;
}

void Call::start_deadline() noexcept {
  const base::Instant now = calls_.loop_.now();
  side_.arm(within_ < base::never - now ? now + within_ : base::never);
}

// The coroutine is destroyed while it waits.
Call::~Call() {
  if (waiting_) calls_.detach(*this);
}

// ---- Side

void Side::expired() {
  if (call_ == nullptr) return;
  if (!call_->error_) call_->error_ = Error::timed_out;  // it may be cancelled already
  calls_.answer(*call_);
}

// ---- Calls

void Calls::take() noexcept {
  taken_ = true;
  read_over_.reset();
  write_over_.reset();
}

void Calls::release() noexcept {
  taken_ = false;
  if (!is_waiting()) put_back();
}

void Calls::fail_waiting(Error error) noexcept {
  for (Call* call : {read_side_.call_, write_side_.call_}) {
    if (call == nullptr) continue;
    call->error_ = error;
    wake();
  }
}

void Calls::detach(Call& call) noexcept {
  call.side_.call_ = nullptr;
  call.waiting_ = {};
  call.side_.disarm();
  if (!taken_ && !is_waiting()) put_back();
}

void Calls::answer(Call& call) {
  // A write that was given up has sent who knows how much.
  if (&call == write_side_.call_ && call.error_) write_over_ = call.error_;
  const std::coroutine_handle<> waiting = call.waiting_;
  detach(call);
  waiting.resume();
}

void Calls::answer_one() {
  Call* const reader = read_side_.call_;
  Call* const writer = write_side_.call_;
  const bool read = reader != nullptr && (reader->error_ || reader->attempt());
  const bool written = writer != nullptr && (writer->error_ || writer->attempt());
  // The reader goes first: its bytes may stand in a buffer that flows share.
  if (read && written) wake();
  if (read) {
    answer(*reader);
  } else if (written) {
    answer(*writer);
  }
}

}  // namespace net
