// SPDX-License-Identifier: ISC
// tls/records.hpp: the record layer of an open connection: TLS 1.2 and 1.3, AEAD suites only.
//
// States:     Version, ContentType, Alert, TrafficKeys, Records.
// Why ours:   mbedTLS makes the handshake and hands the keys over; its context, with two buffers of
//             17 KiB, is then freed. Content goes from where it lies straight into ciphertext, an
//             idle connection holds keys and no buffer, and TLS 1.3's key update, which mbedTLS
//             does not know, works.
// Invariants: 1. A nonce is used once: every seal and every good open takes the next number.
//             2. After an open failed no further call may open.
// Source:     RFC 8446 sections 5 and 7.2; RFC 5246 section 6.2.3.3, RFC 5288, RFC 7905.
// May include: base, crypto.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "tls/key_schedule.hpp"

namespace tls {

enum class Version : std::uint8_t { tls_1_2, tls_1_3 };

enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

// Those that this end sends, RFC 8446 section 6.
enum class Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  handshake_failure = 40,
  illegal_parameter = 47,
  decode_error = 50,
  protocol_version = 70,
  internal_error = 80,
  no_renegotiation = 100,
};

inline constexpr std::size_t record_header_bytes = 5;
inline constexpr std::size_t record_content_max = 16384;
// What a sealed record may carry beyond its content: 1.2 has an explicit nonce and a tag, 1.3 a
// type, a tag and padding up to 256 (RFC 8446 section 5.2), 1.2 formally up to 2048.
inline constexpr std::size_t record_expansion_max = 256;
inline constexpr std::size_t record_bytes_max =
    record_header_bytes + record_content_max + record_expansion_max;

// Header of a record as it lies on the wire; its `length` bytes follow.
struct RecordHeader {
  std::uint8_t type;
  std::uint8_t version_major;
  std::size_t length;
};
// Nothing: fewer than 5 bytes are there.
[[nodiscard]] std::optional<RecordHeader> record_header(base::Bytes bytes);

// What the handshake agreed on.
struct TrafficKeys {
  Version version = Version::tls_1_3;
  crypto::Cipher cipher = crypto::Cipher::aes_128_gcm;
  crypto::Hash hash = crypto::Hash::sha256;
  struct Direction {
    // 1.3: the application traffic secret. 1.2: the key, followed by the fixed part of the nonce.
    std::array<std::byte, secret_bytes_max> secret{};
    std::uint64_t next_number = 0;
  };
  Direction receive;
  Direction send;
};

class Records {
 public:
  explicit Records(const TrafficKeys& keys, bool portable = false);
  ~Records();
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  [[nodiscard]] Version version() const noexcept { return version_; }

  // How much larger than its content a record becomes.
  [[nodiscard]] std::size_t overhead_bytes() const noexcept;

  // Writes one record of all pieces, at most record_content_max bytes, to `out`, and answers its
  // size: content + overhead_bytes(). `out` does not overlap the pieces; at most
  // pieces_max pieces.
  std::size_t seal(ContentType type, std::span<const base::Bytes> pieces, std::byte* out);
  static constexpr std::size_t pieces_max = 15;

  struct Opened {
    ContentType type;
    base::Bytes content;  // within `out`
  };
  // `record` is whole, with its header; `out` has room for its length.
  [[nodiscard]] base::Result<Opened, Alert> open(base::Bytes record, std::byte* out);

  // TLS 1.3's key update, RFC 8446 section 7.2.
  void update_receive_key();
  void update_send_key();
  // So many records were sealed that the key should be renewed first (RFC 8446 section 5.5).
  [[nodiscard]] bool wants_send_update() const noexcept;

 private:
  struct Direction {
    crypto::Aead aead;
    crypto::Nonce fixed{};
    std::uint64_t number = 0;
    std::array<std::byte, secret_bytes_max> secret{};
  };
  void set(Direction& direction, const TrafficKeys::Direction& keys);
  void derive(Direction& direction);
  void update(Direction& direction);
  [[nodiscard]] crypto::Nonce nonce_of(const Direction& direction) const noexcept;
  [[nodiscard]] std::size_t explicit_nonce_bytes() const noexcept;

  Version version_;
  crypto::Cipher cipher_;
  crypto::Hash hash_;
  bool portable_;
  Direction receive_;
  Direction send_;
};

}  // namespace tls
