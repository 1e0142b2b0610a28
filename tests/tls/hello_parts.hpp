// SPDX-License-Identifier: ISC
// tests/tls/hello_parts.hpp: a ClientHello, made part by part (RFC 8446 section 4.1.2).

#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tls/hello_faults.hpp"
#include "tls/records.hpp"

namespace hello_parts {

namespace extension = tls::extension;

inline std::string number(std::size_t value, int size) {
  std::string out;
  for (int i = size - 1; i >= 0; --i) out += static_cast<char>(value >> 8 * i & 0xff);
  return out;
}
inline std::string list(std::string_view content, int size) {
  return number(content.size(), size).append(content);
}
inline std::string numbers(std::initializer_list<std::size_t> values) {
  std::string out;
  for (const std::size_t value : values) out += number(value, 2);
  return out;
}
inline std::string share(std::size_t group, std::string_view key) {
  return number(group, 2) + list(key, 2);
}
inline std::string host(std::string_view name, int type = 0) {
  return number(static_cast<std::size_t>(type), 1) + list(name, 2);
}

inline constexpr std::size_t x25519 = 29, p256 = 23;
inline constexpr std::size_t ecdsa = 0x0403, pss = 0x0804;
inline const std::string base_point = "\x09" + std::string(31, '\0');

struct Parts {
  std::size_t legacy_version = 0x0303;
  std::string session_id = {};
  std::string suites;
  std::string compressions = std::string(1, '\0');
  std::vector<std::pair<std::size_t, std::string>> extensions;
  std::string after = {};  // the extensions

  void set(std::size_t type, std::string content) {
    for (auto& [its_type, its_content] : extensions) {
      if (its_type == type) {
        its_content = std::move(content);
        return;
      }
    }
    extensions.emplace_back(type, std::move(content));
  }
  void remove(std::size_t type) {
    std::erase_if(extensions, [&](const auto& each) { return each.first == type; });
  }
  [[nodiscard]] std::string message() const {
    std::string all;
    for (const auto& [type, content] : extensions) all += number(type, 2) + list(content, 2);
    std::string body = number(legacy_version, 2) + std::string(32, 'r') + list(session_id, 1) +
                       list(suites, 2) + list(compressions, 1) + list(all, 2) + after;
    return "\x01" + list(body, 3);
  }
};

inline Parts hello_1_2() {
  Parts parts;
  parts.suites = numbers({0xc02b, 0xc02f});
  parts.set(extension::supported_groups, list(numbers({x25519, p256}), 2));
  parts.set(extension::signature_algorithms, list(numbers({ecdsa, pss}), 2));
  return parts;
}
inline Parts hello_1_3() {
  Parts parts = hello_1_2();
  parts.suites = numbers({0x1301});
  parts.set(extension::supported_versions, list(numbers({0x0304}), 1));
  parts.set(extension::key_share, list(share(x25519, base_point), 2));
  return parts;
}

// The message in records of a size.
inline std::string records_of(std::string_view message,
                              std::size_t size = tls::record_content_max) {
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += size) {
    const auto part = message.substr(at, size);
    out += "\x16\x03\x01" + list(part, 2);
  }
  return out;
}

}  // namespace hello_parts
