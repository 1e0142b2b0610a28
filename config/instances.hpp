// SPDX-License-Identifier: ISC
// config/instances.hpp: an App's devices at run time: connected in order, disconnected in
// reverse.
//
// Owns:    every device of the graph, each once, in place (a device need not be movable).
// Errors:  a connect throws StartError; what was connected before is then disconnected in reverse.

#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "config/graph.hpp"

namespace config {

// Why an appliance could not start: a sentence for its operator.
class StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

// Holds the devices of a list; each stands after those that it is built from, so that members'
// order of construction and destruction is the order of connection and disconnection.
template <class List, class Context>
class Chain;

template <class Context>
class Chain<std::tuple<>, Context> {
 public:
  explicit Chain(Context&) {}
};

// Peels the last device off a list.
template <class Done, class... D>
struct Split;
template <class... Done, class Last>
struct Split<std::tuple<Done...>, Last> {
  using Before = std::tuple<Done...>;
  using Device = Last;
};
template <class... Done, class First, class Second, class... Rest>
struct Split<std::tuple<Done...>, First, Second, Rest...>
    : Split<std::tuple<Done..., First>, Second, Rest...> {};

template <class... D, class Context>
class Chain<std::tuple<D...>, Context> {
  using Parts = Split<std::tuple<>, D...>;
  using Device = typename Parts::Device;

 public:
  explicit Chain(Context& context)
      : before_(context), here_(connect(context, static_cast<const Device*>(nullptr))) {}

  template <class Wanted>
  typename Wanted::Type& get() {
    if constexpr (std::is_same_v<Wanted, Device>) {
      return here_;
    } else {
      return before_.template get<Wanted>();
    }
  }

 private:
  template <class M, class T, class Connect, class... Below>
  T connect(Context& context, const Impl<M, T, Connect, Below...>*) {
    return Connect{}(context, before_.template get<Below>()...);
  }

  Chain<typename Parts::Before, Context> before_;
  typename Device::Type here_;
};

}  // namespace detail

template <class A, class Context>
class Instances;

template <class... J, class Context>
class Instances<App<J...>, Context> {
 public:
  // Connects everything. `context` is handed to every connect and must outlive this.
  explicit Instances(Context& context) : chain_(context) {}

  template <Device D>
  typename D::Type& get() {
    return chain_.template get<D>();
  }

  // Calls visit(job) for each job, in the order of `jobs(...)`.
  template <class Visit>
  void for_each_job(Visit&& visit) {
    (visit(chain_.template get<J>()), ...);
  }

 private:
  detail::Chain<DevicesOf<App<J...>>, Context> chain_;
};

}  // namespace config
