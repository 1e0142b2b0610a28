// SPDX-License-Identifier: ISC
#include "http/h2/framing.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.hpp"

namespace http::h2 {
namespace {

// Reads and writes of one connection before the others have their turn.
constexpr std::uint16_t steps_per_turn_max = 8;

// With less memory than this, which is more than one read can use up, bytes are taken in parts: the
// refusals of the streams in one part fit into the reserve.
constexpr std::size_t scarce_bytes = std::size_t{512} * 1024;
constexpr std::size_t part_bytes = 512;

// How long a peer has to hear that it is to open no more streams.
constexpr base::Duration announced_within = std::chrono::seconds(1);

}  // namespace

Framing::Framing(Common& common, const net::Endpoint& peer, Ticket ticket, bool values_last,
                 std::size_t stream_bytes) noexcept
    : Place(common.admission(), std::move(ticket)),
      Timer(common.loop),
      common_(common),
      allowance_(common.http2(), memory_bytes_max),
      peer_(peer),
      stream_bytes_(stream_bytes),
      values_last_(values_last) {}

Framing::~Framing() {
  session_.reset();  // tells of no streams any more
  for (Stream* each = streams_; each != nullptr;) {
    Stream& stream = *std::exchange(each, each->after);
    if (stream.state == Stream::State::answering) log(stream, stream.exchange.value_bytes_taken());
    free(stream);
  }
  common_.visits.give(std::move(visit_));
}

bool Framing::start() noexcept {
  if (!allowance_.take(state_bytes())) return false;
  session_ =
      Session::make(*this, allowance_,
                    {streams_max, static_cast<std::uint32_t>(common_.options.header_bytes_max)});
  if (session_ == nullptr) return false;
  deadline_ = now() + common_.options.header_within;
  expect_by(deadline_);
  become_begun();
  if (common_.is_leaving) announce_drain();
  return true;
}

// ---- reading ---------------------------------------------------------------------------------

void Framing::received(const net::Result<base::Bytes>& bytes) noexcept {
  if (state_ == State::over) return;
  if (!bytes) {
    // An end in order may come from a peer that still reads.
    const bool may_go_on = bytes.error() == net::Error::ended && stream_count_ > 0;
    if (!may_go_on || state_ == State::lingering) return fail();
    reads_no_more_ = true;
    changed();
    return;
  }
  if (state_ == State::lingering || is_terminated_) return;  // dropped
  for (base::Bytes rest = *bytes; !rest.empty();) {
    const bool is_scarce = allowance_.bytes_left() < scarce_bytes;
    const base::Bytes part =
        rest.first(is_scarce ? std::min(rest.size(), part_bytes) : rest.size());
    rest = rest.subspan(part.size());
    const Session::Received came = session_->receive(part);
    if (came == Session::Received::broken) return fail();
    if (came == Session::Received::too_much) broke(ErrorCode::enhance_your_calm);
    if (came == Session::Received::alien) broke(ErrorCode::protocol_error);
    if (offence_) {
      terminate(*offence_);
      break;
    }
    if (!rest.empty() && !put_out_early()) return fail();
  }
  changed();
}

// What nghttp2 has to say takes its memory until it is in a batch. False: there is no memory.
bool Framing::put_out_early() noexcept {
  if (is_writing_ || !session_->wants_write()) return true;
  return batch_.reserve() && session_->fill(batch_);
}

bool Framing::should_yield() noexcept {
  if (now() != turn_) {
    turn_ = now();
    steps_this_turn_ = 0;
  }
  if (++steps_this_turn_ < steps_per_turn_max) return false;
  steps_this_turn_ = 0;
  return true;
}

Stream* Framing::open(std::int32_t id) noexcept {
  if (state_ == State::ending || !allowance_.take_for_stream(stream_bytes_)) return nullptr;
  Stream* stream = make_stream(id, allowance_);
  if (stream == nullptr) {
    allowance_.give(stream_bytes_);
    return nullptr;
  }
  stream->after = streams_;
  if (streams_ != nullptr) streams_->before = stream;
  streams_ = stream;
  ++stream_count_;
  is_idle_ = false;
  if (!is_draining_) deadline_ = base::never;
  stream->deadline = now() + common_.options.header_within;
  expect_by(stream->deadline);
  stream->started = common_.request_start();
  become_busy();
  const std::uint64_t most = common_.options.requests_per_connection_max;
  if (++request_count_ == most) end_after_last();
  return stream;
}

void Framing::take_field(Stream& stream, std::string_view name, std::string_view value) noexcept {
  if (stream.head_is_whole) {
    take_body(stream, name.size() + value.size());  // a trailer
  } else {
    stream.head.take(name, value, common_.options);
  }
}

void Framing::end_head(Stream& stream) noexcept {
  stream.head_is_whole = true;
  stream.has_priority = stream.has_priority || stream.head.has_priority();
  stream.deadline = now() + common_.options.header_within;
  const std::optional<Status> refusal = stream.head.finish(common_.options);
  const Request& request = stream.head.request();
  if (refusal) {
    refuse(stream, *refusal);
  } else if (request.content_length > common_.options.body_bytes_max) {
    refuse(stream, Status::content_too_large);
  } else if (request.expects_more || request.expects_continue) {
    enqueue(stream);  // the body is not wanted (RFC 9110 section 10.1.1)
  }
}

void Framing::take_body(Stream& stream, std::size_t bytes) noexcept {
  stream.body_bytes += bytes;
  if (stream.state == Stream::State::reading &&
      stream.body_bytes > common_.options.body_bytes_max) {
    refuse(stream, Status::content_too_large);
  }
}

void Framing::end_request(Stream& stream) noexcept {
  stream.request_has_ended = true;
  if (stream.state == Stream::State::reading) enqueue(stream);
}

void Framing::count(FrameKind kind) noexcept {
  if (!std::exchange(has_begun_, true)) be_idle_from_now();  // these are the first SETTINGS
  base::TokenBucket& bucket = kind == FrameKind::control ? frames_ : resets_;
  if (!bucket.take(now())) broke(ErrorCode::enhance_your_calm);
}

void Framing::broke(ErrorCode rule) noexcept {
  if (!offence_) offence_ = rule;
}

void Framing::ping_was_answered() noexcept {
  if (state_ != State::announced) return;
  announcement_was_heard_ = true;
  if (is_draining_) end_announced_at(now());
}

// ---- deadlines -------------------------------------------------------------------------------

void Framing::expect_by(base::Instant deadline) noexcept {
  if (!is_armed() || deadline < at()) arm(deadline);
}

// True: the stream is given up.
bool Framing::judge(Stream& stream) noexcept {
  if (stream.deadline > now()) return false;
  if (stream.state == Stream::State::reading) {
    if (!stream.head_is_whole) return true;
    refuse(stream, Status::request_timeout);
    return false;
  }
  if (stream.progress_bytes < progress_bytes_min) return true;
  stream.progress_bytes = 0;
  stream.deadline = now() + common_.options.stall_within;
  return false;
}

void Framing::expired() {
  if (state_ == State::over) return;
  if (state_ == State::lingering) return fail();
  if (deadline_ <= now()) {
    deadline_ = base::never;
    if (state_ == State::announced) {
      end_after_last();
    } else if (!has_begun_) {
      return fail();  // no preface, or nothing after it
    } else {
      terminate(ErrorCode::no_error);
    }
  }
  base::Instant next = deadline_;
  for (Stream* each = streams_; each != nullptr;) {
    Stream& stream = *std::exchange(each, each->after);
    if (stream.is_closed) continue;
    if (judge(stream)) {
      // A head in pieces holds up all other streams.
      if (!stream.head_is_whole) {
        terminate(ErrorCode::enhance_your_calm);
        break;
      }
      if (!session_->reset(stream, ErrorCode::cancel)) return fail();
      stream.deadline = now() + common_.options.stall_within;
    }
    next = std::min(next, stream.deadline);
  }
  if (state_ == State::over) return;
  if (next != base::never) arm(next);
  changed();
}

// ---- ending ----------------------------------------------------------------------------------

void Framing::announce_drain() noexcept {
  if (state_ != State::open || is_terminated_) return;
  state_ = State::announced;
  if (!session_->announce_end()) return fail();
  changed();
}

void Framing::drain() noexcept {
  announce_drain();
  if (state_ != State::announced || is_terminated_ || std::exchange(is_draining_, true)) return;
  end_announced_at(announcement_was_heard_ ? now() : now() + announced_within);
}

// The last GOAWAY: streams that were opened are answered, further ones refused.
void Framing::end_after_last() noexcept {
  if (is_terminated_ || state_ > State::announced) return;
  state_ = State::ending;
  deadline_ = base::never;
  if (!session_->end_after_last()) fail();
}

// When that goes.
void Framing::end_announced_at(base::Instant when) noexcept {
  deadline_ = when;
  expect_by(deadline_);
}

void Framing::terminate(ErrorCode why) noexcept {
  if (std::exchange(is_terminated_, true)) return;
  if (!session_->terminate(why)) return fail();
  // Whoever does not take the last frame has no more time than for another.
  deadline_ = base::never;
  changed();
}

void Framing::evict() noexcept { state_ = State::over; }

void Framing::fail() noexcept {
  if (state_ == State::over) return;
  state_ = State::over;
  cancel();
  changed();
}

void Framing::did_shut_down(bool well) noexcept {
  if (!well || reads_no_more_) return fail();
  if (state_ == State::over) return;
  state_ = State::lingering;
  arm(now() + common_.options.linger_within);
}

// ---- streams ---------------------------------------------------------------------------------

void Framing::sent(Stream& stream) noexcept {
  stream.state = Stream::State::sent;
  made_progress_ = true;
  frames_.put_back(2);
  log(stream, stream.exchange.body_bytes());
  // What the request still has is not wanted (RFC 9113 section 8.1).
  if (!stream.request_has_ended && !session_->reset(stream, ErrorCode::no_error)) fail();
}

void Framing::closed(Stream& stream) noexcept {
  stream.is_closed = true;
  if (stream.state == Stream::State::answering) log(stream, stream.exchange.value_bytes_taken());
  if (stream.is_queued) {
    waiting_.remove(stream);
    hungry_.remove(stream);
  }
  if (staged_ == &stream) staged_ = nullptr;
  if (&stream != current_) free(stream);
}

void Framing::free(Stream& stream) noexcept {
  (stream.before != nullptr ? stream.before->after : streams_) = stream.after;
  if (stream.after != nullptr) stream.after->before = stream.before;
  allowance_.give(stream_bytes_);
  delete &stream;
  --stream_count_;
  if (stream_count_ == 0) be_idle_from_now();
}

void Framing::be_idle_from_now() noexcept {
  if (is_draining_ || state_ > State::announced) return;
  deadline_ = now() + common_.options.idle_within;
  expect_by(deadline_);
}

void Framing::log(Stream& stream, std::uint64_t body_bytes) noexcept {
  if (std::exchange(stream.is_logged, true)) return;
  common_.answered(Protocol::http_2, stream.exchange.status(), body_bytes, stream.started);
  if (!common_.log.is_on()) return;
  const Request& asked = stream.head.request();
  LogEntry entry;
  entry.peer = visitor_of(asked, peer_, common_.options.trusted_proxies).address;
  entry.wall_s = common_.now_s();
  entry.method = asked.method_text;
  entry.target = asked.target;
  entry.version = "HTTP/2.0";
  entry.referer = asked.value(Field::referer);
  entry.user_agent = asked.value(Field::user_agent);
  entry.status = stream.exchange.status();
  entry.body_bytes = body_bytes;
  entry.duration = common_.loop.clock().now() - stream.started;
  common_.log.write(entry);
}

}  // namespace http::h2
