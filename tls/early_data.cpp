// SPDX-License-Identifier: ISC
#include "tls/early_data.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace tls {

void EarlyData::set_secret(base::Bytes secret) noexcept {
  CHECK(secret.size() <= secret_.size());
  std::copy(secret.begin(), secret.end(), secret_.begin());
  secret_bytes_ = secret.size();
}

EarlyData::Verdict EarlyData::judge(base::Bytes record) {
  if (!is_awaited_) return Verdict::keep;
  const auto type = static_cast<ContentType>(record.front());
  if (type != ContentType::application_data) {
    const bool is_second_hello =
        type == ContentType::handshake && secret_bytes_ == 0 && std::exchange(hello_seen_, true);
    if (is_second_hello) is_awaited_ = false;
    return Verdict::keep;
  }
  if (secret_bytes_ != 0 && opens(record)) {
    is_awaited_ = false;
    return Verdict::keep;
  }
  skipped_bytes_ += record.size();
  return skipped_bytes_ > skipped_bytes_max ? Verdict::too_much : Verdict::skip;
}

// The suite is that of the hash whose size the secret has; two have SHA-256.
bool EarlyData::opens(base::Bytes record) const {
  std::vector<std::byte> content(record.size());
  for (const crypto::Cipher cipher : {crypto::Cipher::aes_128_gcm, crypto::Cipher::aes_256_gcm,
                                      crypto::Cipher::chacha20_poly1305}) {
    TrafficKeys keys;
    keys.cipher = cipher;
    keys.hash = cipher == crypto::Cipher::aes_256_gcm ? crypto::Hash::sha384 : crypto::Hash::sha256;
    if (crypto::hash_bytes(keys.hash) != secret_bytes_) continue;
    keys.receive.secret = secret_;
    Records trial(keys);
    const auto opened = trial.open(record, content.data());
    base::wipe(keys.receive.secret);
    if (opened || opened.error() != Alert::bad_record_mac) return true;
  }
  return false;
}

}  // namespace tls
