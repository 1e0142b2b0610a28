// SPDX-License-Identifier: ISC
// config/value.hpp: the values that keys have, and how each is written.
//
// States:  Port, Path, Secret, Address, Prefix, Duration, Size, List; Shape, which says how a value
//          is written; fits and read (text to value), takes and placeholder (for people).
// Rule:    one text for one value, wherever it is written: on a boot line, in the environment, with
//          `crunch build --set`, in crunch.toml. Reading is constexpr, because a build key's value
//          is a constant expression.
// Written: switch true, false    number -7        port 0..65535     word one of a few
//          address 192.0.2.1, 2001:db8::1         prefix 192.0.2.2/24
//          duration 250ms, 30s, 5m, 2h, 7d        size 512, 64KiB, 16MiB, 1GiB
//          list a,b,c            text and path as they are
//          secret file:/etc/key, vault:acme/key
// Source:  RFC 4291 section 2.2 for the text of IPv6 addresses.

#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace config {

// Value types. Those that have an order are limited by their key.
struct Port {
  std::uint16_t number = 0;
  constexpr Port() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a port that was read is one.
  constexpr Port(std::uint16_t value) : number(value) {}
  // `.fallback = 80`: the compiler refuses a number that is no port.
  template <std::integral T>
  requires(!std::same_as<T, std::uint16_t>)
      // NOLINTNEXTLINE(google-explicit-constructor): `.fallback = 80`.
      consteval Port(T value)
      : number(static_cast<std::uint16_t>(value)) {
    if (!std::in_range<std::uint16_t>(value)) throw "a port is a number from 0 to 65535";
  }
  // NOLINTNEXTLINE(google-explicit-constructor): what takes a port takes a number.
  constexpr operator std::uint16_t() const { return number; }
};
struct Path {
  std::string_view text;
};
struct Address {
  unsigned version = 0;  // 4 or 6; 0: none
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
};
struct Prefix {
  Address address;
  unsigned bits = 0;
  bool operator==(const Prefix&) const = default;
};
// Where a secret is: never the secret itself, which no boot line, listing or log may show.
struct Secret {
  enum class From : std::uint8_t { none, file, vault };
  From from = From::none;
  std::string_view name;  // the file's path, or the vault's key
};
using Duration = std::chrono::milliseconds;
struct Size {
  std::uint64_t bytes = 0;
};
template <class T>
using List = std::vector<T>;

// How a value is written, without its type in C++: what a tool needs to check it.
struct Shape {
  std::string_view type;  // switch, number, port, word, address, prefix, duration, size, text,
                          // path, secret or list
  std::string_view element = {};  // of a list: the type of what is in it
  std::int64_t least = 0;         // of numbers; of durations in ms; of sizes in bytes
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  unsigned version = 0;  // of addresses and prefixes: 4, 6, or 0 for both
  std::span<const std::string_view> words = {};
};

