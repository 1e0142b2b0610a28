// SPDX-License-Identifier: ISC
// http/h1/sending.cpp: the part of a Framing that hands over an answer's bytes, and what it holds:
// a workspace.

#include <algorithm>

#include "http/h1/framing.hpp"

namespace http::h1 {

std::uint64_t Framing::piece_bytes(std::uint64_t bytes_max) const noexcept {
  return std::min({workspace_->exchange.bytes_left(), bytes_max, common_.options.step_bytes_max});
}

bool Framing::take_value(base::Bytes bytes, std::uint64_t asked, bool lasting) noexcept {
  if (bytes.size() != asked) {
    value_failed(kv::Error::unavailable);  // it has changed since it was measured
    return false;
  }
  Workspace& work = *workspace_;
  if (bytes.size() <= std::min(common_.options.copy_bytes_max, work.out.room())) {
    work.out.text(base::text_of(bytes));
    work.exchange.took(bytes.size());
    return false;
  }
  work.pieces[1] = {bytes, lasting};
  value_out_ = true;
  return true;
}

void Framing::value_failed(kv::Error why) noexcept {
  Workspace& work = *workspace_;
  if (work.exchange.value_failed(why, has_sent_)) {
    work.out.rewind(work.answer_begin);
  } else {
    break_off();
  }
}

std::span<const net::Piece> Framing::pieces() noexcept {
  Workspace& work = *workspace_;
  work.pieces[0] = {base::bytes_of(work.out.written()), false};
  return std::span(work.pieces).first(value_out_ ? 2 : 1);
}

void Framing::wrote(bool all) noexcept {
  if (!all) {
    break_off();
    return;
  }
  Workspace& work = *workspace_;
  work.out.rewind(0);
  has_sent_ = true;
  if (!value_out_) return;
  value_out_ = false;
  work.exchange.took(work.pieces[1].bytes.size());
  if (work.exchange.step() == Exchange::Step::value) become_busy();  // since now
}

// Nothing more goes out.
void Framing::break_off() noexcept {
  if (state_ == State::answering && workspace_->exchange.is_answered()) {
    log(workspace_->exchange.value_bytes_taken());
  }
  state_ = State::over;
}

void Framing::did_shut_down(bool well) noexcept {
  state_ = well && linger_ ? State::lingering : State::over;
  deadline_ = now() + common_.options.linger_within;
}

// ---- what it holds ---------------------------------------------------------------------------

bool Framing::take_workspace() noexcept {
  if (common_.admission().take_request()) {
    workspace_ = common_.pool.take();
    if (workspace_ != nullptr) return true;
    common_.admission().give_request();
  }
  common_.counters().refused(Refusal::buffers);
  return false;
}

void Framing::drop_workspace() noexcept {
  if (workspace_ == nullptr) return;
  begins_again_ = false;
  common_.visits.give(std::move(workspace_->visit));
  common_.pool.give(std::move(workspace_));
  common_.admission().give_request();
}

}  // namespace http::h1
