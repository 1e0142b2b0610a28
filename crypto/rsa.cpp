// SPDX-License-Identifier: ISC
// crypto/rsa.cpp: GMP's functions of constant time do the arithmetic, nettle encodes PSS.
#include "crypto/rsa.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <nettle/nettle-meta.h>
#include <nettle/pss.h>

#include "base/check.hpp"
#include "crypto/montgomery.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

using Whole = Montgomery::Number;

std::span<const std::uint8_t> u8(base::Bytes bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

// A number of the key as limbs.
struct Limbs {
  explicit Limbs(base::Bytes bytes) : size(bytes.size() / limb_bytes) {
    to_limbs(u8(bytes), value.value.data());
  }
  [[nodiscard]] std::span<const mp_limb_t> get() const {
    return std::span(value.value).first(size);
  }
  std::size_t size;
  Wiped<Whole> value;
};

class Signer {
 public:
  explicit Signer(const RsaKey& key) : key_(key), n_(key.modulus), mod_n_(n_.get()) {
    for (const std::uint8_t byte : u8(key.public_exponent)) e_ = e_ << 8U | byte;
  }

  // signature = message^d mod n. False: a number of the key is wrong, or the processor erred.
  bool sign(const Whole& message, base::Entropy& entropy, Whole& signature) {
    Wiped<Whole> blinding;    // r^e
    Wiped<Whole> unblinding;  // 1/r
    Wiped<Whole> blinded;
    Wiped<Whole> root;
    if (!choose_blinding(entropy, blinding.value, unblinding.value)) return false;
    mod_n_.enter(of_n(message), blinded.value);
    mod_n_.multiply(blinded.value, blinding.value, blinded.value);
    mod_n_.leave(blinded.value, blinded.value);
    find_root(blinded.value, root.value);
    mod_n_.enter(of_n(root.value), root.value);
    mod_n_.multiply(root.value, unblinding.value, root.value);
    mod_n_.leave(root.value, signature);
    mod_n_.power_public(root.value, e_, root.value);
    mod_n_.leave(root.value, root.value);
    return mpn_cmp(root.value.data(), message.data(), static_cast<mp_size_t>(n_.size)) == 0;
  }

 private:
  [[nodiscard]] std::span<const mp_limb_t> of_n(const Whole& number) const {
    return std::span(number).first(n_.size);
  }

  // Both in Montgomery form, for a random r.
  bool choose_blinding(base::Entropy& entropy, Whole& blinding, Whole& unblinding) {
    Wiped<Whole> r;
    Wiped<Whole> cover;
    random_below_n(entropy, r.value);
    random_below_n(entropy, cover.value);
    mod_n_.enter(of_n(r.value), r.value);
    mod_n_.enter(of_n(cover.value), cover.value);
    // 1/r = cover / (r * cover): this inverse is of a random number that says nothing of r, so it
    // need not take a constant time.
    mod_n_.multiply(r.value, cover.value, unblinding);
    mod_n_.leave(unblinding, unblinding);
    if (!invert(unblinding)) return false;
    mod_n_.enter(of_n(unblinding), unblinding);
    mod_n_.multiply(unblinding, cover.value, unblinding);
    mod_n_.power_public(r.value, e_, blinding);
    return true;
  }

  // Its top byte is 0, and that of n is not.
  void random_below_n(base::Entropy& entropy, Whole& out) const {
    const auto limbs = std::span(out).first(n_.size);
    entropy.fill(std::as_writable_bytes(limbs));
    limbs.back() >>= 8U;
  }

  bool invert(Whole& number) {
    const auto size = static_cast<mp_size_t>(n_.size);
    const Arena arena;
    mpz_t inverse;
    mpz_t view_of_number;
    mpz_t view_of_n;
    mpz_init(inverse);
    const bool exists = mpz_invert(inverse, mpz_roinit_n(view_of_number, number.data(), size),
                                   mpz_roinit_n(view_of_n, n_.get().data(), size)) != 0;
    for (std::size_t i = 0; i < n_.size; ++i) {
      number[i] = mpz_getlimbn(inverse, static_cast<mp_size_t>(i));
    }
    mpz_clear(inverse);
    return exists;
  }

  // root = blinded^d mod n, by the Chinese remainder theorem: RFC 8017 section 5.2.1, 2.b.
  void find_root(const Whole& blinded, Whole& root) {
    const Limbs q(key_.q);
    const auto half = static_cast<mp_size_t>(q.size);
    Wiped<Whole> root_q;
    {
      const Limbs exponent(key_.d_mod_q);
      Montgomery mod_q(q.get());
      mod_q.enter(of_n(blinded), root_q.value);
      mod_q.power_secret(root_q.value, exponent.get(), root_q.value);
      mod_q.leave(root_q.value, root_q.value);
    }
    const Limbs p(key_.p);
    const Limbs exponent(key_.d_mod_p);
    const Limbs q_inverse(key_.q_inverse);
    Montgomery mod_p(p.get());
    Wiped<Whole> h;
    Wiped<Whole> part;
    mod_p.enter(of_n(blinded), h.value);
    mod_p.power_secret(h.value, exponent.get(), h.value);
    mod_p.leave(h.value, h.value);
    // h = (root_p - root_q) * q_inverse mod p. root_q may exceed p.
    mod_p.enter(std::span(root_q.value).first(q.size), part.value);
    mod_p.leave(part.value, part.value);
    const mp_limb_t borrow = mpn_sub_n(h.value.data(), h.value.data(), part.value.data(), half);
    mpn_cnd_add_n(borrow, h.value.data(), h.value.data(), p.get().data(), half);
    mod_p.enter(std::span(h.value).first(p.size), h.value);
    mod_p.enter(q_inverse.get(), part.value);
    mod_p.multiply(h.value, part.value, h.value);
    mod_p.leave(h.value, h.value);
    // root = root_q + h * q, which is less than n.
    std::array<mp_limb_t, 8> scratch;
    CHECK(mpn_sec_mul_itch(half, half) <= static_cast<mp_size_t>(scratch.size()));
    mpn_sec_mul(root.data(), h.value.data(), half, q.get().data(), half, scratch.data());
    std::fill(root_q.value.begin() + half, root_q.value.end(), 0);
    mpn_add_n(root.data(), root.data(), root_q.value.data(), static_cast<mp_size_t>(n_.size));
  }

  const RsaKey& key_;
  Limbs n_;
  Montgomery mod_n_;
  mp_limb_t e_ = 0;
};

// EMSA-PKCS1-v1_5: RFC 8017 section 9.2, with the DigestInfo of its note 1.
void encode_pkcs1(Hash hash, base::Bytes digest, std::span<std::uint8_t> out) {
  CHECK(out.size() >= RsaKey::modulus_bytes_min && digest.size() <= hash_bytes_max);
  const auto size = static_cast<std::uint8_t>(digest.size());
  const std::uint8_t number = hash == Hash::sha256 ? 1 : hash == Hash::sha384 ? 2 : 3;
  const std::array<std::uint8_t, 19> info{0x30,   static_cast<std::uint8_t>(17 + size),
                                          0x30,   0x0d,
                                          0x06,   0x09,
                                          0x60,   0x86,
                                          0x48,   0x01,
                                          0x65,   0x03,
                                          0x04,   0x02,
                                          number, 0x05,
                                          0x00,   0x04,
                                          size};
  const std::size_t digest_at = out.size() - digest.size();
  const std::size_t info_at = digest_at - info.size();
  std::fill(out.begin(), out.end(), std::uint8_t{0xff});
  out[0] = 0;
  out[1] = 1;
  out[info_at - 1] = 0;
  std::copy(info.begin(), info.end(), out.begin() + static_cast<std::ptrdiff_t>(info_at));
  std::ranges::copy(u8(digest), out.begin() + static_cast<std::ptrdiff_t>(digest_at));
}

// EMSA-PSS: RFC 8017 section 9.1.1.
bool encode_pss(Hash hash, base::Bytes digest, std::size_t modulus_bits, base::Entropy& entropy,
                Whole& out) {
  std::array<std::byte, hash_bytes_max> salt;
  const auto salt_used = std::span(salt).first(digest.size());
  entropy.fill(salt_used);
  const nettle_hash& meta = hash == Hash::sha256   ? nettle_sha256
                            : hash == Hash::sha384 ? nettle_sha384
                                                   : nettle_sha512;
  const Arena arena;
  mpz_t encoded;
  mpz_init(encoded);
  const bool good = pss_encode_mgf1(encoded, modulus_bits - 1, &meta, salt_used.size(),
                                    u8(salt_used).data(), u8(digest).data()) == 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = mpz_getlimbn(encoded, static_cast<mp_size_t>(i));
  }
  mpz_clear(encoded);
  return good;
}

