// SPDX-License-Identifier: ISC
// http/h1/framing.hpp: one connection's part of HTTP/1.1 and 1.0 (RFC 9112), as a machine without
// I/O: it says what to do next and is told what came of it. http/server.hpp is the coroutine that
// does it. What is answered is decided by its Exchange (http/exchange.hpp).
//
// States:  head      a request's head is awaited; between requests, and then nothing is held
//          body      a body is read and dropped
//          answering what the Exchange has goes out, as soon as there is room for it
//          closing   what is written goes out, then the end of the stream
//          lingering what the peer still sends is read and dropped
//          over      the flow is closed
//
//          head -> [body ->] answering -> head | closing
//          a refused head or body -> answering;  closing -> [lingering ->] over;  any error -> over
// Rules:   1. Answers go out in the order of the requests; while whole requests are at hand, small
//             answers are gathered into one write. Nothing is read before they are written.
//          2. A workspace is held exactly while the state is not `over` and something was received
//             that is not yet answered, or something answered that is not yet written.
//          3. Once an answer has begun to go out and the store fails, the connection is closed at
//             once: the peer sees that the answer is short.
//          4. Each answer that was begun is logged once: when it was put together, or when it broke
//             off, with as much of its body as was surely taken.
// Memory:  an idle connection holds this and no more.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/loop.hpp"
#include "http/admission.hpp"
#include "http/common.hpp"
#include "http/workspace.hpp"
#include "kv/kv.hpp"
#include "net/flow.hpp"

namespace http::h1 {

enum class Next : std::uint8_t {
  close,     // close; the connection is over
  read,      // read(read_bytes_max(), read_within()), then received()
  write,     // write(pieces()), then wrote()
  stat,      // stat(key()), then take_stat()
  get,       // get_partial(key(), encoding(), offset(), piece_bytes()), then take_value(), ...
  yield,     // let others have the loop
  shutdown,  // shutdown(), then did_shut_down()
  http2,     // the peer speaks HTTP/2: take_ticket() and take_unread() are for who does, too
};

class Framing : public Place {
 public:
  // `common` outlives it. `peer` is for the log. Without a ticket it never gives way.
  Framing(Common& common, const net::Endpoint& peer, Ticket ticket = {}) noexcept
      : Place(common.admission(), std::move(ticket)), common_(common), peer_(peer) {}
  ~Framing();
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;

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

  [[nodiscard]] Exchange& exchange() noexcept { return workspace_->exchange; }
  void take_stat(const kv::Result<kv::Stat>& stat) noexcept { exchange().take_stat(stat); }
  // How much of the value should be asked for now.
  [[nodiscard]] std::uint64_t piece_bytes(std::uint64_t bytes_max) const noexcept;
  // `bytes` are what was asked for, `lasting` as in net::Piece. True: now write pieces(), while the
  // value lives. False: it was copied, or was not what was asked for.
  [[nodiscard]] bool take_value(base::Bytes bytes, std::uint64_t asked, bool lasting) noexcept;
  void value_failed(kv::Error why) noexcept;

  // How many requests have begun on this connection.
  [[nodiscard]] std::uint64_t request_count() const noexcept { return requests_; }

  // After Next::http2.
  using Place::take_ticket;
  // What has come of HTTP/2. Throws std::bad_alloc.
  [[nodiscard]] std::string take_unread();

  // Idle: nothing asked, nothing owed. Such a connection may be ended without anybody's loss.
  [[nodiscard]] bool is_idle() const noexcept { return is_idle_; }
  // It is over; the owner of the flow must cancel what waits on it.
  void evict() noexcept;
  void give_way() noexcept override { evict(); }

 private:
  enum class State : std::uint8_t { head, body, answering, closing, lingering, over };

  Next next_in_head() noexcept;
  enum class Preface : std::uint8_t { none, part, whole };
  [[nodiscard]] Preface preface() const noexcept;
  [[nodiscard]] bool next_in_answering(Next& next) noexcept;
  Next next_in_closing() noexcept;
  bool read_body() noexcept;
  void begin_request() noexcept;
  void begin_answer() noexcept;
  void give_visit() noexcept;
  [[nodiscard]] bool answer() noexcept;
  void finish_answer() noexcept;
  void refuse(Status why) noexcept;
  void break_off() noexcept;
  void log(std::uint64_t body_bytes) noexcept;
  [[nodiscard]] bool take_workspace() noexcept;
  void drop_workspace() noexcept;
  void parse_again() noexcept;
  [[nodiscard]] bool make_head_room() noexcept;

  [[nodiscard]] const Request& request() const noexcept { return workspace_->parser.request(); }
  [[nodiscard]] bool has_unsent() const noexcept {
    return workspace_ != nullptr && workspace_->out.size() > 0;
  }
  [[nodiscard]] base::Instant now() const noexcept { return common_.loop.now(); }
  Common& common_;
  std::unique_ptr<Workspace> workspace_;
  base::Instant deadline_ = base::never;  // of the head, the body or the lingering
  base::Instant started_{};               // when the request's first byte came
  base::Instant turn_{};
  std::uint64_t requests_ = 0;
  net::Endpoint peer_;
  std::uint32_t lingered_ = 0;
  std::uint16_t requests_this_turn_ = 0;
  State state_ = State::head;
  bool is_idle_ = false;
  bool evicted_ = false;
  bool close_ = false;
  bool linger_ = false;
  bool begins_again_ = false;  // the answer, once there is room for its head
  bool value_out_ = false;     // pieces() ends with a value
  bool has_sent_ = false;      // a part of the answer that is under way
};

static_assert(sizeof(Framing) <= 200);

}  // namespace http::h1
