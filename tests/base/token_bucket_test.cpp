// SPDX-License-Identifier: ISC
// tests/base/token_bucket_test.cpp: base::TokenBucket.

#include "base/token_bucket.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using base::TokenBucket;

int all_of(TokenBucket& bucket, base::Instant now) {
  int taken = 0;
  while (taken < 100 && bucket.take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, GivesSomeAtOnceAndThenOneInEachInterval) {
  const base::Instant start{1h};
  TokenBucket bucket(5, 100ms);
  EXPECT_EQ(all_of(bucket, start), 5);
  EXPECT_EQ(all_of(bucket, start + 99ms), 0);
  EXPECT_EQ(all_of(bucket, start + 100ms), 1);
  EXPECT_EQ(all_of(bucket, start + 350ms), 2);
  EXPECT_EQ(all_of(bucket, start + 1h), 5);
}

TEST(TokenBucket, TakesBackNoMoreThanItHolds) {
  const base::Instant start{1h};
  TokenBucket bucket(5, 100ms);
  bucket.put_back(50);
  EXPECT_EQ(all_of(bucket, start), 5);
  bucket.put_back(2);
  EXPECT_EQ(all_of(bucket, start), 2);
  bucket.put_back(50);
  EXPECT_EQ(all_of(bucket, start), 5);
}

}  // namespace