namespace detail {

constexpr std::optional<std::int64_t> read_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return {};
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return is_negative ? -value : value;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
inline constexpr Unit duration_units[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
inline constexpr Unit size_units[] = {
    {"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", std::int64_t{1} << 40}};

constexpr std::optional<std::int64_t> read_with_unit(std::string_view text,
                                                     std::span<const Unit> units) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto count = read_number(text.substr(0, digits));
  for (const Unit& unit : units) {
    if (!count || unit.name != text.substr(digits)) continue;
    if (*count > std::numeric_limits<std::int64_t>::max() / unit.factor) return {};
    return *count * unit.factor;
  }
  return {};
}

// `out`: as many bytes as the address has groups of digits. Decimal, no zeros in front.
constexpr bool read_ipv4(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t end = i < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos || end == 0 || end > 3) return false;
    const auto number = read_number(text.substr(0, end));
    if (!number || *number < 0 || *number > 255 || (end > 1 && text[0] == '0')) return false;
    out[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(i < 3 ? end + 1 : end);
  }
  return true;
}

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Groups of up to four hexadecimal digits; "::" once, for as many zeros as lack; IPv4 at the end.
constexpr bool read_ipv6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  std::size_t count = 0;  // bytes written
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::size_t end = 0;
    unsigned group = 0;
    for (; end < text.size() && end < 5 && hex_digit(text[end]) >= 0; ++end) {
      group = group * 16 + static_cast<unsigned>(hex_digit(text[end]));
    }
    if (count + 4 <= 16 && end < text.size() && text[end] == '.') {
      if (!read_ipv4(text, std::span(out).subspan(count, 4))) return false;
      count += 4;
      break;
    }
    if (end == 0 || end > 4 || count + 2 > 16) return false;
    out[count++] = static_cast<std::uint8_t>(group >> 8U);
    out[count++] = static_cast<std::uint8_t>(group & 0xffU);
    text.remove_prefix(end);
    if (text.empty()) break;
    if (text.starts_with("::")) {
      if (gap) return false;
      gap = count;
      text.remove_prefix(2);
    } else {
      if (text[0] != ':' || text.size() == 1) return false;
      text.remove_prefix(1);
    }
  }
  if (!gap) return count == 16;
  if (count > 14) return false;
  std::array<std::uint8_t, 16> wide{};
  for (std::size_t i = 0; i < *gap; ++i) wide[i] = out[i];
  for (std::size_t i = *gap; i < count; ++i) wide[i + 16 - count] = out[i];
  out = wide;
  return true;
}

constexpr std::optional<Address> read_address(std::string_view text, unsigned version) {
  Address address;
  if (text.empty()) return address;
  address.version = text.find(':') == std::string_view::npos ? 4 : 6;
  if (version != 0 && version != address.version) return {};
  const bool is_good =
      address.version == 4 ? read_ipv4(text, address.bytes) : read_ipv6(text, address.bytes);
  if (!is_good) return {};
  return address;
}

constexpr std::optional<Prefix> read_prefix(std::string_view text, unsigned version) {
  if (text.empty()) return Prefix{};
  const std::size_t slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos) return {};
  const auto address = read_address(text.substr(0, slash), version);
  const auto bits = read_number(text.substr(slash + 1));
  if (!address || !bits || *bits < 0 || *bits > (address->version == 4 ? 32 : 128)) return {};
  return Prefix{*address, static_cast<unsigned>(*bits)};
}

constexpr std::optional<Secret> read_secret(std::string_view text) {
  constexpr std::string_view file = "file:";
  constexpr std::string_view vault = "vault:";
  if (text.empty()) return Secret{};
  if (text.starts_with(file) && text.size() > file.size()) {
    return Secret{Secret::From::file, text.substr(file.size())};
  }
  if (text.starts_with(vault) && text.size() > vault.size()) {
    return Secret{Secret::From::vault, text.substr(vault.size())};
  }
  return {};
}

// Of switches, numbers, ports, words (their index), durations and sizes.
constexpr std::optional<std::int64_t> read_scalar(const Shape& shape, std::string_view type,
                                                  std::string_view text) {
  std::optional<std::int64_t> value;
  if (type == "switch") {
    if (text == "true") return 1;
    if (text == "false") return 0;
    return {};
  }
  if (type == "word") {
    for (std::size_t i = 0; i < shape.words.size(); ++i) {
      if (shape.words[i] == text) return static_cast<std::int64_t>(i);
    }
    return {};
  }
  if (type == "duration") {
    value = read_with_unit(text, duration_units);
  } else if (type == "size") {
    value = read_with_unit(text, size_units);
  } else {
    value = read_number(text);
  }
  if (!value || *value < shape.least || *value > shape.most) return {};
  return value;
}

constexpr bool fits_one(const Shape& shape, std::string_view type, std::string_view text) {
  if (type == "text" || type == "path") return true;
  if (type == "secret") return read_secret(text).has_value();
  if (type == "address") return read_address(text, shape.version).has_value();
  if (type == "prefix") return read_prefix(text, shape.version).has_value();
  return read_scalar(shape, type, text).has_value();
}

