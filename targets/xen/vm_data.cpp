// SPDX-License-Identifier: ISC
#include "targets/xen/vm_data.hpp"

#include <algorithm>
#include <optional>

#include "kv/xenstore/xenstore.hpp"

namespace xen_target {

namespace {

using Store = kv::Xenstore<Xenstore>;

// Nothing: there is none, or it cannot be read.
std::optional<std::string> value_of(Store& store, kv::Key key) {
  auto value = base::run_now(store.get(key, kv::Encoding::identity));
  if (!value) return std::nullopt;
  return std::move(*value).take();
}

bool says(std::string_view word, std::string_view key) {
  return word.starts_with(key) && (word.size() == key.size() || word[key.size()] == '=');
}

}  // namespace

std::vector<std::string> boot_words(Xenstore& store, std::string_view addresses,
                                    std::span<char* const> arguments) {
  std::vector<std::string> words;
  auto is_said = [&](std::string_view key) {
    auto fits = [key](std::string_view word) { return says(word, key); };
    return std::ranges::any_of(arguments, fits) || std::ranges::any_of(words, fits);
  };
  Store keys(store, "vm-data/keys");
  if (const auto entries = base::run_now(keys.list(""))) {
    for (const kv::Entry& entry : *entries) {
      const auto value = value_of(keys, entry.name);
      if (value) words.push_back("--" + entry.name + "=" + *value);
    }
  }
  const bool has_ipv4 = is_said("--ipv4") || is_said("--dhcp");
  const bool has_ipv6 = is_said("--ipv6");
  while (!addresses.empty()) {
    const std::string_view word = addresses.substr(0, addresses.find(' '));
    addresses.remove_prefix(std::min(addresses.size(), word.size() + 1));
    if (word.empty()) continue;
    const bool is_ipv6 = word.find(':') != std::string_view::npos;
    if (is_ipv6 ? has_ipv6 : has_ipv4) continue;
    std::string key = is_ipv6 ? "--ipv6=" : "--ipv4=";
    key += word;
    if (word.find('/') == std::string_view::npos) key += is_ipv6 ? "/64" : "/24";
    words.push_back(key);
  }
  return words;
}

Credentials credentials_of(Xenstore& store) {
  Store given(store, "vm-data/tls");
  auto certificates = value_of(given, "cert");
  if (!certificates) return {};
  auto key = value_of(given, "key");
  if (!key) return {};
  return {std::move(*certificates), std::move(*key)};
}

}  // namespace xen_target
