// SPDX-License-Identifier: ISC
// crunch/config/describe.hpp: an App's graph and keys as JSON, made by the compiler.
//
// targets/main.cpp places the text in the ELF section `.crunch.graph`, where `crunch describe` and
// `crunch inspect` read it without running the image: so it works for every target.
//
// Shape:   {"devices":[{"name","module","from":[index...]}...],   each after what it is built from
//           "jobs":[index...],
//           "keys":[{"name","section","doc","type","default"}...]}

#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "crunch/config/graph.hpp"
#include "crunch/config/key.hpp"

namespace crunch::config {

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

}  // namespace detail

// Calls visit(KeyInfo) once for each boot key: first the target's, then those of the devices.
template <class... T, class A, class Visit>
constexpr void for_each_key(const std::tuple<T...>& target_keys, const A& app, Visit&& visit) {
  std::vector<std::string_view> seen;
  auto once = [&](const KeyInfo& info) {
    for (std::string_view name : seen) {
      if (name == info.name) return;
    }
    seen.push_back(info.name);
    visit(info);
  };
  for_each_device(app, [&](const auto& device) {
    using Connect = typename std::remove_cvref_t<decltype(device)>::Connection;
    detail::visit_keys(detail::keys_of_connect<Connect>, once);
  });
  detail::visit_keys(target_keys, once);
}

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

template <class... T, class... J>
constexpr void write_graph(JsonWriter& json, const std::tuple<T...>& target_keys,
                           const App<J...>& app) {
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
  for_each_key(target_keys, app, [&](const KeyInfo& key) {
    json.raw(written++ == 0 ? "{" : ",{");
    const std::pair<std::string_view, std::string_view> fields[] = {{"name", key.name},
                                                                    {"section", key.section},
                                                                    {"doc", key.doc},
                                                                    {"type", key.type},
                                                                    {"default", key.fallback()}};
    for (std::size_t i = 0; i < std::size(fields); ++i) {
      json.raw(i == 0 ? "" : ",");
      json.text(fields[i].first);
      json.raw(":");
      json.text(fields[i].second);
    }
    json.raw("}");
  });
  json.raw("]}");
}

}  // namespace detail

// `app` and `target_keys` are constant expressions with static storage.
template <const auto& target_keys, const auto& app>
consteval auto graph_json() {
  constexpr std::size_t size = [] {
    detail::JsonWriter count(nullptr);
    detail::write_graph(count, target_keys, app);
    return count.size();
  }();
  std::array<char, size> text{};
  detail::JsonWriter json(text.data());
  detail::write_graph(json, target_keys, app);
  return text;
}

}  // namespace crunch::config
