// SPDX-License-Identifier: ISC
// config/parts/secrets.hpp: the bytes of a key of type Secret.
//
// States:  SecretText, read_secret.   Used by: connects that need one.
// Rule:    what it holds is wiped with its owner, and is in no sentence.
// Errors:  StartError with the key's name and the place.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/wipe.hpp"
#include "config/value.hpp"
#include "kv/kv.hpp"
#include "kv/rw.hpp"

namespace config {

// Without blanks and line ends at its end, which editors leave there.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(base::Bytes bytes);
  [[nodiscard]] std::string_view view() const noexcept { return base::text_of(bytes_.all()); }
  [[nodiscard]] bool is_empty() const noexcept { return bytes_.size() == 0; }

 private:
  base::SecretBytes bytes_;
};

inline constexpr std::size_t secret_bytes_max = 64 * std::size_t{1024};

// `key`: its name, for sentences. `from_vault` reads a key of the vault, which `vault_place` names;
// empty: there is no vault. `has_files`: the target has any. Empty where the value is.
[[nodiscard]] SecretText read_secret(
    std::string_view key, const Secret& secret, bool has_files,
    const std::function<kv::Result<kv::SecretValue>(kv::Key)>& from_vault = {},
    std::string_view vault_place = {});

}  // namespace config
