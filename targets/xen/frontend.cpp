// SPDX-License-Identifier: ISC
#include "targets/xen/frontend.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "targets/xen/abi.hpp"

namespace xen_target {

namespace {

constexpr std::uint64_t backend_patience_ns = 30'000'000'000;
// As long as a backend may take to let go of the rings before they are left to it.
constexpr std::uint64_t let_go_patience_ns = 2'000'000'000;
constexpr std::uint64_t step_ns = 10'000'000;

}  // namespace

std::vector<std::string> Frontend::names(Xenstore& store, std::string_view folder) {
  auto names = store.list(folder);
  if (!names) return {};
  auto number = [](const std::string& name) {
    unsigned value = ~0U;
    std::from_chars(name.data(), name.data() + name.size(), value);
    return value;
  };
  std::ranges::sort(*names, {}, number);
  return std::move(*names);
}

void Frontend::begin() {
  backend_.clear();
  static_cast<void>(store_.watch(folder_, token_));
}

bool Frontend::find(const std::string& name) {
  path_ = folder_ + "/" + name;
  auto backend = store_.get(path_ + "/backend");
  if (!backend || backend->empty()) return false;
  domain_ = static_cast<Host::Domain>(store_.number(path_ + "/backend-id", 0));
  if (backend_ == *backend) return true;
  if (!backend_.empty()) static_cast<void>(store_.unwatch(backend_ + "/state", token_));
  backend_ = std::move(*backend);
  static_cast<void>(store_.watch(backend_ + "/state", token_));
  return true;
}

std::uint64_t Frontend::backend_state() { return backend_number("state", 0); }

std::uint64_t Frontend::backend_number(std::string_view key, std::uint64_t otherwise) {
  return backend_.empty() ? otherwise : store_.number(backend_ + "/" + std::string(key), otherwise);
}

void Frontend::wait() {
  host_.wait(store_.port(), host_.now_ns() + step_ns);
  store_.take_in();
}

void Frontend::wait_for_backend(std::uint64_t state, std::string_view what) {
  const std::uint64_t deadline = host_.now_ns() + backend_patience_ns;
  while (backend_state() != state) {
    if (host_.now_ns() >= deadline) {
      throw std::runtime_error("the backend of " + path_ + " " + std::string(what) + ": " +
                               backend_ + "/state is " + std::to_string(backend_state()));
    }
    wait();
  }
}

bool Frontend::put(std::string_view key, std::string_view value) {
  return store_.put(path_ + "/" + std::string(key), value).has_value();
}

void Frontend::say_state(unsigned state) {
  // Not into a folder that the toolstack has taken away: that would make it anew.
  if (!store_.get(path_ + "/backend")) return;
  static_cast<void>(put("state", std::to_string(state)));
}

void Frontend::disconnect(const std::function<bool()>& is_let_go,
                          const std::function<void()>& take_back, bool broken) {
  const std::uint64_t deadline = host_.now_ns() + let_go_patience_ns;
  const auto is_over = [&] { return is_let_go() || host_.now_ns() >= deadline; };
  const auto is_closing = [this] {
    const std::uint64_t state = backend_state();
    return state == 0 || state >= XenbusStateClosing;
  };
  // Linux's netback lets go when it closes, its blkback when we are closed.
  say_state(XenbusStateClosing);
  while (!is_over() && !is_closing()) wait();
  say_state(XenbusStateClosed);
  while (!is_over()) wait();
  take_back();
  if (backend_number("online", 0) != 0 && !broken) say_state(XenbusStateInitialising);
}

}  // namespace xen_target