// Of a number whose first byte is not 0.
std::size_t bits_of(base::Bytes number) {
  return 8 * (number.size() - 1) +
         static_cast<std::size_t>(std::bit_width(std::to_integer<unsigned>(number.front())));
}

bool is_odd(base::Bytes number) { return (number.back() & std::byte{1}) != std::byte{0}; }

}  // namespace

bool RsaKey::is_supported() const {
  const std::size_t half = modulus.size() / 2;
  if (modulus.size() < modulus_bytes_min || modulus.size() > modulus_bytes_max ||
      modulus.size() % (2 * limb_bytes) != 0 || public_exponent.empty() ||
      public_exponent.size() > limb_bytes) {
    return false;
  }
  for (const base::Bytes number : {p, q, d_mod_p, d_mod_q, q_inverse}) {
    if (number.size() != half) return false;
  }
  // The highest bits are there, so that each limb counts.
  for (const base::Bytes number : {modulus, p, q}) {
    if (number.front() == std::byte{0} || !is_odd(number)) return false;
  }
  return is_odd(public_exponent);
}

bool rsa_sign(const RsaKey& key, RsaPadding padding, Hash hash, base::Bytes digest,
              base::Entropy& entropy, base::MutableBytes signature) {
  std::fill(signature.begin(), signature.end(), std::byte{0});
  if (!key.is_supported() || digest.size() != hash_bytes(hash) ||
      signature.size() != key.modulus.size()) {
    return false;
  }
  const std::span<std::uint8_t> out{reinterpret_cast<std::uint8_t*>(signature.data()),
                                    signature.size()};
  Whole message{};
  if (padding == RsaPadding::pkcs1) {
    std::array<std::uint8_t, RsaKey::modulus_bytes_max> encoded;
    encode_pkcs1(hash, digest, std::span(encoded).first(out.size()));
    to_limbs(std::span(encoded).first(out.size()), message.data());
  } else if (!encode_pss(hash, digest, bits_of(key.modulus), entropy, message)) {
    return false;
  }
  Signer signer(key);
  Whole made;
  if (!signer.sign(message, entropy, made)) return false;
  to_bytes(made.data(), out);
  return true;
}

}  // namespace crypto
