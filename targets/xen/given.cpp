// SPDX-License-Identifier: ISC
#include "targets/xen/given.hpp"

#include <algorithm>

namespace xen_target {

namespace {

constexpr std::string_view keys = "vm-data/keys";

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
  if (const auto names = store.list(keys)) {
    for (const std::string& name : *names) {
      const auto value = store.get(std::string(keys) + "/" + name);
      if (value) words.push_back("--" + name + "=" + *value);
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
  auto certificates = store.get("vm-data/tls/cert");
  auto key = store.get("vm-data/tls/key");
  if (!certificates || !key) return {};
  return {std::move(*certificates), std::move(*key)};
}

}  // namespace xen_target
