// SPDX-License-Identifier: ISC
// config/key.hpp: a key: a named, typed, documented value that an appliance has.
//
// States:  Stage, Key, KeyInfo (a key without its type).
// Stages:  build: chosen when an image is built; devices are chosen by it (choice.hpp).
//          boot: given when an image starts. both: a value from the build is the boot's default.

#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "config/value.hpp"

namespace config {

enum class Stage : std::uint8_t { both, boot, build };
inline constexpr std::string_view stage_words[] = {"both", "boot", "build"};

// `--name=value` on a boot line, `--set name=value` at a build.
//
// Durations, sizes, addresses, prefixes, paths and lists have their fallback and limits as they are
// written: `.fallback = "30s"`. An empty address, prefix or list is none.
template <class T>
struct Key {
  std::string_view name;
  std::string_view section;  // under which `--help` lists it
  std::string_view doc;      // one line, a sentence without a full stop
  std::string_view fallback;
  Stage stage = Stage::both;
  std::string_view least = "";
  std::string_view most = "";
  unsigned version = 0;                          // of addresses and prefixes: 4, 6, or 0 for both
  std::span<const std::string_view> words = {};  // of a list of words
};
template <std::integral T>
struct Key<T> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  T fallback{};
  T least = std::numeric_limits<T>::min();
  T most = std::numeric_limits<T>::max();
  Stage stage = Stage::both;
};
template <>
struct Key<Port> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  Port fallback{};
  Stage stage = Stage::both;
};
template <>
struct Key<bool> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  bool fallback = false;
  Stage stage = Stage::both;
};
// One of a few words. `E`'s values count from 0; `words` is in their order.
template <class E>
requires std::is_enum_v<E>
struct Key<E> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  E fallback{};
  std::span<const std::string_view> words;
  Stage stage = Stage::both;
};

// A number's text.
struct ShortText {
  std::array<char, 20> chars{};
  std::size_t size = 0;
  [[nodiscard]] constexpr std::string_view view() const { return {chars.data(), size}; }
};
template <std::integral T>
constexpr ShortText number_text(T value) {
  ShortText reversed;
  const bool is_negative = std::cmp_less(value, 0);
  auto rest = is_negative ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                          : static_cast<std::uint64_t>(value);
  do {
    reversed.chars[reversed.size++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (is_negative) reversed.chars[reversed.size++] = '-';
  ShortText text;
  while (text.size < reversed.size) {
    text.chars[text.size] = reversed.chars[reversed.size - 1 - text.size];
    ++text.size;
  }
  return text;
}

// A key as `--help`, the check of a value and `crunch describe` see it: without its type.
struct KeyInfo {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  Stage stage = Stage::both;
  Shape shape;
  std::string_view fallback_text;
  ShortText fallback_number{};

  [[nodiscard]] constexpr std::string_view fallback() const {
    return fallback_number.size > 0 ? fallback_number.view() : fallback_text;
  }
};

namespace detail {

// The limits that a type has by itself.
template <class T>
constexpr void set_limits(Shape& shape) {
  if constexpr (requires {
                  typename T::value_type;
                  Reader<T>::element;
                }) {
    set_limits<typename T::value_type>(shape);
  } else if constexpr (std::same_as<T, Port>) {
    set_limits<std::uint16_t>(shape);
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    using Limits = std::numeric_limits<T>;
    shape.least = static_cast<std::int64_t>(Limits::min());
    if (std::cmp_less(Limits::max(), shape.most)) shape.most = std::int64_t(Limits::max());
  }
}

}  // namespace detail

template <class T>
constexpr KeyInfo info_of(const Key<T>& key) {
  KeyInfo info{key.name, key.section, key.doc, key.stage, {.type = Reader<T>::type}, "", {}};
  Shape& shape = info.shape;
  detail::set_limits<T>(shape);
  if constexpr (std::same_as<T, bool>) {
    info.fallback_text = key.fallback ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    shape.words = key.words;
    info.fallback_text = key.words[static_cast<std::size_t>(key.fallback)];
  } else if constexpr (std::same_as<T, Port>) {
    info.fallback_number = number_text(key.fallback.number);
  } else if constexpr (std::integral<T>) {
    if (std::cmp_greater(key.least, shape.least)) shape.least = std::int64_t(key.least);
    if (std::cmp_less(key.most, shape.most)) shape.most = std::int64_t(key.most);
    info.fallback_number = number_text(key.fallback);
  } else {
    if constexpr (requires { Reader<T>::element; }) shape.element = Reader<T>::element;
    const Shape any = shape;
    shape.version = key.version;
    shape.words = key.words;
    if (!key.least.empty()) shape.least = detail::read_scalar(any, shape.type, key.least).value();
    if (!key.most.empty()) shape.most = detail::read_scalar(any, shape.type, key.most).value();
    info.fallback_text = key.fallback;
    if (!fits(shape, key.fallback)) throw "the fallback of this key is no value of its type";
  }
  return info;
}

// A key's default value. The compiler checks that it is valid.
template <class T>
constexpr T fallback_of(const Key<T>& key) {
  const KeyInfo info = info_of(key);
  return read<T>(info.shape, info.fallback()).value();
}

}  // namespace config
