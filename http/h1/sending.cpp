// SPDX-License-Identifier: ISC
// http/h1/sending.cpp: the part of a Framing that hands over an answer's bytes and logs it; what it
// holds, a workspace; and what it hands on, HTTP/2.

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

void Framing::log(std::uint64_t body_bytes) noexcept {
  const Request& asked = request();
  common_.answered(asked.is_http_1_0 ? Protocol::http_1_0 : Protocol::http_1_1,
                   workspace_->exchange.status(), body_bytes, started_);
  if (!common_.log.is_on()) return;
  bool known = workspace_->parser.has_request_line();
  LogEntry entry;
  entry.peer = visitor_of(asked, peer_, common_.options.trusted_proxies).address;
  entry.wall_s = common_.now_s();
  if (known) {
    entry.method = asked.method_text;
    entry.target = asked.target;
    entry.version = asked.is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
    entry.referer = asked.value(Field::referer);
    entry.user_agent = asked.value(Field::user_agent);
  }
  entry.status = workspace_->exchange.status();
  entry.body_bytes = body_bytes;
  entry.duration = common_.loop.clock().now() - started_;
  common_.log.write(entry);
}

// ---- HTTP/2 by prior knowledge

Framing::Preface Framing::preface() const noexcept {
  constexpr std::string_view whole = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 section 3.4
  const Options& options = common_.options;
  // Over TLS it is ALPN that chooses HTTP/2.
  if (!options.http2_cleartext || options.is_secure || requests_ > 0) return Preface::none;
  const std::string_view came = workspace_->unread();
  if (came.starts_with(whole)) return Preface::whole;
  return whole.starts_with(came) ? Preface::part : Preface::none;
}

std::string Framing::take_unread() {
  std::string unread(workspace_->unread());
  drop_workspace();
  state_ = State::over;
  return unread;
}

// ---- what it holds ---------------------------------------------------------------------------

bool Framing::take_workspace() noexcept {
  if (common_.admission().take_request(*this)) {
    workspace_ = common_.pool.take();
    if (workspace_ != nullptr) return true;
    common_.admission().give_request(*this);
  }
  common_.counters().refused(Refusal::buffers);
  return false;
}

void Framing::drop_workspace() noexcept {
  if (workspace_ == nullptr) return;
  begins_again_ = false;
  common_.visits.give(std::move(workspace_->visit));
  common_.pool.give(std::move(workspace_));
  common_.admission().give_request(*this);
}

}  // namespace http::h1
