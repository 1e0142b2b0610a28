// SPDX-License-Identifier: ISC
#include "tls/key_schedule.hpp"

#include <array>

#include "base/check.hpp"

namespace tls {

void expand_label(crypto::Hash hash, base::Bytes secret, std::string_view label,
                  base::MutableBytes out) {
  CHECK(out.size() <= crypto::hash_bytes(hash));
  std::array<std::byte, 32> info;  // struct HkdfLabel
  std::size_t size = 0;
  auto put = [&](std::size_t byte) { info[size++] = static_cast<std::byte>(byte); };
  CHECK(label.size() <= 16);
  put(out.size() >> 8);
  put(out.size() & 0xff);
  put(6 + label.size());
  for (const char c : std::string_view("tls13 ")) put(static_cast<unsigned char>(c));
  for (const char c : label) put(static_cast<unsigned char>(c));
  put(0);
  crypto::hkdf_expand(hash, secret, base::Bytes(info).first(size), out);
}

}  // namespace tls
