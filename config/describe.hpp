// SPDX-License-Identifier: ISC
// config/describe.hpp: an App's keys, and its graph and keys as JSON, made by the compiler.
//
// States:  keys_of, graph_json.
// targets/main.cpp places the text in the ELF section `.crunch.graph`, where `crunch describe` and
// `crunch inspect` read it without running the image: so it works for every target.
//
// Shape:   {"devices":[{"name","module","from":[index...]}...],   in the order of their connection
//           "jobs":[index...],
//           "keys":[{"name","section","doc","stage","type","default", and of a list "element"; of
//                    numbers, durations and sizes "least","most"; of addresses "version"; of words
//                    "words":[...]; of a build key that was set "value"}...]}

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "config/graph.hpp"
#include "config/key.hpp"
#include "config/setting.hpp"

namespace config {

namespace detail {

template <class Connect>
inline constexpr auto keys_of_connect = std::tuple<>{};
template <class Connect>
requires requires { Connect::keys; }
inline constexpr auto keys_of_connect<Connect> = Connect::keys;

// Calls `visit` for the KeyInfo of each key of a tuple of pointers to Keys.
template <class... K, class Visit>
constexpr void visit_keys(const std::tuple<K...>& keys, Visit& visit) {
  std::apply([&visit](const auto*... key) { (visit(info_of(*key)), ...); }, keys);
}

// Calls visit(KeyInfo) for the build keys that a device, or one below it, was chosen by.
template <class D, class Visit>
constexpr void visit_choices(const D& device, Visit& visit) {
  for (const KeyInfo* key : device.chosen_by) visit(*key);
  std::apply([&visit](const auto&... below) { (visit_choices(below, visit), ...); },
             device.dependencies);
}

}  // namespace detail

namespace detail {

// Each key once: those that chose devices, those of the devices, and the target's. Two that have
// one name are one key, but for a key of the build and one of the boot: nobody can mean the other.
class KeyList {
 public:
  static constexpr std::size_t keys_max = 128;

  template <class... T, class... J>
  constexpr KeyList(const std::tuple<T...>& target_keys, const App<J...>& app) {
    std::apply([&](const auto&... one) { (visit_choices(one, *this), ...); }, app.jobs);
    for_each_device(app, [this](const auto& device) {
      using Connect = typename std::remove_cvref_t<decltype(device)>::Connection;
      visit_keys(keys_of_connect<Connect>, *this);
    });
    visit_keys(target_keys, *this);
  }
  constexpr void operator()(const KeyInfo& info) {
    for (const KeyInfo& other : all()) {
      if (other.name != info.name || are_apart(other.stage, info.stage)) continue;
      if (other.shape.type != info.shape.type || other.doc != info.doc) {
        throw "two keys have one name, and are not the same";
      }
      return;
    }
    keys_[count_++] = info;
  }
  [[nodiscard]] constexpr std::span<const KeyInfo> all() const {
    return std::span(keys_).first(count_);
  }

 private:
  static constexpr bool are_apart(Stage one, Stage other) {
    return one != other && one != Stage::both && other != Stage::both;
  }
  std::array<KeyInfo, keys_max> keys_{};
  std::size_t count_ = 0;
};

template <std::size_t count>
constexpr std::array<KeyInfo, count> first_of(std::span<const KeyInfo> keys) {
  std::array<KeyInfo, count> array;
  std::ranges::copy(keys.first(count), array.begin());
  return array;
}

}  // namespace detail

// The keys of an appliance on a target.
template <const auto& target_keys, const auto& app>
inline constexpr auto keys_of = [] {
  constexpr detail::KeyList list(target_keys, app);
  return detail::first_of<list.all().size()>(list.all());
}();

namespace detail {

// Counts, then writes: the same walk with and without room.
class JsonWriter {
 public:
  explicit constexpr JsonWriter(char* out) : out_(out) {}
  constexpr void raw(std::string_view text) {
    for (char c : text) put(c);
  }
  constexpr void text(std::string_view text) {
    put('"');
    for (char c : text) {
      if (c == '"' || c == '\\') put('\\');
      put(c);
    }
    put('"');
  }
  constexpr void number(std::size_t value) { raw(number_text(value).view()); }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }

