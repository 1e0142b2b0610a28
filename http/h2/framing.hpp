// SPDX-License-Identifier: ISC
// http/h2/framing.hpp: one connection's part of HTTP/2 (RFC 9113), as a machine without I/O, for
// two coroutines: one reads and hands over what came, the other does what next() says.
// http/server.hpp has both. What is answered is decided by an Exchange for each stream.
//
// States:  open      streams come and are answered
//          announced a first GOAWAY has gone: the peer is to open no more streams
//          ending    the last GOAWAY has gone; streams under way finish
//          lingering the end of the stream was said; what the peer still sends is dropped
//          over      the flow is closed
// Rules:   1. Requests are answered by the writer alone: while it waits for the flow, nothing is
//             asked of the store and no answer is queued.
//          2. A stream is freed when nghttp2 has closed it and no store is asked for it.
//          3. Bodies that last are sent from where they are; others, one piece at a time, by a
//             buffer of the connection's.
//          4. Each stream has a deadline for progress: `header_within` for its head and again for
//             its body, then `stall_within` for every progress_bytes_min of its answer. A
//             connection without streams has `idle_within`.
//          5. Each answer that was begun is logged once, when it is sent or broken off.
// Memory:  an idle connection holds this, nghttp2's session and its writer, all of its Allowance.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "base/token_bucket.hpp"
#include "http/admission.hpp"
#include "http/common.hpp"
#include "http/h2/batch.hpp"
#include "http/h2/budget.hpp"
#include "http/h2/session.hpp"
#include "http/h2/stream.hpp"
#include "kv/kv.hpp"
#include "net/flow.hpp"

namespace http::h2 {

// As ALPN names it.
inline constexpr std::string_view protocol = "h2";

// What the writer is to do.
enum class Next : std::uint8_t {
  wait,      // nothing, until `changed` is called
  write,     // write(pieces()), then wrote()
  stat,      // stat(exchange().key()), then take_stat()
  get,       // get_partial(... piece_bytes()), then take_value(), ...
  shutdown,  // shutdown(), then did_shut_down()
  close,     // nothing more; the reader ends it
};

// To a connection that there is no room for: no settings, and GOAWAY before the first stream with
// ENHANCE_YOUR_CALM (RFC 9113 section 6.8): all that it asked may be asked again.
inline constexpr std::string_view turned_away{
    "\0\0\0\4\0\0\0\0\0"
    "\0\0\10\7\0\0\0\0\0\0\0\0\0\0\0\0\13",
    9 + 17};

class Framing : public Place, private SessionEvents, private base::Timer {
 public:
  static constexpr std::uint32_t streams_max = 100;
  // Of one connection, whatever its peer sends: as many streams as it may have, and their frames.
  static constexpr std::size_t memory_bytes_max = std::size_t{1024} * 1024;
  static constexpr std::uint64_t progress_bytes_min = 1024;
  // What an idle connection takes beside nghttp2's session.
  static constexpr std::size_t state_bytes() noexcept { return sizeof(Framing) + sizeof(Session); }

  // `common` outlives it. `peer` is for the log. `values_last`: the store's. `stream_bytes`: what
  // make_stream takes.
  Framing(Common& common, const net::Endpoint& peer, Ticket ticket, bool values_last,
          std::size_t stream_bytes) noexcept;
  ~Framing();
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;

  // Comes first. False: there is no memory for a session; the flow is to be closed.
  [[nodiscard]] bool start() noexcept;

  // ---- the reader
  [[nodiscard]] bool wants_bytes() const noexcept {
    return state_ != State::over && !reads_no_more_;
  }
  static constexpr std::size_t read_bytes_max = std::size_t{16} * 1024;
  void received(const net::Result<base::Bytes>& bytes) noexcept;
  // It has read often since others had the loop.
  [[nodiscard]] bool should_yield() noexcept;

  // ---- the writer
  [[nodiscard]] Next next() noexcept;
  [[nodiscard]] std::span<const net::Piece> pieces() const noexcept { return batch_.pieces(); }
  void wrote(bool all) noexcept;
  void did_shut_down(bool well) noexcept;
  // The one that the store is asked for; it stands until that is answered.
  [[nodiscard]] Stream& stream() const noexcept { return *current_; }
  [[nodiscard]] const Exchange& exchange() const noexcept { return current_->exchange; }
  void take_stat(const kv::Result<kv::Stat>& stat) noexcept;
  [[nodiscard]] std::uint64_t piece_bytes(std::uint64_t bytes_max) const noexcept;
  // `bytes` are what was asked for; of a store whose values do not last they are copied.
  void take_value(base::Bytes bytes, std::uint64_t asked) noexcept;
  void value_failed(kv::Error why) noexcept;

  // ---- its end
  // The peer hears that the connection ends soon. Its streams are answered until drain().
  void announce_drain() noexcept;
  // No more streams; those under way finish.
  void drain() noexcept;
  // It is over; the owner of the flow must cancel what waits on it.
  void evict() noexcept;

