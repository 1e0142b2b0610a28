// SPDX-License-Identifier: ISC
// tests/net/resolver/dns.hpp: messages of DNS put together by hand, right and wrong.
//
// Used by: tests/net/resolver.   Source: RFC 1035 section 4.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace net::dns {

inline std::string word(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}
inline std::string long_word(std::uint32_t value) {
  return word(value >> 16U) + word(value & 0xffffU);
}
// "www.example." as labels.
inline std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(label.size());
    if (name.starts_with('.')) name.remove_prefix(1);
  }
  return out + '\0';
}

inline constexpr unsigned a = 1;
inline constexpr unsigned ns = 2;
inline constexpr unsigned cname = 5;
inline constexpr unsigned soa = 6;
inline constexpr unsigned aaaa = 28;

// A record whose owner is already in the form of a message.
inline std::string record(const std::string& owner, unsigned type, std::uint32_t lifetime_s,
                          const std::string& data, unsigned klass = 1) {
  return owner + word(type) + word(klass) + long_word(lifetime_s) +
         word(static_cast<unsigned>(data.size())) + data;
}
inline std::string soa_of(std::string_view zone, std::uint32_t lifetime_s, std::uint32_t minimum) {
  return record(labels(zone), soa, lifetime_s,
                labels("m") + labels("r") + long_word(1) + long_word(2) + long_word(3) +
                    long_word(4) + long_word(minimum));
}
inline const std::string ipv4_data("\xc0\x00\x02\x07", 4);  // 192.0.2.7
inline const std::string ipv6_data("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16);

// The question's name, as a pointer.
inline const std::string asked("\xc0\x0c", 2);

struct Message {
  unsigned id = 0;
  unsigned flags = 0x8180;  // a response, recursion desired and available
  std::string question{};   // whole, with type and class
  std::vector<std::string> answers{};
  std::vector<std::string> authority{};
  std::vector<std::string> additional{};
  unsigned question_count = 1;

  [[nodiscard]] std::string text() const {
    std::string out = word(id) + word(flags) + word(question_count);
    for (const auto* each : {&answers, &authority, &additional}) {
      out += word(static_cast<unsigned>(each->size()));
    }
    out += question;
    for (const auto* each : {&answers, &authority, &additional}) {
      for (const std::string& one : *each) out += one;
    }
    return out;
  }
};

// The answer to a question, which is as it was sent.
inline Message to(std::string_view sent) {
  Message message;
  message.id = static_cast<unsigned char>(sent[0]) * 256U + static_cast<unsigned char>(sent[1]);
  message.question = sent.substr(12);
  return message;
}

}  // namespace net::dns
