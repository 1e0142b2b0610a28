// SPDX-License-Identifier: ISC
// http/h2/session.hpp: HTTP/2's frames, HPACK and flow control: nghttp2, which only session.cpp
// knows.
//
// States:      Session, SessionEvents, FrameKind.   Used by: http/h2/framing.
// Shape:       bytes in by receive(), which calls its SessionEvents; frames out by fill(), which
//              asks them for bodies. Without I/O, on memory of an Allowance.
// Source:      RFC 9113, RFC 7541, RFC 9218; nghttp2 1.52.
// May include: base, http's pure parts, http/h2.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "http/h2/batch.hpp"
#include "http/h2/blocks.hpp"
#include "http/h2/budget.hpp"
#include "http/h2/field_list.hpp"
#include "http/h2/frame_walk.hpp"
#include "http/h2/recent_streams.hpp"
#include "http/h2/stream.hpp"
#include "http/h2/urgency.hpp"

struct nghttp2_session;

namespace http::h2 {

// RFC 9113 section 7.
enum class ErrorCode : std::uint32_t {
  no_error = 0x0,
  protocol_error = 0x1,
  internal_error = 0x2,
  stream_closed = 0x5,
  refused_stream = 0x7,
  cancel = 0x8,
  enhance_your_calm = 0xb,
};

// What came that is no part of a request, or sent, for who counts.
enum class FrameKind : std::uint8_t {
  control,         // SETTINGS, PING, PRIORITY, WINDOW_UPDATE, unknown ones, empty DATA ...
  reset_received,  // RST_STREAM
  reset_sent,
};

// What a session tells and asks. Nothing here may call receive() or fill().
class SessionEvents {
 public:
  // The peer opens a stream. Null: there is no room for it.
  virtual Stream* open(std::int32_t id) noexcept = 0;
  virtual void take_field(Stream& stream, std::string_view name,
                          std::string_view value) noexcept = 0;
  virtual void end_head(Stream& stream) noexcept = 0;
  virtual void take_body(Stream& stream, std::size_t bytes) noexcept = 0;
  virtual void end_request(Stream& stream) noexcept = 0;
  // The answer's last frame is in a batch.
  virtual void sent(Stream& stream) noexcept = 0;
  // The session forgets the stream, which is freed.
  virtual void closed(Stream& stream) noexcept = 0;
  // At most `bytes_max` of the body are wanted: answers how many there are, of which `give` puts
  // all into a batch. 0: none yet, resume() when there are. `is_last`: the body ends with them.
  virtual std::size_t pledge(Stream& stream, std::size_t bytes_max, bool& is_last) noexcept = 0;
  [[nodiscard]] virtual bool give(Stream& stream, base::Bytes frame_head,
                                  Batch& batch) noexcept = 0;
  virtual void count(FrameKind kind) noexcept = 0;
  // The peer has broken a rule: terminate.
  virtual void broke(ErrorCode rule) noexcept = 0;
  virtual void ping_was_answered() noexcept = 0;

 protected:
  ~SessionEvents() = default;
};

class Session {
 public:
  struct Limits {
    std::uint32_t streams_max;
    std::uint32_t header_list_bytes_max;
  };

  // The other two outlive it. Null: there is no memory.
  [[nodiscard]] static std::unique_ptr<Session> make(SessionEvents& events, Allowance& allowance,
                                                     const Limits& limits) noexcept;
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What became of bytes that were received.
  enum class Received : std::uint8_t {
    well,      // or a rule was broken
    too_much,  // frames without end: terminate
    alien,     // no HTTP/2: terminate
    broken,    // no memory: nothing is to be called any more
  };
  [[nodiscard]] Received receive(base::Bytes bytes) noexcept;
  // Every call below that is false has found no memory: nothing is to be called any more.
  // Adds frames until the batch has no room or there are none.
  [[nodiscard]] bool fill(Batch& batch) noexcept;
  // Nothing more is to be sent, or nothing more is expected.
  [[nodiscard]] bool wants_write() const noexcept;
  [[nodiscard]] bool wants_read() const noexcept;

  [[nodiscard]] bool answer(Stream& stream, const FieldList& head, bool has_body) noexcept;
  [[nodiscard]] bool resume(const Stream& stream) noexcept;
  [[nodiscard]] bool reset(const Stream& stream, ErrorCode why) noexcept;
  void set_urgency(const Stream& stream, Urgency urgency) noexcept;

  // GOAWAY that refuses nothing yet, and a PING; then one that names the last stream taken (RFC
  // 9113 section 6.8).
  [[nodiscard]] bool announce_end() noexcept;
  [[nodiscard]] bool end_after_last() noexcept;
  // GOAWAY, and the end at once.
  [[nodiscard]] bool terminate(ErrorCode why) noexcept;

 private:
  struct Callbacks;  // nghttp2's, session.cpp
  Session(SessionEvents& events, Allowance& allowance) noexcept
      : events_(events), blocks_(allowance) {}
  [[nodiscard]] bool begin_frame(const FrameHead& head) noexcept;

  SessionEvents& events_;
  Blocks blocks_;
  nghttp2_session* session_ = nullptr;
  Batch* batch_ = nullptr;  // of the fill() that runs
  // A frame that did not fit into the last batch; stands until nghttp2 is asked for the next one.
  base::Bytes left_;
  FrameWalk walk_;
  RecentStreams recent_;
};

}  // namespace http::h2
