// SPDX-License-Identifier: ISC
// tests/config/toys.hpp: small modules and devices, to build graphs of.

#pragma once

#include <string>
#include <tuple>

#include "config/graph.hpp"
#include "config/key.hpp"

namespace toys {

using config::foreign;
using config::impl;
using config::Key;
using config::Typ;

// Everything that happens is a word in here.
struct Context {
  std::string log;
  unsigned fail_after = 100;  // connects before one throws
};

struct StoreModule {
  static constexpr std::string_view name = "store";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = requires(const T& t) {
    t.stored();
  };
};
struct WireModule {
  static constexpr std::string_view name = "wire";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = requires(const T& t) {
    t.wired();
  };
};
struct JobModule {
  static constexpr std::string_view name = "job";
  static constexpr bool is_job = true;
  template <class T>
  static constexpr bool holds = requires(T& t) {
    t.work();
  };
};
inline constexpr Typ<StoreModule> store;
inline constexpr Typ<WireModule> wire;
inline constexpr Typ<JobModule> job;

// Neither copied nor moved: a device is made where it stays.
class Noted {
 public:
  Noted(Context& context, std::string name) : context_(context), name_(std::move(name)) {
    if (context_.fail_after-- == 0) throw 1;
    context_.log += "+" + name_ + " ";
  }
  ~Noted() { context_.log += "-" + name_ + " "; }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  Context& context_;
  std::string name_;
};

struct Store : Noted {
  using Noted::Noted;
  [[nodiscard]] std::string stored() const { return name_; }
};
struct Wire : Noted {
  using Noted::Noted;
  [[nodiscard]] std::string wired() const { return name_; }
};
template <class Below>
struct Secure : Noted {
  Secure(Context& context, Below& wire_below) : Noted(context, "secure"), below(wire_below) {}
  [[nodiscard]] std::string wired() const { return "secure over " + below.wired(); }
  Below& below;
};
template <class S, class W>
struct Server : Noted {
  Server(Context& context, S& store_below, W& wire_below)
      : Noted(context, "server"), s(store_below), w(wire_below) {}
  void work() { context_.log += "[" + s.stored() + " on " + w.wired() + "] "; }
  S& s;
  W& w;
};

inline constexpr Key<std::uint16_t> port{
    .name = "port", .section = "WIRE", .doc = "The port", .fallback = 80};
inline constexpr Key<bool> quiet{.name = "quiet", .section = "SERVER", .doc = "Say \"nothing\""};
inline constexpr Key<std::uint16_t> threads{.name = "threads",
                                            .section = "TARGET",
                                            .doc = "Threads",
                                            .fallback = 1,
                                            .least = 1,
                                            .most = 64};

template <config::Text name>
struct ConnectStore {
  Store operator()(Context& context) const { return {context, std::string(name.view())}; }
};
struct ConnectWire {
  static constexpr std::tuple keys{&port};
  Wire operator()(Context& context) const { return {context, "wire"}; }
};
struct ConnectSecure {
  static constexpr std::tuple keys{&port};
  template <class Below>
  Secure<Below> operator()(Context& context, Below& below) const {
    return {context, below};
  }
};
struct ConnectServer {
  static constexpr std::tuple keys{&quiet, &port};
  template <class S, class W>
  Server<S, W> operator()(Context& context, S& s, W& w) const {
    return {context, s, w};
  }
};

template <config::Text name>
constexpr auto stored() {
  return impl<Store>(name.view(), store, ConnectStore<name>{});
}
inline constexpr auto site = stored<"site">();
inline constexpr auto docs = stored<"docs">();
inline constexpr auto cable = impl<Wire>("cable", wire, ConnectWire{});
template <class... M>
using SecureOf = Secure<M...>;
template <class... M>
using ServerOf = Server<M...>;
inline constexpr auto secure = foreign<SecureOf>("secure", wire >> wire, ConnectSecure{});
inline constexpr auto server = foreign<ServerOf>("server", store >> wire >> job, ConnectServer{});

}  // namespace toys
