// SPDX-License-Identifier: ISC
// config/boot.hpp: the values that an image has for its keys when it starts.
//
// States:  BootLine.   Used by: targets/main.cpp, and every connect that reads a key.
// Order:   the key's own default, below what `crunch build` set, below the environment (HTTP_PORT
//          with CRUNCH_ before it for http-port; a machine has none), below what a machine's host
//          says, below the boot line.
// Words:   `--name=value`, `--name value`, and for switches `--name` alone; `--help`. A later word
//          wins.
// Errors:  an unknown key, a build key, a missing or bad value: a sentence each, with the nearest
//          name suggested. Of the environment only known keys are read.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"
#include "config/key.hpp"
#include "config/setting.hpp"

namespace config {

class BootLine {
 public:
  using Environment = char* (*)(const char* name);

  // Checks all values against `keys`: every later `value` call with one of them succeeds. The
  // words, the keys and `built_in`, which ends with a Setting without a name, must outlive this.
  static base::Result<BootLine, std::string> parse(std::span<const std::string_view> words,
                                                   std::span<const KeyInfo> keys,
                                                   const Setting* built_in = nullptr,
                                                   Environment environment = nullptr);

  // The same, with what the machine's host says: below the boot line, above all else. `host_words`
  // must outlive what is made.
  [[nodiscard]] base::Result<BootLine, std::string> with_host(
      std::span<const std::string> host_words) const;

  [[nodiscard]] bool wants_help() const { return wants_help_; }

  // The value of `key`: the last that was set, else its fallback. A key that parse() was not
  // given is its connect's fault: std::logic_error.
  template <class T>
  [[nodiscard]] T value(const Key<T>& key) const {
    if constexpr (Scalar<T>) {
      return Reader<T>::of(scalar(key.name));
    } else {
      const Found found = find(key.name);
      auto value = read<T>(found.key.shape, found.text);
      CHECK(value);  // parse() has seen it
      return std::move(*value);
    }
  }
  // The same as it was written.
  template <class T>
  [[nodiscard]] std::string text(const Key<T>& key) const {
    return std::string(find(key.name).text);
  }
  // All that the boot line says for a key that may be given several times, in order; where it says
  // none, the one value that was set elsewhere, unless that is empty.
  template <class T>
  [[nodiscard]] std::vector<std::string> all_texts(const Key<T>& key) const {
    return all_texts(find(key.name).text, key.name);
  }
  // Whether this appliance has the key; whether a value was set for it.
  [[nodiscard]] bool has_key(std::string_view name) const;
  [[nodiscard]] bool is_said(std::string_view name) const;
  // Whether the boot line says it.
  [[nodiscard]] bool has(std::string_view name) const;
  // How often it does.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  // What it is where neither the boot line nor the environment say it.
  [[nodiscard]] std::string_view default_of(const KeyInfo& key) const;

 private:
  enum class Origin : std::uint8_t { built_in, environment, boot_line };
  struct Word {
    std::string_view name;
    std::string_view value;
    Origin origin;
  };
  struct Found {
    const KeyInfo& key;
    std::string_view text;
  };
  [[nodiscard]] Found find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all_texts(std::string_view last,
                                                   std::string_view name) const;
  [[nodiscard]] std::int64_t scalar(std::string_view name) const;

  // What parse() was given.
  std::vector<std::string_view> line_;
  std::span<const KeyInfo> keys_;
  const Setting* built_in_ = nullptr;
  Environment environment_ = nullptr;

  std::vector<Word> words_;
  bool wants_help_ = false;
};

// Long to read, so not once more in each image.
template <>
[[nodiscard]] Address BootLine::value(const Key<Address>& key) const;
template <>
[[nodiscard]] Prefix BootLine::value(const Key<Prefix>& key) const;

// "CRUNCH_HTTP_PORT" for http-port.
[[nodiscard]] std::string environment_name(std::string_view key);

// Why `text` is no value of `key`: "it takes ...", with the nearest word; empty if it is one.
[[nodiscard]] std::string refusal(const KeyInfo& key, std::string_view text);

// A value for a sentence about it, in quotes; not one of a secret, as a person may have given the
// secret itself.
[[nodiscard]] std::string shown_value(const KeyInfo& key, std::string_view text);

// What `--help` prints: a page like those of man, the boot keys by section with their defaults.
[[nodiscard]] std::string help_text(std::string_view program, std::span<const KeyInfo> keys,
                                    const BootLine& boot);

}  // namespace config