 private:
  constexpr void put(char c) {
    if (out_ != nullptr) out_[size_] = c;
    ++size_;
  }
  char* out_;
  std::size_t size_ = 0;
};

template <class List, class D>
struct IndexIn;
template <class... L, class D>
struct IndexIn<std::tuple<L...>, D> {
  static constexpr std::size_t value = [] {
    std::size_t index = 0;
    static_cast<void>(((std::is_same_v<L, D> ? false : (++index, true)) && ...));
    return index;
  }();
};

template <class List, class... D>
constexpr void write_indices(JsonWriter& json, std::type_identity<std::tuple<D...>>) {
  std::size_t written = 0;
  json.raw("[");
  ((json.raw(written++ == 0 ? "" : ","), json.number(IndexIn<List, D>::value)), ...);
  json.raw("]");
}

constexpr void write_limits(JsonWriter& json, const Shape& shape) {
  json.raw(",\"least\":");
  json.raw(number_text(shape.least).view());
  json.raw(",\"most\":");
  json.raw(number_text(shape.most).view());
}

constexpr void write_key(JsonWriter& json, const KeyInfo& key) {
  const Shape& shape = key.shape;
  const auto field = [&json](std::string_view name, std::string_view value) {
    json.text(name);
    json.raw(":");
    json.text(value);
  };
  json.raw("{");
  field("name", key.name);
  json.raw(",");
  field("section", key.section);
  json.raw(",");
  field("doc", key.doc);
  json.raw(",");
  field("stage", stage_words[static_cast<std::size_t>(key.stage)]);
  json.raw(",");
  field("type", shape.type);
  json.raw(",");
  field("default", key.fallback());
  if (!shape.element.empty()) {
    json.raw(",");
    field("element", shape.element);
  }
  const std::string_view type = shape.element.empty() ? shape.type : shape.element;
  if (type == "number" || type == "port" || type == "duration" || type == "size") {
    write_limits(json, shape);
  }
  if (type == "address" || type == "prefix") {
    json.raw(",\"version\":");
    json.number(shape.version);
  }
  if (type == "word") {
    json.raw(",\"words\":[");
    for (std::size_t i = 0; i < shape.words.size(); ++i) {
      json.raw(i == 0 ? "" : ",");
      json.text(shape.words[i]);
    }
    json.raw("]");
  }
  for (const Setting& setting : build_settings) {
    if (key.stage != Stage::build || setting.name != key.name) continue;
    json.raw(",");
    field("value", setting.value);
  }
  json.raw("}");
}

template <class... J>
constexpr void write_graph(JsonWriter& json, std::span<const KeyInfo> keys, const App<J...>& app) {
  using List = DevicesOf<App<J...>>;
  std::size_t written = 0;
  json.raw("{\"devices\":[");
  for_each_device(app, [&](const auto& device) {
    using D = std::remove_cvref_t<decltype(device)>;
    json.raw(written++ == 0 ? "{\"name\":" : ",{\"name\":");
    json.text(device.name);
    json.raw(",\"module\":");
    json.text(D::Module::name);
    json.raw(",\"from\":");
    write_indices<List>(json,
                        std::type_identity<std::remove_cvref_t<decltype(device.dependencies)>>{});
    json.raw("}");
  });
  json.raw("],\"jobs\":");
  write_indices<List>(json, std::type_identity<std::tuple<J...>>{});
  json.raw(",\"keys\":[");
  written = 0;
  for (const KeyInfo& key : keys) {
    json.raw(written++ == 0 ? "" : ",");
    write_key(json, key);
  }
  json.raw("]}");
}

}  // namespace detail

// `app` and `target_keys` are constant expressions with static storage.
template <const auto& target_keys, const auto& app>
consteval auto graph_json() {
  constexpr std::size_t size = [] {
    detail::JsonWriter count(nullptr);
    detail::write_graph(count, keys_of<target_keys, app>, app);
    return count.size();
  }();
  std::array<char, size> text{};
  detail::JsonWriter json(text.data());
  detail::write_graph(json, keys_of<target_keys, app>, app);
  return text;
}

}  // namespace config
