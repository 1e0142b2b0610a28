// SPDX-License-Identifier: ISC
#include "http/h1/framing.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"

namespace http::h1 {
namespace {

// Requests of one connection before the others have their turn: one that sends without a pause
// must not have the loop for itself.
constexpr int requests_per_turn_max = 64;

// Less room than this, and what waits is written first: most heads fit into it.
constexpr std::size_t answer_room_bytes = 1024;

// Writes a head as lines.
class Lines final : public HeadSink {
 public:
  Lines(Writer& out, std::string_view date, bool close, bool is_http_1_0)
      : out_(out), date_(date), close_(close), is_http_1_0_(is_http_1_0) {}

  void begin(Status status) override {
    out_.text(opening_of(status));
    out_.text(date_);
    if (close_) {
      out_.text("\r\nConnection: close\r\n");
    } else if (is_http_1_0_) {
      out_.text("\r\nConnection: keep-alive\r\n");
    } else {
      out_.text("\r\n");
    }
  }
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override {
    Writer out = out_;  // a copy of its own stays in registers
    for (kv::Head::Offset set : sets) out.text(head.at(set).text());
    out_ = out;
  }
  void field(std::string_view name, std::string_view value) override {
    begin_value(name).text(value);
    end_value();
  }
  Writer& begin_value(std::string_view name) override {
    out_.text(name);
    out_.text(": ");
    return out_;
  }
  void end_value() override { out_.text("\r\n"); }

