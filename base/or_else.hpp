// SPDX-License-Identifier: ISC
// base/or_else.hpp: a coroutine's answer, or another where there was no memory for its frame.
//
// States:  OrElse, attempt.
// Used by: what promises to throw nothing and is a coroutine inside.   May include: std, base.

#pragma once

#include <coroutine>
#include <new>
#include <optional>
#include <utility>

#include "base/task.hpp"

namespace base {

// Owned and awaited once, as the Task in it.
template <class T>
class [[nodiscard]] OrElse {
 public:
  explicit OrElse(Task<T> task) noexcept : task_(std::move(task)) {}
  explicit OrElse(T value) noexcept : value_(std::move(value)) {}

  auto operator co_await() noexcept {
    using Inner = decltype(task_->operator co_await());
    struct Awaiter {
      std::optional<Inner> inner;
      std::optional<T>& value;
      bool await_ready() const noexcept { return !inner || inner->await_ready(); }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
        return inner->await_suspend(waiting);
      }
      T await_resume() { return inner ? inner->await_resume() : std::move(*value); }
    };
    return task_ ? Awaiter{task_->operator co_await(), value_} : Awaiter{std::nullopt, value_};
  }

 private:
  std::optional<Task<T>> task_;
  std::optional<T> value_;
};

// What `make` gives, which is a Task; the answer is `otherwise` where its frame finds no memory.
template <class T, class Make>
OrElse<T> attempt(Make&& make, T otherwise) noexcept {
  try {
    return OrElse<T>(std::forward<Make>(make)());
  } catch (const std::bad_alloc&) {
    return OrElse<T>(std::move(otherwise));
  }
}

}  // namespace base
