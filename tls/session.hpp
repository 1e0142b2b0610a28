// SPDX-License-Identifier: ISC
// tls/session.hpp: one end of a TLS connection, without input and output.
//
// States:      Phase, Session.   Used by: tls/connection.hpp.   May include: base.
// Shape:       ciphertext in by receive(), plaintext out of it; plaintext in by seal(), ciphertext
//              out of it; what the session has to say by itself waits in take_pending().
//
//   handshake --Finished--> open --close_notify--> ended
//       |                     |
//       +---- anything wrong -+--> failed          (an alert in take_pending() says why)
//       +---- plain HTTP ----------> failed         (a plain 400 there)
//
// A client's session has its handshake from the beginning, and its hello in take_pending(); in
// Phase::handshake it takes whatever records the server sends, up to a bound.
//
// Invariants:  1. `handshake_` exists only in Phase::handshake, and a server's only once the peer's
//                 hello is whole; `records_` exists from Phase::open on.
//              2. `partial_` holds at most one record and what the last receive() was given.
//              3. In ended and failed nothing more is read; seal() works in ended, not in failed.
// Memory:      idle and open: this object and nothing else (tests/tls/session_test.cpp).

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "tls/challenges.hpp"
#include "tls/engine.hpp"
#include "tls/message_assembly.hpp"
#include "tls/records.hpp"

namespace tls {

enum class Phase : std::uint8_t { handshake, open, ended, failed };

class Session {
 public:
  // A server's end. Without a context each handshake is refused by an alert.
  explicit Session(std::shared_ptr<const Context> context);
  // A client's end.
  explicit Session(std::unique_ptr<Handshake> client);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  // Phase::handshake, and the peer's hello was whole: it holds about 40 KiB.
  [[nodiscard]] bool has_begun() const noexcept { return handshake_ != nullptr; }
  // Frees all that a handshake holds. The session has failed, and says nothing.
  void abandon() noexcept;
  // What a handshake that has not begun will offer; at first HTTP/1.1 only.
  void offer(Offer protocols) noexcept { offer_ = protocols; }
  // Challenges that it may answer instead; they outlive the handshake.
  void answer(const Challenges& challenges) noexcept { challenges_ = &challenges; }
  // Bounds a long hello, together with those of others.
  void share(LongHellos& room) noexcept { handshake_message_.share(room); }
  // Phase::open, and a CA has seen what it asked for: nothing may follow but the end.
  [[nodiscard]] bool was_challenge() const noexcept { return was_challenge_; }
  // Phase open or ended, net/flow.hpp laws 9 and 10.
  [[nodiscard]] std::string_view protocol() const noexcept { return protocol_; }
  [[nodiscard]] bool serves(std::string_view host) const noexcept {
    return is_client_ || (context_ != nullptr && context_->covers(shown_, host));
  }
  // The server's first bytes were none of TLS.
  [[nodiscard]] bool met_no_tls() const noexcept { return met_no_tls_; }
  // The peer spoke plain HTTP.
  [[nodiscard]] bool met_plain_http() const noexcept { return plain_http_; }

  // Takes all of `in`, keeps what is not used yet, and answers the content of the next record that
  // has any, decrypted into `scratch`: it stands as long as that does. Empty: nothing yet, or the
  // phase tells why. Call again with nothing until it answers empty.
  [[nodiscard]] base::Bytes receive(base::Bytes in, base::MutableBytes scratch);
  static constexpr std::size_t scratch_bytes = record_bytes_max;

  // What is to be sent before anything that is sealed from now on.
  [[nodiscard]] bool has_pending() const noexcept { return !pending_.empty(); }
  [[nodiscard]] std::vector<std::byte> take_pending() noexcept {
    return std::exchange(pending_, {});
  }

  // Phase open or ended. Seals the pieces as one record at `out` and answers its size, at most
  // sealed_bytes(content). At most record_content_max bytes in at most Records::pieces_max pieces.
  std::size_t seal(std::span<const base::Bytes> pieces, std::byte* out);
  [[nodiscard]] static constexpr std::size_t sealed_bytes(std::size_t content) noexcept {
    return content + 2 * seal_overhead_max;
  }
  // A record, and a key update before it.
  static constexpr std::size_t seal_overhead_max = 32;

  // Says that nothing more will be sent; the alert is pending. Once; harmless when failed.
  void close_notify();

 private:
  base::Bytes receive_open(base::Bytes& in, base::MutableBytes scratch);
  void receive_handshake(base::Bytes& in);
  void receive_from_server(base::Bytes& in);
  void begin_server();
  [[nodiscard]] bool looks_wrong(base::Bytes start);
  // A plain record of a handshake message.
  void receive_part(base::Bytes record);
  void advance(base::Bytes record);
  // The next whole record at the front of partial_ and `in`, or nothing.
  [[nodiscard]] std::optional<base::Bytes> next_record(base::Bytes& in);
  // Moves all of `in` to the end of partial_, whose used front goes.
  void keep(base::Bytes& in);
  // The record that next_record gave is done with.
  void drop(std::size_t size);
  base::Bytes handle(const Records::Opened& opened);
  void handle_handshake(base::Bytes fragment);
  void handle_message_1_2();
  void handle_message_1_3(bool is_last);
  void skip_rest_of_message();
  void handle_alert(base::Bytes alert);
  void fail(Alert alert);
  void append_alert(Alert alert, std::uint8_t level);

  std::shared_ptr<const Context> context_;  // until the session has failed
  std::unique_ptr<Handshake> handshake_;
  std::optional<Records> records_;
  std::vector<std::byte> partial_;
  std::size_t partial_used_ = 0;
  MessageAssembly handshake_message_;
  std::vector<std::byte> pending_;
  std::string_view protocol_;
  Context::Shown shown_ = 0;
  Phase phase_ = Phase::handshake;
  Offer offer_ = Offer::http_1_1;
  const Challenges* challenges_ = nullptr;
  const bool is_client_ = false;
  bool was_challenge_ = false;
  bool plain_http_ = false;
  bool met_no_tls_ = false;
  bool is_sealed_ = false;  // the peer has changed to its keys, in the handshake
  bool close_sent_ = false;
  // A handshake message that comes when the session is open: its head, and of TLS 1.2's hellos what
  // is to be skipped.
  std::array<std::byte, 5> message_{};
  std::uint8_t message_bytes_ = 0;
  std::size_t skip_bytes_ = 0;
  std::size_t handshake_bytes_ = 0;  // that the server sent
  bool key_update_due_ = false;
  std::uint8_t idle_records_ = 0;  // in a row, without content
  std::uint8_t early_alerts_ = 0;  // in the handshake
};

}  // namespace tls
