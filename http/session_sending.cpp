// SPDX-License-Identifier: ISC
// http/session_sending.cpp: the part of a Session that hands over an answer's bytes, and what a
// session holds: a workspace.

#include <algorithm>

#include "http/session.hpp"

namespace http {

std::uint64_t Session::offset() const noexcept {
  return workspace_->answer.ranges[range_].offset + range_done_;
}

std::uint64_t Session::piece_bytes(std::uint64_t bytes_max) const noexcept {
  return std::min({workspace_->answer.ranges[range_].size_bytes - range_done_, bytes_max,
                   common_.options.step_bytes_max});
}

bool Session::take_value(base::Bytes bytes, std::uint64_t asked, bool lasting) noexcept {
  if (bytes.size() != asked) {
    value_failed(kv::Error::unavailable);  // it has changed since it was measured
    return false;
  }
  Workspace& work = *workspace_;
  const Range& range = work.answer.ranges[range_];
  bool is_whole = bytes.size() == range.size_bytes && work.answer.range_count == 1;
  if (is_whole && bytes.size() <= common_.options.copy_bytes_max) {
    work.out.text(base::text_of(bytes));
    ++range_;
    return false;
  }
  pieces_[1] = {bytes, lasting};
  value_out_ = true;
  return true;
}

std::uint64_t Session::body_bytes_sent() const noexcept {
  std::uint64_t bytes = range_done_;
  for (std::size_t i = 0; i < range_; ++i) bytes += workspace_->answer.ranges[i].size_bytes;
  return bytes;
}

void Session::value_failed(kv::Error why) noexcept {
  Workspace& work = *workspace_;
  if (range_ > 0 || range_done_ > 0 || work.sent > answer_begin_) {
    break_off();
    return;
  }
  work.out.rewind(answer_begin_);
  status_ = why == kv::Error::unavailable ? Status::service_unavailable : Status::not_found;
  state_ = State::answering;
}

std::span<const net::Piece> Session::pieces() noexcept {
  Workspace& work = *workspace_;
  std::size_t end = value_out_ ? work.answer.text_end[range_] : work.out.size();
  pieces_[0] = {base::bytes_of(work.out.written().substr(work.sent, end - work.sent)), false};
  return std::span(pieces_).first(value_out_ ? 2 : 1);
}

void Session::wrote(bool all) noexcept {
  if (!all) {
    break_off();
    return;
  }
  Workspace& work = *workspace_;
  if (!value_out_) {
    work.sent = 0;
    work.out.rewind(0);
    return;
  }
  value_out_ = false;
  work.sent = work.answer.text_end[range_];
  range_done_ += pieces_[1].bytes.size();
  if (range_done_ == work.answer.ranges[range_].size_bytes) {
    ++range_;
    range_done_ = 0;
  } else {
    become_busy();  // since now: the peer takes what it is sent
  }
}

void Session::did_shut_down(bool well) noexcept {
  state_ = well && linger_ ? State::lingering : State::over;
  deadline_ = now() + common_.options.linger_within;
}

// ---- what it holds ---------------------------------------------------------------------------

bool Session::take_workspace() noexcept {
  workspace_ = common_.pool.take();
  return workspace_ != nullptr;
}

void Session::drop_workspace() noexcept {
  if (workspace_ != nullptr) common_.pool.give(std::move(workspace_));
}

}  // namespace http
