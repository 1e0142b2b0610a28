// SPDX-License-Identifier: ISC
// crypto/hash.cpp: nettle does the work, by the processor's instructions where they are.
#include "crypto/hash.hpp"

#include <algorithm>
#include <new>

#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>

#include "base/check.hpp"
#include "crypto/secret.hpp"

// nettle's macros, which would rename the functions here.
#undef hkdf_extract
#undef hkdf_expand

namespace crypto {
namespace {

const std::uint8_t* u8(base::Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* u8(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

sha256_ctx* context(std::byte* state) { return std::launder(reinterpret_cast<sha256_ctx*>(state)); }

// nettle's names for the digests and their HMACs, behind one shape.
struct Of256 {
  using Context = hmac_sha256_ctx;
  static constexpr auto set_key = hmac_sha256_set_key;
  static constexpr auto update = hmac_sha256_update;
  static constexpr auto digest = hmac_sha256_digest;
};
struct Of384 {
  using Context = hmac_sha384_ctx;
  static constexpr auto set_key = hmac_sha384_set_key;
  static constexpr auto update = hmac_sha512_update;
  static constexpr auto digest = hmac_sha384_digest;
};
struct Of512 {
  using Context = hmac_sha512_ctx;
  static constexpr auto set_key = hmac_sha512_set_key;
  static constexpr auto update = hmac_sha512_update;
  static constexpr auto digest = hmac_sha512_digest;
};

// Calls `work` with the names of `hash`.
template <class Work>
void with(Hash hash, Work work) {
  switch (hash) {
    case Hash::sha256:
      return work(Of256());
    case Hash::sha384:
      return work(Of384());
    case Hash::sha512:
      return work(Of512());
  }
}

// A context that is set to a key, and wiped afterwards.
template <class Of>
struct Keyed {
  explicit Keyed(base::Bytes key) { Of::set_key(&context, key.size(), u8(key)); }
  ~Keyed() { base::wipe({reinterpret_cast<std::byte*>(&context), sizeof context}); }
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;

  // nettle's HKDF takes functions of any context.
  static void update(void* context, std::size_t size, const std::uint8_t* data) {
    Of::update(static_cast<typename Of::Context*>(context), size, data);
  }
  static void digest(void* context, std::size_t size, std::uint8_t* out) {
    Of::digest(static_cast<typename Of::Context*>(context), size, out);
  }
  typename Of::Context context;
};

}  // namespace

Sha256::Sha256() noexcept {
  static_assert(sizeof(sha256_ctx) == state_bytes && alignof(sha256_ctx) <= 8);
  sha256_init(new (state_.data()) sha256_ctx);
}

void Sha256::update(base::Bytes bytes) noexcept {
  if (!bytes.empty()) sha256_update(context(state_.data()), bytes.size(), u8(bytes));
}

Sha256Bytes Sha256::finish() noexcept {
  Sha256Bytes out;
  sha256_digest(context(state_.data()), out.size(), u8(out.data()));
  return out;
}

Sha256Bytes sha256_of(base::Bytes bytes) noexcept {
  Sha256 sha256;
  sha256.update(bytes);
  return sha256.finish();
}

void digest(Hash hash, base::Bytes bytes, base::MutableBytes out) noexcept {
  CHECK(out.size() == hash_bytes(hash));
  if (hash == Hash::sha256) {
    const Sha256Bytes made = sha256_of(bytes);
    std::copy(made.begin(), made.end(), out.begin());
    return;
  }
  sha512_ctx context;
  hash == Hash::sha384 ? sha384_init(&context) : sha512_init(&context);
  if (!bytes.empty()) sha512_update(&context, bytes.size(), u8(bytes));
  hash == Hash::sha384 ? sha384_digest(&context, out.size(), u8(out.data()))
                       : sha512_digest(&context, out.size(), u8(out.data()));
}

void hmac(Hash hash, base::Bytes key, base::Bytes message, base::MutableBytes out) noexcept {
  CHECK(out.size() == hash_bytes(hash));
  with(hash, [&]<class Of>(Of) {
    Keyed<Of> keyed(key);
    Of::update(&keyed.context, message.size(), u8(message));
    Of::digest(&keyed.context, out.size(), u8(out.data()));
  });
}

void hkdf_extract(Hash hash, base::Bytes salt, base::Bytes secret,
                  base::MutableBytes out) noexcept {
  CHECK(out.size() == hash_bytes(hash));
  with(hash, [&]<class Of>(Of) {
    Keyed<Of> keyed(salt);
    nettle_hkdf_extract(&keyed.context, Keyed<Of>::update, Keyed<Of>::digest, out.size(),
                        secret.size(), u8(secret), u8(out.data()));
  });
}

void hkdf_expand(Hash hash, base::Bytes key, base::Bytes info, base::MutableBytes out) noexcept {
  CHECK(out.size() <= 255 * hash_bytes(hash));
  if (out.empty()) return;
  with(hash, [&]<class Of>(Of) {
    Keyed<Of> keyed(key);
    nettle_hkdf_expand(&keyed.context, Keyed<Of>::update, Keyed<Of>::digest, hash_bytes(hash),
                       info.size(), u8(info), out.size(), u8(out.data()));
  });
}

// A context at the start of a block compresses a whole one at once. Its count is not used.
void sha256_compress(std::uint32_t* state, const unsigned char* block) noexcept {
  sha256_ctx context;
  context.count = 0;
  context.index = 0;
  std::copy_n(state, 8, context.state);
  sha256_update(&context, SHA256_BLOCK_SIZE, block);
  CHECK(context.index == 0);
  std::copy_n(context.state, 8, state);
}

void sha512_compress(std::uint64_t* state, const unsigned char* block) noexcept {
  sha512_ctx context;
  context.count_low = 0;
  context.count_high = 0;
  context.index = 0;
  std::copy_n(state, 8, context.state);
  sha512_update(&context, SHA512_BLOCK_SIZE, block);
  CHECK(context.index == 0);
  std::copy_n(context.state, 8, state);
}

}  // namespace crypto
