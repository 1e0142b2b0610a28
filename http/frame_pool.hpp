// SPDX-License-Identifier: ISC
// http/frame_pool.hpp: coroutines that run while a connection is busy; their frames are reused.
//
// States:  FramePool, PooledTask.   Used by: http/server.hpp.   May include: base.
// Why:     what a coroutine holds across its waits is held by an idle connection too, if it has one
//          coroutine. With a second one for requests it holds little; and a frame from a pool costs
//          a request no allocation. An arena of each connection would have to hold both frames from
//          its accept on, idle or not. A frame is taken before anything of a request is answered,
//          so no answer ends half-way for want of one.

#pragma once

#include <coroutine>
#include <cstddef>
#include <new>
#include <optional>
#include <utility>

#include "base/task.hpp"

namespace http {

// Blocks of memory of one loop. They go back to the pool that they came from, which outlives them.
class FramePool {
 public:
  FramePool() noexcept = default;
  ~FramePool() {
    while (free_ != nullptr) ::operator delete(std::exchange(free_, free_->next));
  }
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  // Null: no memory. A pool is best asked for one size, that of its first block.
  [[nodiscard]] void* take(std::size_t bytes) noexcept {
    Block* block = nullptr;
    if (free_ != nullptr && free_->bytes >= bytes) {
      block = std::exchange(free_, free_->next);
      --free_count_;
    } else {
      void* memory = ::operator new(sizeof(Block) + bytes, std::nothrow);
      if (memory == nullptr) return nullptr;
      block = new (memory) Block{this, bytes, nullptr};
    }
    return block + 1;
  }
  static void give(void* memory) noexcept {
    Block* block = static_cast<Block*>(memory) - 1;
    FramePool& pool = *block->pool;
    if (pool.free_count_ >= kept_max) {
      ::operator delete(block);
      return;
    }
    block->next = std::exchange(pool.free_, block);
    ++pool.free_count_;
  }

  // Kept for reuse; more are freed, so that a burst does not hold its memory for ever.
  static constexpr std::size_t kept_max = 64;

 private:
  struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) Block {
    FramePool* pool;
    std::size_t bytes;
    Block* next;
  };
  Block* free_ = nullptr;
  std::size_t free_count_ = 0;
};

// As base::Task, for member functions of a class that has `FramePool& frames()`. Awaiting one that
// found no memory answers `T{}` at once.
template <class T>
class [[nodiscard]] PooledTask {
 public:
  struct promise_type : base::detail::PromiseBase {
    std::optional<T> value;

    template <class Owner, class... Arguments>
    static void* operator new(std::size_t bytes, Owner& owner, Arguments&...) noexcept {
      return owner.frames().take(bytes);
    }
    static void operator delete(void* frame) noexcept { FramePool::give(frame); }
    static PooledTask get_return_object_on_allocation_failure() noexcept { return PooledTask({}); }
    PooledTask get_return_object() noexcept { return PooledTask(Handle::from_promise(*this)); }
    void return_value(T result) { value.emplace(std::move(result)); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  PooledTask(const PooledTask&) = delete;
  PooledTask& operator=(const PooledTask&) = delete;
  ~PooledTask() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() noexcept {
    struct Awaiter {
      Handle handle;
      [[nodiscard]] bool await_ready() const noexcept { return !handle; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle.promise().awaiting = awaiting;
        return handle;
      }
      T await_resume() {
        if (!handle) return T{};
        promise_type& promise = handle.promise();
        if (promise.thrown) std::rethrow_exception(promise.thrown);
        return std::move(*promise.value);
      }
    };
    return Awaiter{handle_};
  }

 private:
  explicit PooledTask(Handle handle) noexcept : handle_(handle) {}
  Handle handle_;
};

}  // namespace http
