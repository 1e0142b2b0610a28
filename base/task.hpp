// SPDX-License-Identifier: ISC
// base/task.hpp: a lazy coroutine, and an answer that is already there.
//
// States:  AwaitableOf, Ready, Task, run_now.
// Rules:   1. A Task starts when it is awaited (or spawned on a Loop), and once only.
//          2. A Task is owned by its awaiter; destroying one that has not finished destroys
//             its frame and all that the frame owns.
//          3. References passed to a coroutine must outlive its completion, not the call.
//          4. g++ 12 miscompiles capturing lambdas inside an awaited expression and structured
//             bindings of `co_await`: give arguments and results names.
//          5. An exception leaves a Task where it is awaited; the Loop logs one that leaves a
//             spawned Task and goes on.

#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.hpp"

namespace base {

namespace detail {
template <class A>
concept Awaiter = requires(A& awaiter) {
  { awaiter.await_ready() } -> std::convertible_to<bool>;
  awaiter.await_resume();
};

template <class A>
decltype(auto) awaiter_of(A&& awaitable) {
  if constexpr (requires { std::forward<A>(awaitable).operator co_await(); }) {
    return std::forward<A>(awaitable).operator co_await();
  } else {
    return std::forward<A>(awaitable);
  }
}
}  // namespace detail

// `co_await a` is an expression of type T.
template <class A, class T>
concept AwaitableOf = requires(A&& a) {
  { detail::awaiter_of(std::forward<A>(a)) } -> detail::Awaiter;
  { detail::awaiter_of(std::forward<A>(a)).await_resume() } -> std::convertible_to<T>;
};

// An answer that is already there: awaiting it costs no frame and never suspends. What is awaited
// is the answer in its place, not a copy: it may be large, and whoever is called with it has it
// until the end of the expression.
template <class T>
struct [[nodiscard]] Ready {
  T value;

  static constexpr bool await_ready() noexcept { return true; }
  static constexpr void await_suspend(std::coroutine_handle<>) noexcept {}
  constexpr T&& await_resume() noexcept { return std::move(value); }
};

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> awaiting = std::noop_coroutine();
  std::exception_ptr thrown;

  std::suspend_always initial_suspend() noexcept { return {}; }

  // Hands control straight to the awaiting coroutine, so that chains of any length use no stack.
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().awaiting;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() const {
    if (thrown) std::rethrow_exception(thrown);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() const noexcept { return handle.done(); }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().awaiting = awaiting;
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
    };
    CHECK(handle_);
    return Awaiter{handle_};
  }

 private:
  friend promise_type;
  template <class U>
  friend auto run_now(Task<U> task) -> U;
  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

// The answer of an awaitable that does not wait (tests and host tools): CHECKs that it did not.
template <class T>
T run_now(Ready<T> ready) {
  return std::move(ready.value);
}
template <class T>
auto run_now(Task<T> task) -> T {
  task.handle_.resume();
  CHECK(task.handle_.done());
  return task.handle_.promise().take();
}

}  // namespace base
