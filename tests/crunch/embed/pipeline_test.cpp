// SPDX-License-Identifier: ISC
// Many things made at once: their order, their number, and what is thrown.
#include "crunch/embed/pipeline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

namespace {

using crunch::embed::Pipeline;

Pipeline<std::size_t>& prepared(Pipeline<std::size_t>& pipeline, std::size_t count,
                                std::size_t threads, std::vector<std::size_t>& taken) {
  pipeline.count = count;
  pipeline.threads = threads;
  pipeline.weight_max = 100;
  pipeline.weigh = [](std::size_t i) { return i % 30; };
  pipeline.make_worker = [] { return [](std::size_t i) { return i * i; }; };
  pipeline.take = [&taken](std::size_t i, std::size_t made) {
    EXPECT_EQ(made, i * i);
    taken.push_back(i);
  };
  pipeline.while_waiting = [] {};
  return pipeline;
}

TEST(Pipeline, TakesEverythingInOrder) {
  for (std::size_t threads : {1U, 2U, 7U}) {
    for (std::size_t count : {0U, 1U, 2U, 5000U}) {
      std::vector<std::size_t> taken;
      Pipeline<std::size_t> pipeline;
      prepared(pipeline, count, threads, taken).run();
      ASSERT_EQ(taken.size(), count);
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(taken[i], i);
    }
  }
}

// What is in flight is bounded by weight; but one thing may weigh more than the bound.
TEST(Pipeline, BoundsWhatIsInFlight) {
  std::vector<std::size_t> taken;
  std::atomic<std::uint64_t> weight = 0;
  std::atomic<std::uint64_t> heaviest = 0;
  Pipeline<std::size_t> pipeline;
  prepared(pipeline, 300, 4, taken);
  pipeline.weigh = [](std::size_t i) { return i == 50 ? 1000U : 40U; };
  pipeline.make_worker = [&] {
    return [&](std::size_t i) {
      std::uint64_t now = weight += i == 50 ? 1000U : 40U;
      if (i != 50 && now < 1000 && now > heaviest) heaviest = now;
      return i * i;
    };
  };
  pipeline.take = [&](std::size_t i, std::size_t) { weight -= i == 50 ? 1000U : 40U; };
  pipeline.run();
  EXPECT_LE(heaviest, 100U);
}

TEST(Pipeline, ThrowsTheFirstInOrder) {
  for (std::size_t threads : {1U, 4U}) {
    std::vector<std::size_t> taken;
    Pipeline<std::size_t> pipeline;
    prepared(pipeline, 1000, threads, taken);
    pipeline.make_worker = [] {
      return [](std::size_t i) -> std::size_t {
        if (i >= 200) throw std::runtime_error(std::to_string(i));
        return i * i;
      };
    };
    try {
      pipeline.run();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "200");
    }
    EXPECT_EQ(taken.size(), 200U);
  }
}

TEST(Pipeline, EndsWhenTakingOrWaitingThrows) {
  std::vector<std::size_t> taken;
  Pipeline<std::size_t> pipeline;
  prepared(pipeline, 1000, 3, taken);
  pipeline.take = [](std::size_t i, std::size_t) {
    if (i == 10) throw std::runtime_error("disk full");
  };
  EXPECT_THROW(pipeline.run(), std::runtime_error);

  Pipeline<std::size_t> waiting;
  prepared(waiting, 10, 1, taken);
  std::atomic<bool> is_released = false;
  waiting.make_worker = [&] {
    return [&](std::size_t i) {
      while (!is_released) std::this_thread::yield();
      return i;
    };
  };
  waiting.while_waiting = [&] {
    is_released = true;
    throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(waiting.run(), std::runtime_error);
}

}  // namespace
