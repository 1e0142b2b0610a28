// SPDX-License-Identifier: ISC
// crunch/config/key.hpp: a boot key: a named, typed, documented value that an image takes when it
// starts.
//
// States:  Key, KeyType (how a T is read and written), KeyInfo.
// Errors:  a text that is no T gives a sentence that says what would be.

#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace crunch::config {

// `--name=value`, by which a boot line sets it.
template <class T>
struct Key {
  std::string_view name;
  std::string_view section;  // under which `--help` lists it
  std::string_view doc;      // one line, a sentence without a full stop
  T fallback{};
  // For numbers.
  T least = std::numeric_limits<T>::min();
  T most = std::numeric_limits<T>::max();
};

// For types without an order the limits mean nothing.
template <>
struct Key<std::string_view> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  std::string_view fallback;
};
template <>
struct Key<bool> {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  bool fallback = false;
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
};

template <class T>
using Parsed = base::Result<T, std::string>;

// Text to value.
template <std::integral T>
requires(!std::same_as<T, bool>) Parsed<T> parse(const Key<T>& key, std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= key.least &&
      value <= key.most) {
    return value;
  }
  return base::failure("a whole number from " + std::to_string(key.least) + " to " +
                       std::to_string(key.most));
}
inline Parsed<std::string_view> parse(const Key<std::string_view>&, std::string_view text) {
  return text;
}
inline Parsed<bool> parse(const Key<bool>&, std::string_view text) {
  if (text.empty() || text == "true") return true;
  if (text == "false") return false;
  return base::failure(std::string("true or false"));
}
template <class E>
requires std::is_enum_v<E> Parsed<E> parse(const Key<E>& key, std::string_view text) {
  std::string words;
  for (std::size_t i = 0; i < key.words.size(); ++i) {
    if (key.words[i] == text) return static_cast<E>(i);
    words += (i == 0 ? "" : i + 1 == key.words.size() ? " or " : ", ");
    words += key.words[i];
  }
  return base::failure(words);
}

// Value to text: at most 20 characters for numbers.
struct ShortText {
  std::array<char, 20> chars{};
  std::size_t size = 0;
  [[nodiscard]] constexpr std::string_view view() const { return {chars.data(), size}; }
};
template <std::integral T>
constexpr ShortText number_text(T value) {
  ShortText reversed;
  auto rest = static_cast<std::uint64_t>(value);
  do {
    reversed.chars[reversed.size++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  ShortText text;
  while (text.size < reversed.size) {
    text.chars[text.size] = reversed.chars[reversed.size - 1 - text.size];
    ++text.size;
  }
  return text;
}

// A key as `--help`, the check of a boot line and `crunch describe` see it: without its type.
struct KeyInfo {
  std::string_view name;
  std::string_view section;
  std::string_view doc;
  std::string_view type;  // "number", "text", "switch" or "word"
  std::string_view fallback_text;
  ShortText fallback_number{};
  std::span<const std::string_view> words;
  Parsed<bool> (*check)(const void* key, std::string_view text) = nullptr;
  const void* key = nullptr;

  [[nodiscard]] constexpr std::string_view fallback() const {
    return fallback_number.size > 0 ? fallback_number.view() : fallback_text;
  }
};

// `key` must have static storage.
template <class T>
constexpr KeyInfo info_of(const Key<T>& key) {
  KeyInfo info{key.name, key.section, key.doc, "text", "", {}, {}, nullptr, &key};
  info.check = [](const void* erased, std::string_view text) -> Parsed<bool> {
    Parsed<T> value = parse(*static_cast<const Key<T>*>(erased), text);
    if (!value) return base::failure(std::move(value.error()));
    return true;
  };
  if constexpr (std::same_as<T, bool>) {
    info.type = "switch";
    info.fallback_text = key.fallback ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    info.type = "word";
    info.words = key.words;
    info.fallback_text = key.words[static_cast<std::size_t>(key.fallback)];
  } else if constexpr (std::integral<T>) {
    info.type = "number";
    info.fallback_number = number_text(key.fallback);
  } else {
    info.fallback_text = key.fallback;
  }
  return info;
}

}  // namespace crunch::config