// Calls visit(element) for each element of a list's text, as long as that answers true.
template <class Visit>
constexpr bool visit_elements(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (!visit(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
    if (text.empty()) return visit(text);
  }
  return true;
}

}  // namespace detail

// Whether `text` is a value of this shape.
constexpr bool fits(const Shape& shape, std::string_view text) {
  if (shape.type != "list") return detail::fits_one(shape, shape.type, text);
  return detail::visit_elements(text, [&shape](std::string_view element) {
    return !element.empty() && detail::fits_one(shape, shape.element, element);
  });
}

// "a whole number from 1 to 64": what would have been a value.
[[nodiscard]] std::string takes(const Shape& shape);
// "=N": what stands behind a key's name in `--help`; empty for a switch.
[[nodiscard]] std::string placeholder(const Shape& shape);

// Text to value.
template <class T>
struct Reader;  // static constexpr std::string_view type; read(shape, text)

template <class T>
constexpr std::optional<T> read(const Shape& shape, std::string_view text) {
  return Reader<T>::read(shape, text);
}

template <class T>
concept Scalar = std::integral<T> || std::is_enum_v<T> || std::same_as<T, Port> ||
    std::same_as<T, Duration> || std::same_as<T, Size>;

template <Scalar T>
struct Reader<T> {
  static constexpr std::string_view type = std::same_as<T, bool>       ? "switch"
                                           : std::integral<T>          ? "number"
                                           : std::is_enum_v<T>         ? "word"
                                           : std::same_as<T, Port>     ? "port"
                                           : std::same_as<T, Duration> ? "duration"
                                                                       : "size";
  static constexpr std::optional<T> read(const Shape& shape, std::string_view text) {
    const auto value = detail::read_scalar(shape, type, text);
    if (!value) return {};
    return of(*value);
  }
  static constexpr T of(std::int64_t value) {
    if constexpr (std::same_as<T, Duration>)
      return Duration(value);
    else if constexpr (std::same_as<T, Size>)
      return Size{static_cast<std::uint64_t>(value)};
    else if constexpr (std::same_as<T, Port>)
      return Port(static_cast<std::uint16_t>(value));
    else
      return static_cast<T>(value);
  }
};
template <>
struct Reader<std::string_view> {
  static constexpr std::string_view type = "text";
  static constexpr std::optional<std::string_view> read(const Shape&, std::string_view text) {
    return text;
  }
};
template <>
struct Reader<Path> {
  static constexpr std::string_view type = "path";
  static constexpr std::optional<Path> read(const Shape&, std::string_view text) {
    return Path{text};
  }
};
template <>
struct Reader<Secret> {
  static constexpr std::string_view type = "secret";
  static constexpr std::optional<Secret> read(const Shape&, std::string_view text) {
    return detail::read_secret(text);
  }
};
template <>
struct Reader<Address> {
  static constexpr std::string_view type = "address";
  static constexpr std::optional<Address> read(const Shape& shape, std::string_view text) {
    return detail::read_address(text, shape.version);
  }
};
template <>
struct Reader<Prefix> {
  static constexpr std::string_view type = "prefix";
  static constexpr std::optional<Prefix> read(const Shape& shape, std::string_view text) {
    return detail::read_prefix(text, shape.version);
  }
};
template <class T>
struct Reader<List<T>> {
  static constexpr std::string_view type = "list";
  static constexpr std::string_view element = Reader<T>::type;
  static constexpr std::optional<List<T>> read(const Shape& shape, std::string_view text) {
    List<T> values;
    const bool is_good = detail::visit_elements(text, [&](std::string_view one) {
      std::optional<T> value;
      if (!one.empty()) value = Reader<T>::read(shape, one);
      if (value) values.push_back(*value);
      return value.has_value();
    });
    if (!is_good) return {};
    return values;
  }
};

}  // namespace config
