// SPDX-License-Identifier: ISC
// config/graph.hpp: what an appliance is made of, expressed in types.
//
// States:  Typ, Arrow, Impl, Functor, App; foreign, impl, jobs.
// Source:  the shape is functoria's (typ, @->, $, main, impl); a module type is a concept here, a
//          functor a class template, and the graph is known to the compiler, so that a wrong one
//          does not compile.
// Rules:   1. A device's identity is its type: one variable used twice is one instance, connected
//             once. Two devices that should be two need two names (their names are part of the
//             type).
//          2. Connects capture nothing; what differs between devices is in their template
//             arguments.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/check.hpp"

namespace config {

struct KeyInfo;

// The build keys by which a device was chosen (choice.hpp). No part of its identity.
class ChosenBy {
 public:
  static constexpr std::size_t keys_max = 8;
  // `key` has static storage.
  constexpr void add(const KeyInfo& key) {
    CHECK(count_ < keys_max);
    keys_[count_++] = &key;
  }
  [[nodiscard]] constexpr const KeyInfo* const* begin() const { return keys_.data(); }
  [[nodiscard]] constexpr const KeyInfo* const* end() const { return keys_.data() + count_; }

 private:
  std::array<const KeyInfo*, keys_max> keys_{};
  std::size_t count_ = 0;
};

// Text as a template argument: `crunched<"site">()`.
template <std::size_t N>
struct Text {
  char chars[N]{};
  // NOLINTNEXTLINE(google-explicit-constructor): so that a literal is one.
  consteval Text(const char (&literal)[N]) { std::copy_n(literal, N, chars); }
  constexpr explicit Text(const std::array<char, N>& with_end) {
    std::copy_n(with_end.begin(), N, chars);
  }
  [[nodiscard]] constexpr std::string_view view() const { return {chars, N - 1}; }
};

// A module type: M has a `name` and says by `M::holds<T>` which T model it. It may have `using
// Refines = Other`: whatever models M models Other too, and is accepted where that is wanted.
template <class M>
struct Typ {
  using Module = M;
};

// Is M Wanted, or does it refine it, directly or by others?
template <class M, class Wanted>
constexpr bool refines() {
  if constexpr (std::is_same_v<M, Wanted>) {
    return true;
  } else if constexpr (requires { typename M::Refines; }) {
    return refines<typename M::Refines, Wanted>();
  } else {
    return false;
  }
}

// The parameters of a functor and, last, what it makes: `source >> server_stack >> job`.
template <class... M>
struct Arrow {};

template <class A, class B>
constexpr Arrow<A, B> operator>>(Typ<A>, Typ<B>) {
  return {};
}
template <class... A, class B>
constexpr Arrow<A..., B> operator>>(Arrow<A...>, Typ<B>) {
  return {};
}

namespace detail {

// Of what M refines, too.
template <class M, class T>
constexpr bool holds_all() {
  if constexpr (requires { typename M::Refines; }) {
    return M::template holds<T> && holds_all<typename M::Refines, T>();
  } else {
    return M::template holds<T>;
  }
}

template <class M, class T>
struct ModelsItsModuleType {
  static constexpr bool value = holds_all<M, T>();
  static_assert(value, "a device does not model the module type that it is declared with");
};

}  // namespace detail

template <class D>
struct IsDevice : std::false_type {};

// A device: at run time a T (or, where T is a reference, something of the target's), made by
// `Connect{}(context, dependencies...)`.
//
// `Connect` may have `static constexpr std::tuple keys`: the boot keys that it reads.
template <class M, class T, class Connect, class... D>
struct Impl {
  static_assert(detail::ModelsItsModuleType<M, T>::value);
  using Module = M;
  using Type = T;
  using Connection = Connect;

  std::string_view name;
  std::tuple<D...> dependencies;
  ChosenBy chosen_by = {};
};
template <class M, class T, class Connect, class... D>
struct IsDevice<Impl<M, T, Connect, D...>> : std::true_type {};

template <class D>
concept Device = IsDevice<std::remove_cvref_t<D>>::value;

// A device that is built from nothing.
template <class T, class M, class Connect>
constexpr Impl<M, T, Connect> impl(std::string_view name, Typ<M>, Connect) {
  return {name, {}};
}

// What is wrong with an application. A compiler's message shows the template arguments: the index
// of the argument, counted from 0, what was wanted and what was given.
namespace detail {

template <std::size_t argument, class Given>
struct ArgumentIsADevice {
  static constexpr bool value = Device<Given>;
  static_assert(value, "a functor is applied to devices, and this argument is none");
};
template <std::size_t argument, class Want, class Given>
struct ArgumentIsOfItsModuleType {
  static constexpr bool value = refines<typename Given::Module, Want>();
  static_assert(value, "a functor is applied to a device of another module type than it declares");
};
template <std::size_t want, std::size_t given>
struct ArgumentsAreAllThere {
  static constexpr bool value = want == given;
  static_assert(value, "a functor is applied to all its modules at once");
};
template <std::size_t argument, class Given>
struct ArgumentIsAJob {
  static constexpr bool value = false;
  static_assert(Device<Given>, "only jobs are run, and this argument is no device");
};
template <std::size_t argument, Device Given>
struct ArgumentIsAJob<argument, Given> {
  static constexpr bool value = Given::Module::is_job;
  static_assert(value, "only jobs are run, and this argument is of another module type");
};

}  // namespace detail

// A class template that makes a device of devices: applied by a call.
template <template <class...> class F, class Connect, class Signature>
struct Functor;

template <template <class...> class F, class Connect, class... M>
struct Functor<F, Connect, Arrow<M...>> {
  static constexpr std::size_t arity = sizeof...(M) - 1;
  using Result = std::tuple_element_t<arity, std::tuple<M...>>;

