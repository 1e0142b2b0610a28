// SPDX-License-Identifier: ISC
#include "http/session.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "http/target.hpp"

namespace http {

namespace {

// Requests of one connection before the others have their turn: one that sends without a pause
// must not have the loop for itself.
constexpr int requests_per_turn_max = 64;

}  // namespace

Session::~Session() { drop_workspace(); }

void Session::evict() noexcept {
  evicted_ = true;
  // One that waits for bytes frees it now; one that writes from it, when it has noticed.
  if ((state_ == State::head || state_ == State::body) && !has_unsent()) drop_workspace();
}

void Session::turn_away() noexcept {
  state_ = State::over;
  if (!take_workspace()) return;
  workspace_->parser.reset();
  if (common_.log.is_on()) started_ = common_.loop.clock().now();
  refuse(Status::service_unavailable);
}

// ---- what to do next -------------------------------------------------------------------------

Next Session::next() noexcept {
  for (;;) {
    if (common_.aborting || evicted_) break_off();
    switch (state_) {
      case State::head: {
        if (workspace_ == nullptr || workspace_->begin == workspace_->end) return next_in_head();
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
      case State::lookup:
        if (workspace_->lookup.wants()) return Next::stat;
        state_ = State::answering;
        break;
      case State::answering:
        if (workspace_->out.room() < answer_bytes_max + common_.options.copy_bytes_max ||
            needs_empty_out()) {
          return Next::write;
        }
        answer();
        break;
      case State::sending:
        if (range_ < workspace_->answer.range_count) return Next::get;
        finish_answer();
        if (state_ == State::head && requests_this_turn_ > requests_per_turn_max) {
          requests_this_turn_ = 0;
          return Next::yield;
        }
        break;
      case State::closing:
      case State::lingering:
        return next_in_closing();
      case State::over:
        return Next::close;
    }
  }
}

Next Session::next_in_head() noexcept {
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

Next Session::next_in_closing() noexcept {
  if (has_unsent()) return Next::write;
  if (state_ == State::closing) return Next::shutdown;
  drop_workspace();
  if (lingered_ < common_.options.linger_bytes_max && now() < deadline_) return Next::read;
  state_ = State::over;
  return Next::close;
}

// ---- reading ---------------------------------------------------------------------------------

std::size_t Session::read_bytes_max() const noexcept {
  if (state_ == State::lingering || workspace_ == nullptr) return Workspace::first_buffer_bytes;
  return workspace_->received.size() - workspace_->end;
}

base::Duration Session::read_within() const noexcept {
  if (is_idle_) return common_.options.idle_within;
  return std::max(deadline_ - now(), base::Duration{1});
}

void Session::received(const net::Result<base::Bytes>& bytes) noexcept {
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
    lingered_ += bytes->size();
    return;
  }
  if (workspace_ == nullptr) {
    if (!take_workspace()) {
      state_ = State::over;
      return;
    }
    deadline_ = now() + common_.options.header_within;
    if (common_.log.is_on()) started_ = common_.loop.clock().now();
  }
  Workspace& work = *workspace_;
  CHECK(bytes->size() <= work.received.size() - work.end);
  std::memcpy(work.received.data() + work.end, bytes->data(), bytes->size());
  work.end += bytes->size();
}

// The bytes have moved: views into them are made again.
void Session::parse_again() noexcept {
  Workspace& work = *workspace_;
  work.parser.reset();
  static_cast<void>(work.parser.parse(work.unread().substr(0, common_.options.header_bytes_max)));
}

// Makes room behind the part of a head that has come. False: there is no memory.
bool Session::make_head_room() noexcept {
  Workspace& work = *workspace_;
  if (work.begin > 0) {
    work.compact();
    parse_again();
  }
  if (work.end < work.received.size()) return true;
  if (!work.grow(common_.options)) return false;
  parse_again();
  return true;
}

void Session::begin_request() noexcept {
  ++requests_;
  if (now() != turn_) {
    turn_ = now();
    requests_this_turn_ = 0;
  }
  ++requests_this_turn_;
  const Options& options = common_.options;
  bool is_last =
      options.requests_per_connection_max != 0 && requests_ >= options.requests_per_connection_max;
  close_ = !request().keep_alive || is_last || common_.draining;
  // A peer that asked for the end sends no more; another may, and is heard out.
  linger_ = request().keep_alive;
  if (request().body == BodyFraming::none) {
    workspace_->begin += workspace_->parser.head_bytes();
    choose_answer();
    return;
  }
  if (request().expects_more || request().expects_continue) {
    // The body is not wanted, and whether it comes cannot be known (RFC 9110 section 10.1.1).
    close_ = linger_ = true;
    choose_answer();
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
    if (body_room() < Workspace::body_room_bytes && !workspace_->grow(options)) {
      refuse(Status::service_unavailable);
      return;
    }
    parse_again();
  }
  body_begin_ = workspace_->begin + workspace_->parser.head_bytes();
  deadline_ = now() + options.header_within;
  state_ = State::body;
}

// Drops what has come of the body. False: more is needed.
bool Session::read_body() noexcept {
  Workspace& work = *workspace_;
  char* body = work.received.data() + body_begin_;
  std::size_t size = work.end - body_begin_, consumed = 0;
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
      work.begin = body_begin_;
      choose_answer();
      break;
  }
  return true;
}

// ---- answering -------------------------------------------------------------------------------

void Session::choose_answer() noexcept {
  Workspace& work = *workspace_;
  become_busy();
  state_ = State::answering;
  status_.reset();
  if (request().expects_more) {
    status_ = Status::expectation_failed;
    return;
  }
  if (request().method == Method::unknown || request().method == Method::refused) {
    status_ =
        request().method == Method::unknown ? Status::not_implemented : Status::method_not_allowed;
    return;
  }
  Target& target = work.target = parse_target(request().target, work.key);
  bool misplaced_asterisk = target.is_asterisk && request().method != Method::options;
  // Where to redirect to; an absolute form says it in place of Host (RFC 9112 section 3.2.2).
  if (common_.options.https_port != 0 && !target.authority) {
    target.authority = parse_authority(request().value(Field::host));
  }
  bool nowhere = common_.options.https_port != 0 && !target.is_asterisk &&
                 (!target.authority || target.authority->host.empty());
  if (target.error == TargetError::malformed || misplaced_asterisk || nowhere) {
    status_ = Status::bad_request;
    close_ = true;
  } else if (target.error == TargetError::too_long) {
    status_ = Status::uri_too_long;
  } else if (request().method != Method::options && common_.options.https_port == 0) {
    if (target.error == TargetError::nothing) {
      work.lookup.start_absent(work.key);
    } else {
      work.lookup.start(target.key.size(), target.is_directory, work.key);
    }
    state_ = State::lookup;
  }
}

void Session::take_stat(const kv::Result<kv::Stat>& stat) noexcept {
  workspace_->lookup.take(stat);
}

// A redirect that may not fit behind what waits in `out`.
bool Session::needs_empty_out() const noexcept {
  const Workspace& work = *workspace_;
  bool is_redirect =
      !status_ && (common_.options.https_port != 0 || work.lookup.end() == Lookup::End::moved);
  return is_redirect && has_unsent() && work.out.room() < redirect_bytes_max(request());
}

void Session::answer() noexcept {
  Workspace& work = *workspace_;
  answer_begin_ = work.out.size();
  range_ = 0;
  range_done_ = 0;
  if (common_.draining) close_ = true;
  Circumstances now = circumstances();
  if (status_) {
    respond_with_status(*status_, request(), now, work.out, work.answer);
  } else if (common_.options.https_port != 0 && !work.target.is_asterisk) {
    respond_with_https(request(), work.target, common_.options.https_port, now, work.out,
                       work.answer);
  } else if (request().method == Method::options) {
    respond_with_options(request(), now, work.out, work.answer);
  } else {
    answer_lookup(now);
  }
  CHECK(!work.out.overflowed());
  state_ = State::sending;
}

void Session::answer_lookup(const Circumstances& now) noexcept {
  Workspace& work = *workspace_;
  const Lookup& lookup = work.lookup;
  switch (lookup.end()) {
    case Lookup::End::found:
      respond_with_value(request(), lookup.key(), lookup.stat(), now, work.out, work.answer);
      return;
    case Lookup::End::page_404:
      respond_with_page_404(request(), lookup.key(), lookup.stat(), now, work.out, work.answer);
      return;
    case Lookup::End::moved:
      respond_with_slash(request(), lookup.key(), work.target.query, now, work.out, work.answer);
      return;
    case Lookup::End::none:
    case Lookup::End::absent:
      respond_with_status(Status::not_found, request(), now, work.out, work.answer);
      return;
    case Lookup::End::unavailable:
      respond_with_status(Status::service_unavailable, request(), now, work.out, work.answer);
      return;
  }
}

void Session::finish_answer() noexcept {
  log(workspace_->answer.body_bytes);
  workspace_->parser.reset();
  state_ = close_ ? State::closing : State::head;
  if (workspace_->sent == workspace_->out.size()) {
    workspace_->out.rewind(0);
    workspace_->sent = 0;
  }
  deadline_ = now() + common_.options.header_within;  // of a request that is here in part
  if (common_.log.is_on()) started_ = common_.loop.clock().now();
}

// The head or the body is not to be understood: nothing after it is, either.
void Session::refuse(Status why) noexcept {
  become_busy();
  close_ = linger_ = true;
  status_ = why;
  state_ = State::answering;
}

// Nothing more goes out.
void Session::break_off() noexcept {
  if (state_ == State::sending) log(body_bytes_sent());
  state_ = State::over;
}

void Session::log(std::uint64_t body_bytes) noexcept {
  if (!common_.log.is_on()) return;
  const Request& asked = request();
  bool known = workspace_->parser.has_request_line();
  LogEntry entry;
  entry.peer = peer_;
  entry.wall_s = common_.now_s();
  if (known) {
    entry.method = asked.method_text;
    entry.target = asked.target;
    entry.version = asked.is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
    entry.referer = asked.value(Field::referer);
    entry.user_agent = asked.value(Field::user_agent);
  }
  entry.status = workspace_->answer.status;
  entry.body_bytes = body_bytes;
  entry.duration = common_.loop.clock().now() - started_;
  common_.log.write(entry);
}

}  // namespace http
