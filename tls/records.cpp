// SPDX-License-Identifier: ISC
#include "tls/records.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/wipe.hpp"

namespace tls {
namespace {

// AES-GCM's keys may seal 2^24.5 full records (RFC 8446 section 5.5); half of it is plenty.
constexpr std::uint64_t records_per_key_max = std::uint64_t{1} << 23;

void put_16(std::byte* at, std::size_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xff);
}

void put_64(std::byte* at, std::uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8) at[i] = static_cast<std::byte>(value & 0xff);
}

// TLS 1.2 authenticates number, type, version and content length (RFC 5246 section 6.2.3.3).
std::array<std::byte, 13> associated_1_2(std::uint64_t number, std::byte type, std::size_t size) {
  std::array<std::byte, 13> out;
  put_64(out.data(), number);
  out[8] = type;
  out[9] = std::byte{3};
  out[10] = std::byte{3};
  put_16(&out[11], size);
  return out;
}

}  // namespace

std::optional<RecordHeader> record_header(base::Bytes bytes) {
  if (bytes.size() < record_header_bytes) return {};
  return RecordHeader{
      std::to_integer<std::uint8_t>(bytes[0]), std::to_integer<std::uint8_t>(bytes[1]),
      std::to_integer<std::size_t>(bytes[3]) << 8 | std::to_integer<std::size_t>(bytes[4])};
}

Records::Records(const TrafficKeys& keys, bool portable)
    : version_(keys.version), cipher_(keys.cipher), hash_(keys.hash), portable_(portable) {
  set(receive_, keys.receive);
  set(send_, keys.send);
}

Records::~Records() {
  base::wipe(receive_.secret);
  base::wipe(send_.secret);
}

void Records::set(Direction& direction, const TrafficKeys::Direction& keys) {
  direction.number = keys.next_number;
  direction.secret = keys.secret;
  derive(direction);
}

void Records::derive(Direction& direction) {
  const std::size_t size = crypto::key_bytes(cipher_);
  std::array<std::byte, 32> key_room;
  const base::MutableBytes key = base::MutableBytes(key_room).first(size);
  if (version_ == Version::tls_1_3) {
    const base::Bytes secret = base::Bytes(direction.secret).first(crypto::hash_bytes(hash_));
    expand_label(hash_, secret, "key", key);
    expand_label(hash_, secret, "iv", direction.fixed);
  } else {
    std::copy_n(direction.secret.begin(), size, key.begin());
    // AES-GCM has four fixed bytes, ChaCha20-Poly1305 twelve; the rest stays zero.
    const std::size_t fixed = cipher_ == crypto::Cipher::chacha20_poly1305 ? 12 : 4;
    std::copy_n(direction.secret.begin() + static_cast<std::ptrdiff_t>(size), fixed,
                direction.fixed.begin());
    base::wipe(direction.secret);
  }
  direction.aead.set_key(cipher_, key, portable_);
  base::wipe(key_room);
}

void Records::update(Direction& direction) {
  CHECK(version_ == Version::tls_1_3);
  std::array<std::byte, secret_bytes_max> next{};
  const std::size_t size = crypto::hash_bytes(hash_);
  expand_label(hash_, base::Bytes(direction.secret).first(size), "traffic upd",
               base::MutableBytes(next).first(size));
  direction.secret = next;
  direction.number = 0;
  derive(direction);
  base::wipe(next);
}

void Records::update_receive_key() { update(receive_); }
void Records::update_send_key() { update(send_); }

bool Records::wants_send_update() const noexcept {
  return version_ == Version::tls_1_3 && send_.number >= records_per_key_max;
}

std::size_t Records::explicit_nonce_bytes() const noexcept {
  return version_ == Version::tls_1_2 && cipher_ != crypto::Cipher::chacha20_poly1305 ? 8 : 0;
}

std::size_t Records::overhead_bytes() const noexcept {
  const std::size_t inner_type = version_ == Version::tls_1_3 ? 1 : 0;
  return record_header_bytes + explicit_nonce_bytes() + inner_type + sizeof(crypto::Tag);
}

