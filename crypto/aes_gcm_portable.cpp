// SPDX-License-Identifier: ISC
// crypto/aes_gcm_portable.cpp: nettle does the work.
#include "crypto/aes_gcm_portable.hpp"

#include <algorithm>
#include <variant>

#include <nettle/gcm.h>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace crypto {
namespace {

const std::uint8_t* u8(const std::byte* at) { return reinterpret_cast<const std::uint8_t*>(at); }
std::uint8_t* u8(std::byte* at) { return reinterpret_cast<std::uint8_t*>(at); }

// nettle's names for one key size.
struct Of128 {
  static constexpr auto set_key = gcm_aes128_set_key;
  static constexpr auto set_iv = gcm_aes128_set_iv;
  static constexpr auto update = gcm_aes128_update;
  static constexpr auto encrypt = gcm_aes128_encrypt;
  static constexpr auto decrypt = gcm_aes128_decrypt;
  static constexpr auto digest = gcm_aes128_digest;
  gcm_aes128_ctx context;
};
struct Of256 {
  static constexpr auto set_key = gcm_aes256_set_key;
  static constexpr auto set_iv = gcm_aes256_set_iv;
  static constexpr auto update = gcm_aes256_update;
  static constexpr auto encrypt = gcm_aes256_encrypt;
  static constexpr auto decrypt = gcm_aes256_decrypt;
  static constexpr auto digest = gcm_aes256_digest;
  gcm_aes256_ctx context;
};

template <class Of>
void begin(Of& of, const Nonce& nonce, base::Bytes associated) {
  Of::set_iv(&of.context, nonce.size(), u8(nonce.data()));
  Of::update(&of.context, associated.size(), u8(associated.data()));
}

template <class Of>
Tag end(Of& of) {
  Tag tag;
  Of::digest(&of.context, tag.size(), u8(tag.data()));
  return tag;
}

}  // namespace

struct PortableGcm::State {
  std::variant<Of128, Of256> of;
};

PortableGcm::PortableGcm(base::Bytes key) : state_(std::make_unique<State>()) {
  CHECK(key.size() == 16 || key.size() == 32);
  if (key.size() == 32) state_->of.emplace<Of256>();
  std::visit([&]<class Of>(Of& of) { Of::set_key(&of.context, u8(key.data())); }, state_->of);
}

PortableGcm::~PortableGcm() {
  base::wipe({reinterpret_cast<std::byte*>(state_.get()), sizeof(State)});
}

void PortableGcm::seal(const Nonce& nonce, base::Bytes associated,
                       std::span<const base::Bytes> pieces, std::byte* out) noexcept {
  const base::MutableBytes all = joined(pieces, out);
  const Tag tag = std::visit(
      [&]<class Of>(Of& of) {
        begin(of, nonce, associated);
        Of::encrypt(&of.context, all.size(), u8(out), u8(out));
        return end(of);
      },
      state_->of);
  std::copy(tag.begin(), tag.end(), out + all.size());
}

bool PortableGcm::open(const Nonce& nonce, base::Bytes associated, base::Bytes sealed,
                       std::byte* out) noexcept {
  if (sealed.size() < sizeof(Tag)) return false;
  const Tag tag = std::visit(
      [&]<class Of>(Of& of) {
        begin(of, nonce, associated);
        Of::decrypt(&of.context, sealed.size() - sizeof(Tag), u8(out), u8(sealed.data()));
        return end(of);
      },
      state_->of);
  // In place the received tag stays behind what is written.
  return equal_secret(tag, sealed.last(sizeof(Tag)));
}

}  // namespace crypto
