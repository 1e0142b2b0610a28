// SPDX-License-Identifier: ISC
// tests/config/memory_test.cpp: how an appliance's memory is divided.
//
// Method:  a table of totals and appliances; laws over many of both.
// Laws:    1. The shares together are at most the total.
//          2. More memory makes no count smaller, but for one that rounding costs.
//          3. Nothing is more than was wanted; what was asked for is given where two thirds do.

#include "config/memory.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using config::divide_memory;
using config::MemoryShares;
using config::MemoryUsers;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

constexpr MemoryUsers guest{.has_tls = true, .has_own_stack = true, .connections_wanted = 10'000};
constexpr MemoryUsers watched_guest{
    .has_tls = true, .has_own_stack = true, .has_management = true, .connections_wanted = 10'000};
constexpr MemoryUsers plain_guest{.has_own_stack = true, .connections_wanted = 10'000};
constexpr MemoryUsers process{.has_tls = true, .connections_wanted = 10'000};
constexpr MemoryUsers four_threads{
    .thread_count = 4, .has_tls = true, .connections_wanted = 10'000};

constexpr MemoryUsers http2_guest{
    .has_tls = true, .has_http2 = true, .has_own_stack = true, .connections_wanted = 10'000};

struct Row {
  std::uint64_t mebibytes;
  const MemoryUsers& users;
  std::size_t connections, requests_per_thread, handshakes_per_thread;
  std::uint64_t stack_kibibytes;
};
const Row table[] = {
    {8, guest, 267, 25, 28, 2604},
    {16, guest, 542, 50, 58, 5294},
    {40, guest, 1369, 126, 148, 13358},
    {128, guest, 4402, 592, 256, 42925},
    {1024, guest, 10000, 7823, 256, 426140},
    {16, http2_guest, 542, 37, 58, 5294},
    {1024, http2_guest, 10000, 5867, 256, 426140},
    {8, plain_guest, 1157, 72, 0, 2604},
    {16, plain_guest, 2352, 147, 0, 5292},
    {40, plain_guest, 5936, 371, 0, 13356},
    {128, plain_guest, 10000, 1381, 0, 49732},
    {1024, plain_guest, 10000, 10000, 0, 451140},
    {8, process, 267, 49, 57, 0},
    {16, process, 542, 100, 117, 0},
    {40, process, 1369, 286, 256, 0},
    {128, process, 4402, 1402, 256, 0},
    {1024, process, 10000, 10000, 256, 0},
    {8, four_threads, 241, 11, 13, 0},
    {16, four_threads, 516, 23, 28, 0},
    {40, four_threads, 1344, 69, 64, 0},
    {128, four_threads, 4376, 348, 64, 0},
    {1024, four_threads, 10000, 3962, 64, 0},
};

std::uint64_t sum_of(const MemoryShares& shares, const MemoryUsers& users) {
  const std::uint64_t threads = users.thread_count;
  const std::uint64_t tls_sending = users.has_tls ? config::tls_sending_bytes : 0;
  const std::uint64_t tls_connection = users.has_tls ? config::tls_connection_bytes : 0;
  return threads * config::thread_bytes +
         shares.connections_max * (config::plain_connection_bytes + tls_connection) +
         threads * shares.requests_per_thread * (config::request_bytes + tls_sending) +
         threads * shares.handshakes_per_thread * config::handshake_bytes +
         threads * shares.http2_bytes_per_thread + shares.stack_bytes + shares.management_bytes +
         shares.rest_bytes;
}

TEST(Memory, Table) {
  for (const Row& row : table) {
    const MemoryShares shares = divide_memory(row.mebibytes * mib, row.users);
    EXPECT_EQ(shares.connections_max, row.connections) << row.mebibytes;
    EXPECT_EQ(shares.requests_per_thread, row.requests_per_thread) << row.mebibytes;
    EXPECT_EQ(shares.handshakes_per_thread, row.handshakes_per_thread) << row.mebibytes;
    EXPECT_EQ(shares.stack_bytes / 1024, row.stack_kibibytes) << row.mebibytes;
  }
}

TEST(Memory, TheSharesAreAtMostTheTotalAndGrowWithIt) {
  std::vector<MemoryUsers> appliances{guest, watched_guest, plain_guest, process, four_threads};
  for (std::size_t wanted : {1, 100, 5000, 1'000'000}) {
    for (bool tls : {false, true}) {
      appliances.push_back({.has_tls = tls, .has_http2 = true, .connections_wanted = wanted});
      for (bool own : {false, true}) {
        appliances.push_back({.has_tls = tls,
                              .has_own_stack = own,
                              .connections_wanted = wanted,
                              .connections_are_asked_for = true});
      }
    }
  }
  for (const MemoryUsers& users : appliances) {
    MemoryShares before;
    for (std::uint64_t total = 4 * mib; total < 100 * 1024 * mib; total += total / 16) {
      const MemoryShares shares = divide_memory(total, users);
      EXPECT_LE(sum_of(shares, users), total);
      std::uint64_t named = users.thread_count * config::thread_bytes;
      for (const config::MemoryShare& share : config::shares_by_name(shares)) named += share.bytes;
      EXPECT_EQ(named, sum_of(shares, users));
      EXPECT_LE(shares.connections_max, users.connections_wanted);
      EXPECT_GE(shares.connections_max, before.connections_max);
      EXPECT_GE(shares.requests_per_thread + 1, before.requests_per_thread);
      EXPECT_GE(shares.handshakes_per_thread + 1, before.handshakes_per_thread);
      EXPECT_GE(shares.stack_bytes, before.stack_bytes);
      EXPECT_EQ(shares.handshakes_per_thread > 0, users.has_tls);
      EXPECT_GE(shares.http2_bytes_per_thread, before.http2_bytes_per_thread);
      EXPECT_EQ(shares.http2_bytes_per_thread > 0, users.has_http2);
      EXPECT_EQ(shares.stack_bytes > 0, users.has_own_stack);
      before = shares;
    }
  }
}

TEST(Memory, WhatWasAskedForIsGivenWhereTwoThirdsSuffice) {
  MemoryUsers users = guest;
  users.connections_wanted = 1000;
  users.connections_are_asked_for = true;
  EXPECT_EQ(divide_memory(12 * mib, users).connections_max, 1000U);
  EXPECT_LT(divide_memory(8 * mib, users).connections_max, 1000U);
  users.connections_are_asked_for = false;
  EXPECT_LT(divide_memory(12 * mib, users).connections_max, 1000U);
}

TEST(Memory, ItsText) {
  const MemoryShares shares{.total_bytes = 12 * mib + mib / 2,
                            .connections_max = 568,
                            .requests_per_thread = 20,
                            .handshakes_per_thread = 24,
                            .http2_bytes_per_thread = mib,
                            .stack_bytes = 4 * mib,
                            .rest_bytes = 0};
  EXPECT_EQ(config::memory_text(shares, 2),
            "memory: 12.5 MiB for 568 connections, 40 requests at once, 48 handshakes, 2.0 MiB "
            "of HTTP/2, 4.0 MiB on the network");
  EXPECT_EQ(
      config::memory_text({.total_bytes = mib, .connections_max = 9, .requests_per_thread = 4}, 1),
      "memory: 1.0 MiB for 9 connections, 4 requests at once");
}

}  // namespace