  [[nodiscard]] std::size_t stream_count() const noexcept { return stream_count_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return allowance_.bytes(); }

 protected:
  // A stream, which is deleted when it has ended. Null: there is no memory.
  [[nodiscard]] virtual Stream* make_stream(std::int32_t id, Allowance& allowance) noexcept = 0;
  // The writer has something to do, if it waits.
  virtual void changed() noexcept = 0;
  // What waits on the flow is to fail.
  virtual void cancel() noexcept = 0;
  // net/flow.hpp, law 10.
  [[nodiscard]] virtual bool serves(std::string_view host) noexcept = 0;

 private:
  enum class State : std::uint8_t { open, announced, ending, lingering, over };

  // SessionEvents
  Stream* open(std::int32_t id) noexcept override;
  void take_field(Stream& stream, std::string_view name, std::string_view value) noexcept override;
  void end_head(Stream& stream) noexcept override;
  void take_body(Stream& stream, std::size_t bytes) noexcept override;
  void end_request(Stream& stream) noexcept override;
  void sent(Stream& stream) noexcept override;
  void closed(Stream& stream) noexcept override;
  std::size_t pledge(Stream& stream, std::size_t bytes_max, bool& is_last) noexcept override;
  bool give(Stream& stream, base::Bytes frame_head, Batch& batch) noexcept override;
  void count(FrameKind kind) noexcept override;
  void broke(ErrorCode rule) noexcept override;
  void ping_was_answered() noexcept override;

  // base::Timer
  void expired() override;
  void expect_by(base::Instant deadline) noexcept;
  void be_idle_from_now() noexcept;
  [[nodiscard]] bool put_out_early() noexcept;
  void end_after_last() noexcept;
  void end_announced_at(base::Instant when) noexcept;
  [[nodiscard]] bool judge(Stream& stream) noexcept;

  // ---- answering
  void begin_answer(Stream& stream) noexcept;
  void refuse(Stream& stream, Status why) noexcept;
  void enqueue(Stream& stream) noexcept;
  [[nodiscard]] bool answer(Stream& stream) noexcept;
  void give_visit(Stream& stream) noexcept;
  [[nodiscard]] bool next_of_current(Next& next) noexcept;
  [[nodiscard]] bool next_answer(Next& next) noexcept;
  [[nodiscard]] bool next_output(Next& next) noexcept;
  [[nodiscard]] Next next_in_silence() noexcept;
  void done_with_current() noexcept;
  void break_off(Stream& stream) noexcept;
  [[nodiscard]] bool misdirected(const Stream& stream) noexcept;

  void free(Stream& stream) noexcept;
  void terminate(ErrorCode why) noexcept;
  void fail() noexcept;
  void log(Stream& stream, std::uint64_t body_bytes) noexcept;
  [[nodiscard]] base::Instant now() const noexcept { return common_.loop.now(); }

  Common& common_;
  Allowance allowance_;
  Batch batch_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<std::byte[]> staging_;
  Stream* staged_ = nullptr;     // what is in staging_ is this one's
  bool staging_is_out_ = false;  // in the batch that is being written
  Stream* streams_ = nullptr;
  Stream* current_ = nullptr;             // the store is asked for it
  std::unique_ptr<site::Visit> visit_;    // of the current stream, of a site with rules
  StreamQueue waiting_;                   // complete requests
  StreamQueue hungry_;                    // whose bodies are to be had from the store
  base::Instant deadline_ = base::never;  // of a connection without streams
  base::Instant turn_{};
  net::Endpoint peer_;
  const std::size_t stream_bytes_;
  // What costs us work and gives the peer nothing; an answer that was taken puts frames back. A
  // flood empties one, and the connection ends with ENHANCE_YOUR_CALM (RFC 9113 section 10.5,
  // CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2025-8671).
  base::TokenBucket frames_{1000, std::chrono::milliseconds(10)};
  base::TokenBucket resets_{200, std::chrono::milliseconds(50)};
  std::uint64_t request_count_ = 0;
  std::uint16_t stream_count_ = 0;
  std::uint16_t steps_this_turn_ = 0;
  State state_ = State::open;
  bool values_last_;
  bool announcement_was_heard_ = false;
  bool is_draining_ = false;
  bool has_begun_ = false;  // the peer has sent a whole preface
  bool is_idle_ = false;
  bool is_writing_ = false;           // the batch
  bool made_progress_ = false;        // in the batch that is being written
  std::optional<ErrorCode> offence_;  // the connection is to be terminated for it
  bool is_terminated_ = false;        // the last GOAWAY is queued, or has gone
  bool reads_no_more_ = false;        // the peer has ended its side
};

static_assert(Framing::state_bytes() <= 1024);

}  // namespace http::h2
