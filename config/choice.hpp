// SPDX-License-Identifier: ISC
// config/choice.hpp: devices chosen by keys when an image is built, as types.
//
// States:  value, pure, map, apply: what is known at build time; if_, match: devices chosen by it.
// Source:  functoria's Key.value, pure, map, $, if_impl and match_impl.
// Rule:    a choice is written down with the device that it chose, so that `crunch describe` lists
//          the keys that it depends on. What is not chosen is not in the image; but it is compiled
//          as an expression, so what only some targets have is behind an `if constexpr`.

#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

#include "config/graph.hpp"
#include "config/key.hpp"
#include "config/setting.hpp"

namespace config {

namespace detail {

// A text that is no value of its key counts as not given; `crunch build` refuses it by name.
constexpr std::string_view build_text(const KeyInfo& info) {
  for (const Setting& setting : build_settings) {
    if (setting.name == info.name && fits(info.shape, setting.value)) return setting.value;
  }
  return info.fallback();
}

template <const auto& key>
inline constexpr KeyInfo static_info = info_of(key);

}  // namespace detail

// What is known at build time: G::get() is its value, G::add_to(list) names the keys it depends on.
template <class G>
struct Known : G {};

template <class V>
struct IsKnown : std::false_type {};
template <class G>
struct IsKnown<Known<G>> : std::true_type {};
template <class V>
concept KnownValue = IsKnown<std::remove_cvref_t<V>>::value;

namespace detail {

template <const auto& key>
struct OfKey {
  static_assert(key.stage == Stage::build, "only a key of stage build is known at build time");
  static constexpr auto get() {
    using T = std::remove_cvref_t<decltype(fallback_of(key))>;
    return read<T>(static_info<key>.shape, build_text(static_info<key>)).value();
  }
  static constexpr void add_to(ChosenBy& list) { list.add(static_info<key>); }
};
template <auto v>
struct Pure {
  static constexpr auto get() { return v; }
  static constexpr void add_to(ChosenBy&) {}
};
template <class F, class... V>
struct Applied {
  static constexpr auto get() { return F{}(V::get()...); }
  static constexpr void add_to(ChosenBy& list) { (V::add_to(list), ...); }
};

}  // namespace detail

template <const auto& key>
constexpr Known<detail::OfKey<key>> value() {
  return {};
}
template <auto v>
constexpr Known<detail::Pure<v>> pure() {
  return {};
}
// f of several values; `f` captures nothing.
template <class F, KnownValue... V>
constexpr Known<detail::Applied<F, V...>> apply(F, V...) {
  static_assert(std::is_empty_v<F>, "what is applied to values captures nothing");
  return {};
}
template <class F, KnownValue V>
constexpr auto map(F f, V v) {
  return apply(f, v);
}

namespace detail {

template <class V, Device D>
constexpr D chosen(D device) {
  V::add_to(device.chosen_by);
  return device;
}

}  // namespace detail

// One of two devices.
template <KnownValue V, Device Then, Device Else>
constexpr auto if_(V, Then then_device, Else else_device) {
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(V::get())>, bool>,
                "if_ chooses by a bool");
  static_assert(std::is_same_v<typename Then::Module, typename Else::Module>,
                "both devices of if_ are of one module type");
  if constexpr (V::get()) {
    return detail::chosen<V>(then_device);
  } else {
    return detail::chosen<V>(else_device);
  }
}

// The arms of a match.
template <auto v, Device D>
struct When {
  D device;
};
template <Device D>
struct Otherwise {
  D device;
};
template <auto v, Device D>
constexpr When<v, D> when(D device) {
  return {device};
}
template <Device D>
constexpr Otherwise<D> otherwise(D device) {
  return {device};
}

namespace detail {

template <class V, Device D>
constexpr auto match_arms(Otherwise<D> arm) {
  return arm.device;
}
template <class V>
constexpr void match_arms() {
  static_assert(!std::is_same_v<V, V>,
                "match has no arm for this value: end it with otherwise(device)");
}
template <class V, auto v, Device D, class... More>
constexpr auto match_arms(When<v, D> arm, More... more) {
  if constexpr (V::get() == v) {
    return arm.device;
  } else {
    return match_arms<V>(more...);
  }
}
template <class>
struct ModuleOfArm;
template <auto v, class D>
struct ModuleOfArm<When<v, D>> : std::type_identity<typename D::Module> {};
template <class D>
struct ModuleOfArm<Otherwise<D>> : std::type_identity<typename D::Module> {};

}  // namespace detail

// The device of the first arm whose value it is: match(v, when<a>(x), when<b>(y), otherwise(z)).
template <KnownValue V, class First, class... More>
constexpr auto match(V, First first, More... more) {
  using Module = typename detail::ModuleOfArm<First>::type;
  static_assert((std::is_same_v<Module, typename detail::ModuleOfArm<More>::type> && ...),
                "the devices of a match are all of one module type");
  return detail::chosen<V>(detail::match_arms<V>(first, more...));
}

}  // namespace config
