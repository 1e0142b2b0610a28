// SPDX-License-Identifier: ISC
// http/h2/stream.hpp: one request and its answer on an HTTP/2 connection.
//
// States:      Stream, StreamList.
//              reading   its head, then its body; dropped
//              waiting   complete: it waits for its turn to be answered
//              answering the head was given to nghttp2, which asks for the body
//              sent      all of it has gone
//              reading -> waiting -> answering -> sent; it may be closed in any of them
// Memory:      3 KiB, of the connection's Allowance; a longer head more.
// Used by:     http/h2/framing.   May include: http's pure parts, http/h2.

#pragma once

#include <cstdint>
#include <new>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "http/exchange.hpp"
#include "http/h2/budget.hpp"
#include "http/h2/request_head.hpp"

namespace http::h2 {

struct Stream {
  enum class State : std::uint8_t { reading, waiting, answering, sent };

  Stream(std::int32_t its_id, Allowance& allowance) noexcept : id(its_id), head(allowance) {}
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const std::int32_t id;
  State state = State::reading;
  bool head_is_whole = false;
  bool request_has_ended = false;  // the peer sends no more on it
  bool has_priority = false;       // the peer said how urgent it is
  bool is_closed = false;          // nghttp2 knows it no longer
  bool has_begun = false;          // the exchange
  bool value_came = false;         // or is asked for: its first bytes
  bool is_logged = false;

  // Of all streams of the connection, and of one queue.
  Stream* before = nullptr;
  Stream* after = nullptr;
  Stream* next_in_queue = nullptr;
  bool is_queued = false;

  base::Instant deadline = base::never;  // for progress
  base::Instant started{};               // for the log
  std::uint64_t body_bytes = 0;          // received
  std::uint64_t progress_bytes = 0;      // sent since the deadline was set

  // What of the body may be sent now, where it stands.
  base::Bytes ready;
  bool ready_lasts = false;
  bool ready_is_text = false;
  // Of that, what nghttp2 has a frame for that has not gone into a batch.
  base::Bytes pledged;

  RequestHead head;
  Exchange exchange;
  char text[text_bytes_max];
};

// Streams in the order in which they were added; each is in one at most.
class StreamQueue {
 public:
  [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] Stream* first() const noexcept { return first_; }
  void add(Stream& stream) noexcept {
    stream.next_in_queue = nullptr;
    stream.is_queued = true;
    (first_ == nullptr ? first_ : last_->next_in_queue) = &stream;
    last_ = &stream;
  }
  Stream& take_first() noexcept {
    Stream& stream = *first_;
    first_ = stream.next_in_queue;
    stream.is_queued = false;
    return stream;
  }
  void remove(Stream& stream) noexcept {
    Stream* before = nullptr;
    for (Stream* each = first_; each != nullptr; before = each, each = each->next_in_queue) {
      if (each != &stream) continue;
      (before == nullptr ? first_ : before->next_in_queue) = stream.next_in_queue;
      if (last_ == &stream) last_ = before;
      stream.is_queued = false;
      return;
    }
  }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

}  // namespace http::h2
