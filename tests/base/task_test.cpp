// SPDX-License-Identifier: ISC
// tests/base/task_test.cpp: the rules of Task and Ready.
//
// Method: each rule of base/task.hpp is one test; frames are counted by a value that each one owns.

#include "base/task.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace {

using base::Task;

static_assert(base::AwaitableOf<Task<int>, int>);
static_assert(base::AwaitableOf<base::Ready<std::string>, std::string>);
static_assert(!base::AwaitableOf<Task<int>, std::string>);
static_assert(!base::AwaitableOf<int, int>);

struct Counted {
  explicit Counted(int& count) : alive(&count) { ++*alive; }
  Counted(const Counted& other) : alive(other.alive) { ++*alive; }
  ~Counted() { --*alive; }
  int* alive;
};

Task<int> number(int n) { co_return n; }
Task<int> sum_of(int n) {
  int total = 0;
  for (int i = 1; i <= n; ++i) {
    Task<int> next = number(i);
    int value = co_await next;
    total += value;
  }
  co_return total;
}
Task<int> deep(int n) {
  if (n == 0) co_return 0;
  Task<int> below = deep(n - 1);
  int value = co_await below;
  co_return value + 1;
}
Task<> owns(Counted) { co_return; }
Task<int> throws() {
  throw std::runtime_error("no");
  co_return 1;
}
Task<std::string> catches() {
  try {
    Task<int> task = throws();
    co_await task;
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing";
}

TEST(Task, AnswersWhatItReturns) { EXPECT_EQ(base::run_now(sum_of(100)), 5050); }

TEST(Task, AChainOfAnyLengthUsesNoStack) { EXPECT_EQ(base::run_now(deep(100'000)), 100'000); }

TEST(Task, FreesItsFrameWhetherItRanOrNot) {
  int alive = 0;
  {
    Task<> never_run = owns(Counted(alive));
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
  base::run_now(owns(Counted(alive)));
  EXPECT_EQ(alive, 0);
}

TEST(Task, AnExceptionLeavesWhereItIsAwaited) { EXPECT_EQ(base::run_now(catches()), "no"); }

TEST(Ready, IsThere) { EXPECT_EQ(base::run_now(base::Ready<int>{7}), 7); }

}  // namespace
