// SPDX-License-Identifier: ISC
// net/resolver/message.hpp: questions to a DNS server and its answers, as bytes.
//
// States:  Name, Question, Reply; encode, parse.
// Source:  RFC 1035 section 4; RFC 2181 sections 5 and 8, RFC 2308 (negative answers).
// Bounds:  a name has at most 255 bytes and 127 labels; a compression pointer points backwards,
//          strictly, so no chain of them is endless; of an answer at most records_max records are
//          read, and aliases_max aliases followed.
// Trust:   only records of the answer section count, and of these only such as belong to the name
//          that was asked for, or to one that its aliases lead to. Nothing else is ever kept.
// May include: base, net.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "net/endpoint.hpp"

namespace net::resolver {

inline constexpr std::size_t addresses_max = 8;  // of one name and family; others are left out
inline constexpr std::size_t records_max = 64;
inline constexpr std::size_t aliases_max = 8;
inline constexpr std::size_t question_bytes_max = 12 + 255 + 4;

enum class Type : std::uint16_t { a = 1, aaaa = 28 };

// A name as DNS writes it, in small letters: labels, each behind its length, and the root's.
class Name {
 public:
  // From "www.example.org", with or without a dot at its end. Nothing: it is none: a label is
  // empty or longer than 63 bytes, the whole too long, or a character is not a letter, a digit,
  // '-' or '_' (RFC 1123 section 2.1, and what is found in practice).
  [[nodiscard]] static std::optional<Name> from_text(std::string_view text) noexcept;
  // The name at `at` of a message, which is moved behind it. Nothing: it is malformed.
  [[nodiscard]] static std::optional<Name> read(base::Bytes message, std::size_t& at) noexcept;

  [[nodiscard]] base::Bytes bytes() const noexcept {
    return std::as_bytes(std::span(bytes_)).first(size_);
  }
  // Whether it is `zone`, or below it.
  [[nodiscard]] bool is_within(const Name& zone) const noexcept;
  friend bool operator==(const Name& one, const Name& other) noexcept {
    return base::text_of(one.bytes()) == base::text_of(other.bytes());
  }

 private:
  static constexpr std::size_t bytes_max = 255;
  [[nodiscard]] bool append(std::span<const unsigned char> label) noexcept;

  std::array<unsigned char, bytes_max> bytes_{};
  std::uint8_t size_ = 0;
};

struct Question {
  Name name;
  Type type = Type::a;
  std::uint16_t id = 0;
};

// Puts a question, with recursion desired, into `out`, and gives its part. No EDNS: what does not
// fit in 512 bytes comes by TCP.
[[nodiscard]] base::Bytes encode(const Question& question,
                                 std::span<std::byte, question_bytes_max> out) noexcept;

struct Reply {
  enum class Kind : std::uint8_t {
    foreign,       // not the answer to this question: it may yet come
    truncated,     // ask by TCP
    failed,        // the server cannot or will not answer, or its answer is malformed
    addresses,     // these are all
    alias,         // `alias` has to be asked for
    no_such_name,  // nothing has this name
    no_address,    // the name has none of this family
  };
  Kind kind = Kind::foreign;
  std::uint8_t count = 0;
  std::array<Endpoint, addresses_max> addresses{};  // ports are 0
  std::uint32_t lifetime_s = 0;                     // how long this may be kept; 0: not at all
  Name alias{};
};

[[nodiscard]] Reply parse(base::Bytes message, const Question& question) noexcept;

}  // namespace net::resolver