  std::string_view name;

  template <class... D>
  constexpr auto operator()(D... devices) const {
    if constexpr (is_applicable<D...>(std::index_sequence_for<D...>{})) {
      return Impl<Result, F<std::remove_reference_t<typename D::Type>...>, Connect, D...>{
          name, {devices...}};
    }
  }

 private:
  template <class... D, std::size_t... I>
  static constexpr bool is_applicable(std::index_sequence<I...>) {
    if constexpr (detail::ArgumentsAreAllThere<arity, sizeof...(D)>::value &&
                  (detail::ArgumentIsADevice<I, D>::value && ...)) {
      return (detail::ArgumentIsOfItsModuleType<I, std::tuple_element_t<I, std::tuple<M...>>,
                                                D>::value &&
              ...);
    } else {
      return false;
    }
  }
};

// Declares a functor. A class template is passed through an alias:
// `template <class... M> using ServerOf = http::Server<M...>;`.
template <template <class...> class F, class... M, class Connect>
constexpr Functor<F, Connect, Arrow<M...>> foreign(std::string_view name, Arrow<M...>, Connect) {
  return {name};
}

// The whole appliance: jobs that run side by side.
template <class... J>
struct App {
  std::tuple<J...> jobs;
};

namespace detail {

template <class... J>
inline constexpr bool all_differ = true;
template <class J, class... Rest>
inline constexpr bool all_differ<J, Rest...> =
    !(std::is_same_v<J, Rest> || ...) && all_differ<Rest...>;

template <class... J, std::size_t... I>
constexpr bool are_jobs(std::index_sequence<I...>) {
  return (ArgumentIsAJob<I, J>::value && ...);
}

}  // namespace detail

template <class... J>
constexpr auto jobs(J... job) {
  static_assert(sizeof...(J) > 0, "an appliance has at least one job");
  static_assert(detail::all_differ<J...>,
                "a job stands once: naming it twice gives one shared device, not two jobs");
  if constexpr (detail::are_jobs<J...>(std::index_sequence_for<J...>{})) return App<J...>{{job...}};
}

// Every device of an App once, each after what it is built from: a std::tuple of Impls.
namespace detail {

template <class List, class D>
struct Append;
template <class... L, class D>
struct Append<std::tuple<L...>, D> {
  using type =
      std::conditional_t<(std::is_same_v<L, D> || ...), std::tuple<L...>, std::tuple<L..., D>>;
};

template <class List, class... D>
struct Ordered {
  using type = List;
};
template <class List, class M, class T, class C, class... Below, class... Rest>
struct Ordered<List, Impl<M, T, C, Below...>, Rest...> {
  using AfterBelow = typename Ordered<List, Below...>::type;
  using AfterThis = typename Append<AfterBelow, Impl<M, T, C, Below...>>::type;
  using type = typename Ordered<AfterThis, Rest...>::type;
};

template <class A>
struct DeviceList;
template <class... J>
struct DeviceList<App<J...>> {
  using type = typename Ordered<std::tuple<>, J...>::type;
};

}  // namespace detail

template <class A>
using DevicesOf = typename detail::DeviceList<std::remove_cvref_t<A>>::type;

// Calls visit(device) for each device of `app` once, in that order. Constant expressions allowed.
template <class... J, class Visit>
constexpr void for_each_device(const App<J...>& app, Visit&& visit);

namespace detail {

template <class Seen, class D, class Visit>
constexpr auto visit_device(const D& device, Visit& visit);

template <class Seen, std::size_t I, class Tuple, class Visit>
constexpr auto visit_all(const Tuple& devices, Visit& visit) {
  if constexpr (I == std::tuple_size_v<Tuple>) {
    return std::type_identity<Seen>{};
  } else {
    auto seen = visit_device<Seen>(std::get<I>(devices), visit);
    return visit_all<typename decltype(seen)::type, I + 1>(devices, visit);
  }
}

template <class Seen, class D, class Visit>
constexpr auto visit_device(const D& device, Visit& visit) {
  auto below = visit_all<Seen, 0>(device.dependencies, visit);
  using Before = typename decltype(below)::type;
  using After = typename Append<Before, D>::type;
  if constexpr (!std::is_same_v<Before, After>) visit(device);
  return std::type_identity<After>{};
}

}  // namespace detail

template <class... J, class Visit>
constexpr void for_each_device(const App<J...>& app, Visit&& visit) {
  detail::visit_all<std::tuple<>, 0>(app.jobs, visit);
}

}  // namespace config
