// SPDX-License-Identifier: ISC
// http/session.hpp: one connection's part of HTTP, as a machine without I/O: it says what to do
// next and is told what came of it. http/server.hpp is the coroutine that does it.
//
// States:  head      a request's head is awaited; between requests, and then nothing is held
//          body      a body is read and dropped
//          lookup    the store is asked which value is meant
//          answering the answer's head is written as soon as there is room for it
//          sending   the value's ranges go out
//          closing   what is written goes out, then the end of the stream
//          lingering what the peer still sends is read and dropped
//          over      the flow is closed
//
//          head -> [body ->] [lookup ->] answering -> sending -> head | closing
//          a refused head or body -> closing;  closing -> [lingering ->] over;  any error -> over
// Rules:   1. Answers go out in the order of the requests; while whole requests are at hand, small
//             answers are gathered into one write. Nothing is read before they are written.
//          2. A workspace is held exactly while the state is not `over` and something was received
//             that is not yet answered, or something answered that is not yet written.
//          3. Once an answer has begun to go out and the store fails, the connection is closed at
//             once: the peer sees that the answer is short.
//          4. Each answer that was begun is logged once: when it was put together, or when it broke
//             off, with as much of its body as was surely taken.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "http/admission.hpp"
#include "http/common.hpp"
#include "http/workspace.hpp"
#include "kv/kv.hpp"
#include "net/flow.hpp"

namespace http {

enum class Next : std::uint8_t {
  read,      // read(read_bytes_max(), read_within()), then received()
  write,     // write(pieces()), then wrote()
  stat,      // stat(key()), then take_stat()
  get,       // get_partial(key(), encoding(), offset(), piece_bytes()), then take_value(), ...
  yield,     // let others have the loop
  shutdown,  // shutdown(), then did_shut_down()
  close,     // close; the session is over
};

class Session : public Place {
 public:
  // `common` outlives the session. `peer` is for the log. Without a ticket it never gives way.
  Session(Common& common, const net::Endpoint& peer, Ticket ticket = {}) noexcept
      : Place(common.admission(), std::move(ticket)), common_(common), peer_(peer) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Answers 503 to whatever will be asked, and ends.
  void turn_away() noexcept;

  [[nodiscard]] Next next() noexcept;

  [[nodiscard]] std::size_t read_bytes_max() const noexcept;
  [[nodiscard]] base::Duration read_within() const noexcept;
  void received(const net::Result<base::Bytes>& bytes) noexcept;

  // Stand until `wrote`. After take_value answered true, the last one is the value.
  [[nodiscard]] std::span<const net::Piece> pieces() noexcept;
  void wrote(bool all) noexcept;
  void did_shut_down(bool well) noexcept;

  [[nodiscard]] kv::Key key() const noexcept { return workspace_->lookup.key(); }
  void take_stat(const kv::Result<kv::Stat>& stat) noexcept;

  [[nodiscard]] kv::Encoding encoding() const noexcept { return workspace_->answer.encoding; }
  [[nodiscard]] std::uint64_t offset() const noexcept;
  [[nodiscard]] std::uint64_t piece_bytes(std::uint64_t bytes_max) const noexcept;
  // `bytes` are what was asked for, `lasting` as in net::Piece. True: now write pieces(), while the
  // value lives. False: it was copied, or was not what was asked for.
  [[nodiscard]] bool take_value(base::Bytes bytes, std::uint64_t asked, bool lasting) noexcept;
  void value_failed(kv::Error why) noexcept;

  // Idle: nothing asked, nothing owed. Such a session may be ended without anybody's loss.
  [[nodiscard]] bool is_idle() const noexcept { return is_idle_; }
  // It is over; whoever owns the flow is to cancel what waits on it.
  void evict() noexcept;
  void give_way() noexcept override { evict(); }

 private:
  enum class State : std::uint8_t {
    head,
    body,
    lookup,
    answering,
    sending,
    closing,
    lingering,
    over
  };

  Next next_in_head() noexcept;
  Next next_in_closing() noexcept;
  bool read_body() noexcept;
  void begin_request() noexcept;
  void choose_answer() noexcept;
  void answer() noexcept;
  void answer_lookup(const Circumstances& now) noexcept;
  void finish_answer() noexcept;
  void refuse(Status why) noexcept;
  void break_off() noexcept;
  void log(std::uint64_t body_bytes) noexcept;
  [[nodiscard]] std::uint64_t body_bytes_sent() const noexcept;
  [[nodiscard]] bool needs_empty_out() const noexcept;
  [[nodiscard]] bool take_workspace() noexcept;
  void drop_workspace() noexcept;
  void parse_again() noexcept;
  [[nodiscard]] bool make_head_room() noexcept;

  [[nodiscard]] const Request& request() const noexcept { return workspace_->parser.request(); }
  [[nodiscard]] bool has_unsent() const noexcept {
    return workspace_ != nullptr && workspace_->sent < workspace_->out.size();
  }
  [[nodiscard]] base::Instant now() const noexcept { return common_.loop.now(); }
  [[nodiscard]] Circumstances circumstances() noexcept {
    return {common_.now_s(), common_.date(), close_, common_.options.ranges_max,
            common_.options.hsts_s};
  }

  Common& common_;
  net::Endpoint peer_;
  std::unique_ptr<Workspace> workspace_;
  base::Instant deadline_ = base::never;  // of the head, the body or the lingering
  base::Instant started_{};               // when the request's first byte came, for the log
  base::Instant turn_{};
  std::uint64_t requests_ = 0;
  std::uint64_t range_done_ = 0;  // bytes of the range that have been handed over
  std::uint64_t lingered_ = 0;
  std::size_t answer_begin_ = 0;  // in `out`
  std::size_t body_begin_ = 0;    // in `received`, while a body is read
  std::uint8_t range_ = 0;        // the one to send next
  int requests_this_turn_ = 0;
  State state_ = State::head;
  std::optional<Status> status_;  // the answer is a page of ours
  bool is_idle_ = false;
  bool evicted_ = false;
  bool close_ = false;
  bool linger_ = false;
  bool value_out_ = false;  // pieces() ends with a value
  std::array<net::Piece, 2> pieces_;
};

}  // namespace http