 private:
  Writer& out_;
  const std::string_view date_;
  const bool close_;
  const bool is_http_1_0_;
};

}  // namespace

Framing::~Framing() { drop_workspace(); }

void Framing::evict() noexcept {
  if (!common_.draining) common_.counters().evictions.add();
  evicted_ = true;
  // One that waits for bytes frees it now; one that writes from it, when it has noticed.
  if ((state_ == State::head || state_ == State::body) && !has_unsent()) drop_workspace();
}

void Framing::turn_away() noexcept {
  state_ = State::over;
  if (!take_workspace()) return;
  workspace_->parser.reset();
  started_ = common_.request_start();
  refuse(Status::service_unavailable);
}

// ---- what to do next -------------------------------------------------------------------------

Next Framing::next() noexcept {
  for (;;) {
    if (common_.aborting || evicted_) break_off();
    switch (state_) {
      case State::head: {
        if (workspace_ == nullptr || workspace_->begin == workspace_->end) return next_in_head();
        const Preface preface = this->preface();
        if (preface == Preface::whole) return Next::http2;
        if (preface == Preface::part) return next_in_head();
        Parse parse = workspace_->parser.parse(
            workspace_->unread().substr(0, common_.options.header_bytes_max));
        if (parse == Parse::need_more) {
          if (has_unsent() || make_head_room()) return next_in_head();
          refuse(Status::service_unavailable);
          break;
        }
        if (parse == Parse::refused) {
          refuse(workspace_->parser.refusal());
        } else {
          begin_request();
        }
        break;
      }
      case State::body:
        if (!read_body()) {
          if (has_unsent()) return Next::write;
          become_begun();
          return Next::read;
        }
        break;
      case State::answering: {
        Next next{};
        if (next_in_answering(next)) return next;
        break;
      }
      case State::closing:
      case State::lingering:
        return next_in_closing();
      case State::over:
        return Next::close;
    }
  }
}

Next Framing::next_in_head() noexcept {
  if (has_unsent()) return Next::write;
  if (workspace_ != nullptr && workspace_->begin < workspace_->end) {
    become_begun();
    return Next::read;
  }
  drop_workspace();
  if (common_.draining) {
    state_ = State::over;
    return Next::close;
  }
  is_idle_ = true;
  become_idle();
  return Next::read;
}

// False: there is something else to do first.
bool Framing::next_in_answering(Next& next) noexcept {
  Workspace& work = *workspace_;
  if (std::exchange(begins_again_, false)) begin_answer();
  switch (work.exchange.step()) {
    case Exchange::Step::stat:
      next = Next::stat;
      return true;
    case Exchange::Step::answer:
      next = Next::write;
      return !answer();
    case Exchange::Step::text:
      next = Next::write;
      if (work.out.room() < text_bytes_max) return true;
      work.exchange.write_text(work.out);
      return false;
    case Exchange::Step::value:
      next = Next::get;
      return true;
    case Exchange::Step::done:
      finish_answer();
      next = Next::yield;
      if (state_ != State::head || requests_this_turn_ <= requests_per_turn_max) return false;
      requests_this_turn_ = 0;
      return true;
  }
  return false;
}

Next Framing::next_in_closing() noexcept {
  if (has_unsent()) return Next::write;
  if (state_ == State::closing) return Next::shutdown;
  drop_workspace();
  if (lingered_ < common_.options.linger_bytes_max && now() < deadline_) return Next::read;
  state_ = State::over;
  return Next::close;
}

// ---- reading ---------------------------------------------------------------------------------

std::size_t Framing::read_bytes_max() const noexcept {
  if (state_ == State::lingering || workspace_ == nullptr) return Workspace::first_buffer_bytes;
  return workspace_->received.size() - workspace_->end;
}

base::Duration Framing::read_within() const noexcept {
  if (is_idle_) return common_.options.idle_within;
  return std::max(deadline_ - now(), base::Duration{1});
}

void Framing::received(const net::Result<base::Bytes>& bytes) noexcept {
  is_idle_ = false;
  if (evicted_) return;
  if (!bytes) {
    // A peer that was slow hears why; one that has gone, or has begun nothing, does not.
    bool late = bytes.error() == net::Error::timed_out && workspace_ != nullptr;
    if (late && (state_ == State::head || state_ == State::body)) {
      refuse(Status::request_timeout);
    } else {
      state_ = State::over;
    }
    return;
  }
  if (state_ == State::lingering) {
    lingered_ += static_cast<std::uint32_t>(bytes->size());
    return;
  }
  if (workspace_ == nullptr) {
    if (!take_workspace()) {
      state_ = State::over;
      return;
    }
    deadline_ = now() + common_.options.header_within;
    started_ = common_.request_start();
  }
  Workspace& work = *workspace_;
  CHECK(bytes->size() <= work.received.size() - work.end);
  std::memcpy(work.received.data() + work.end, bytes->data(), bytes->size());
  work.end += bytes->size();
}

// The bytes have moved: views into them are made again.
void Framing::parse_again() noexcept {
  Workspace& work = *workspace_;
  work.parser.reset();
  static_cast<void>(work.parser.parse(work.unread().substr(0, common_.options.header_bytes_max)));
}

// Makes room behind the part of a head that has come. False: there is no memory.
bool Framing::make_head_room() noexcept {
  Workspace& work = *workspace_;
  if (work.begin > 0) {
    work.compact();
    parse_again();
  }
  if (work.end < work.received.size()) return true;
  if (!common_.pool.grow(work)) return false;
  parse_again();
  return true;
}

void Framing::begin_request() noexcept {
  ++requests_;
  if (now() != turn_) {
    turn_ = now();
    requests_this_turn_ = 0;
  }
  ++requests_this_turn_;
  const Options& options = common_.options;
  bool is_last =
      options.requests_per_connection_max != 0 && requests_ >= options.requests_per_connection_max;
  close_ = !request().keep_alive || is_last || common_.is_leaving;
  // A peer that asked for the end sends no more; another may, and is heard out.
  linger_ = request().keep_alive;
  if (request().body == BodyFraming::none) {
    workspace_->begin += workspace_->parser.head_bytes();
    begin_answer();
    return;
  }
  if (request().expects_more || request().expects_continue) {
    // The body is not wanted, and whether it comes cannot be known (RFC 9110 section 10.1.1).
    close_ = linger_ = true;
    begin_answer();
    return;
  }
  if (auto refusal = workspace_->body.begin(request(), options)) {
    refuse(*refusal);
    return;
  }
  auto body_room = [this] {
    return workspace_->received.size() - workspace_->begin - workspace_->parser.head_bytes();
  };
  if (body_room() < Workspace::body_room_bytes) {
    workspace_->compact();
    if (body_room() < Workspace::body_room_bytes && !common_.pool.grow(*workspace_)) {
      refuse(Status::service_unavailable);
      return;
    }
    parse_again();
  }
  workspace_->body_begin = workspace_->begin + workspace_->parser.head_bytes();
  deadline_ = now() + options.header_within;
  state_ = State::body;
}

// Drops what has come of the body. False: more is needed.
bool Framing::read_body() noexcept {
  Workspace& work = *workspace_;
  char* body = work.received.data() + work.body_begin;
  std::size_t size = work.end - work.body_begin, consumed = 0;
  Parse parse = work.body.parse({body, size}, consumed);
  // What is left stays behind the head, which is still needed.
  std::memmove(body, body + consumed, size - consumed);
  work.end -= consumed;
  switch (parse) {
    case Parse::need_more:
      if (work.end < work.received.size()) return false;
      refuse(Status::bad_request);  // one chunk's head or the trailer fills the buffer
      break;
    case Parse::refused:
      refuse(work.body.refusal());
      break;
    case Parse::complete:
      work.body.end();
      work.begin = work.body_begin;
      begin_answer();
      break;
  }
  return true;
}

// ---- answering -------------------------------------------------------------------------------

void Framing::begin_answer() noexcept {
  become_busy();
  state_ = State::answering;
  Workspace& work = *workspace_;
  if (common_.rules == nullptr) {
    work.exchange.begin(request(), common_.options_of(request(), peer_), work.key);
  } else {
    if (work.visit == nullptr) work.visit = common_.visits.take();
    work.exchange.begin(request(), common_.options_of(request(), peer_), work.key, common_.rules,
                        work.visit.get());
  }
  if (workspace_->exchange.was_malformed()) close_ = true;
}

// A visit's buffers are for all connections: none keeps them while it waits for its peer.
void Framing::give_visit() noexcept {
  workspace_->exchange.leave_visit(workspace_->key);
  common_.visits.give(std::move(workspace_->visit));
}

// Writes the answer's head. False: what waits must be written first, to make room.
bool Framing::answer() noexcept {
  Workspace& work = *workspace_;
  if (common_.is_leaving) close_ = true;
  has_sent_ = false;
  work.answer_begin = work.out.size();
  if (work.out.room() >= answer_room_bytes) {
    Lines lines(work.out, common_.date(), close_, request().is_http_1_0);
    work.exchange.answer(common_.now_s(), lines);
    work.out.text("\r\n");
    if (!work.out.overflowed()) {
      give_visit();
      return true;
    }
    work.out.rewind(work.answer_begin);
    work.exchange.answer_again();
  }
  if (work.answer_begin > 0) {
    begins_again_ = work.visit != nullptr;
    give_visit();
    return false;
  }
  // A site's own fields fill more than all of `out`.
  work.exchange.refuse(request(), common_.options, Status::service_unavailable);
  return true;
}

void Framing::finish_answer() noexcept {
  log(workspace_->exchange.body_bytes());
  workspace_->parser.reset();
  state_ = close_ ? State::closing : State::head;
  deadline_ = now() + common_.options.header_within;  // of a request that is here in part
  started_ = common_.request_start();
}

// The head or the body is not to be understood: nothing after it is, either.
void Framing::refuse(Status why) noexcept {
  become_busy();
  close_ = linger_ = true;
  state_ = State::answering;
  workspace_->exchange.refuse(request(), common_.options, why);
}

}  // namespace http::h1