// The number, XORed into the fixed part. For TLS 1.2's AES-GCM, whose last eight fixed bytes are
// zero, this makes the explicit nonce equal to the number, as RFC 5288 section 3 allows.
crypto::Nonce Records::nonce_of(const Direction& direction) const noexcept {
  crypto::Nonce nonce = direction.fixed;
  std::array<std::byte, 8> number;
  put_64(number.data(), direction.number);
  for (std::size_t i = 0; i < number.size(); ++i) nonce[4 + i] ^= number[i];
  return nonce;
}

std::size_t Records::seal(ContentType type, std::span<const base::Bytes> pieces, std::byte* out) {
  CHECK(pieces.size() <= pieces_max);
  std::size_t content = 0;
  for (const base::Bytes piece : pieces) content += piece.size();
  CHECK(content <= record_content_max);

  const std::size_t total = content + overhead_bytes();
  const crypto::Nonce nonce = nonce_of(send_);
  std::byte* const header = out;
  header[1] = std::byte{3};
  header[2] = std::byte{3};
  put_16(header + 3, total - record_header_bytes);
  std::byte* sealed = header + record_header_bytes;
  if (version_ == Version::tls_1_3) {
    header[0] = static_cast<std::byte>(ContentType::application_data);
    const std::array inner_type{static_cast<std::byte>(type)};
    std::array<base::Bytes, pieces_max + 1> all;
    std::copy(pieces.begin(), pieces.end(), all.begin());
    all[pieces.size()] = inner_type;
    send_.aead.seal(nonce, {header, record_header_bytes}, std::span(all).first(pieces.size() + 1),
                    sealed);
  } else {
    header[0] = static_cast<std::byte>(type);
    const std::size_t explicit_bytes = explicit_nonce_bytes();
    std::copy_n(nonce.end() - static_cast<std::ptrdiff_t>(explicit_bytes), explicit_bytes, sealed);
    send_.aead.seal(nonce, associated_1_2(send_.number, header[0], content), pieces,
                    sealed + explicit_bytes);
  }
  ++send_.number;
  return total;
}

base::Result<Records::Opened, Alert> Records::open(base::Bytes record, std::byte* out) {
  const base::Bytes header = record.first(record_header_bytes);
  const base::Bytes body = record.subspan(record_header_bytes);
  if (version_ == Version::tls_1_3) {
    // Nothing unprotected is left: change_cipher_spec is only dropped before the Finished.
    if (header[0] != static_cast<std::byte>(ContentType::application_data)) {
      return base::failure(Alert::unexpected_message);
    }
    if (body.size() < sizeof(crypto::Tag) + 1) return base::failure(Alert::bad_record_mac);
    if (!receive_.aead.open(nonce_of(receive_), header, body, out)) {
      return base::failure(Alert::bad_record_mac);
    }
    ++receive_.number;
    // Content, its type, then zeros as padding: RFC 8446 section 5.4.
    std::size_t size = body.size() - sizeof(crypto::Tag);
    if (size > record_content_max + 1) return base::failure(Alert::record_overflow);
    while (size > 0 && out[size - 1] == std::byte{0}) --size;
    if (size == 0) return base::failure(Alert::unexpected_message);
    return Opened{static_cast<ContentType>(out[size - 1]), {out, size - 1}};
  }
  const std::size_t explicit_bytes = explicit_nonce_bytes();
  if (body.size() < explicit_bytes + sizeof(crypto::Tag))
    return base::failure(Alert::bad_record_mac);
  const std::size_t size = body.size() - explicit_bytes - sizeof(crypto::Tag);
  if (size > record_content_max) return base::failure(Alert::record_overflow);
  // The peer chooses its explicit nonce; the number is authenticated besides.
  crypto::Nonce nonce = nonce_of(receive_);
  std::copy_n(body.begin(), explicit_bytes,
              nonce.end() - static_cast<std::ptrdiff_t>(explicit_bytes));
  if (!receive_.aead.open(nonce, associated_1_2(receive_.number, header[0], size),
                          body.subspan(explicit_bytes), out)) {
    return base::failure(Alert::bad_record_mac);
  }
  ++receive_.number;
  return Opened{static_cast<ContentType>(header[0]), {out, size}};
}

}  // namespace tls
