// SPDX-License-Identifier: ISC
// tests/http/conformance_test.cpp: the conformance table, in memory.
//
// Method:  every row whole, cut in two at every byte, and byte by byte; over a store that never
//          waits and one that always does; every row that stays open in front of and behind others
//          in one write. All must give the same answer, to the byte.

#include <gtest/gtest.h>

#include "tests/http/conformance.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using http_test::Etags;
using http_test::Row;

template <class World>
class MemoryPeer final : public http_test::Peer {
 public:
  explicit MemoryPeer(World& world) : world_(world), wire_(world.dial()) {}
  ~MemoryPeer() override {
    wire_->end();
    world_.settle();
  }
  void send(std::string_view bytes) override {
    wire_->push(bytes);
    world_.settle();
  }
  bool receive(std::string& into) override {
    std::string more = wire_->take();
    into += more;
    world_.settle();
    return !more.empty();
  }
  bool is_ended() override { return wire_->is_ended() && !wire_->is_reset(); }

 private:
  World& world_;
  std::shared_ptr<net::MemoryWire> wire_;
};

template <class Store>
class Conformance : public ::testing::Test {
 protected:
  using World = http_test::World<Store>;
  auto make_peer() {
    return [this] { return std::make_unique<MemoryPeer<World>>(world); };
  }
  World world;
  Etags etags = http_test::collect_etags(make_peer());
  std::vector<Row> table = http_test::conformance_table();
};
using Stores = ::testing::Types<http_test::ScriptedStore, http_test::WaitingStore>;
TYPED_TEST_SUITE(Conformance, Stores);

TYPED_TEST(Conformance, Whole) {
  for (const Row& row : this->table) {
    EXPECT_EQ(http_test::run_row(row, this->etags, this->make_peer(), {}), "") << row.name;
  }
}

TYPED_TEST(Conformance, CutAnywhereTheAnswerIsTheSame) {
  for (const Row& row : this->table) {
    std::string whole, cut;
    std::size_t size = http_test::with_etags(row.request, this->etags).size();
    if (size > 2000) continue;  // CutInPieces
    ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), {}, &whole), "") << row.name;
    std::vector<std::size_t> everywhere;
    for (std::size_t at = 1; at < size; ++at) {
      everywhere.push_back(at);
      ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), {at}, &cut), "")
          << row.name << ", cut at " << at;
      ASSERT_EQ(cut, whole) << row.name << ", cut at " << at;
    }
    ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), everywhere, &cut), "")
        << row.name << ", byte by byte";
    ASSERT_EQ(cut, whole) << row.name << ", byte by byte";
  }
}

TYPED_TEST(Conformance, CutInPieces) {
  for (const Row& row : this->table) {
    std::string whole, cut;
    ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), {}, &whole), "") << row.name;
    for (std::size_t step : {997U, 4096U, 8191U}) {
      std::vector<std::size_t> cuts;
      for (std::size_t at = step; at < row.request.size(); at += step) cuts.push_back(at);
      ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), cuts, &cut), "")
          << row.name << ", in pieces of " << step;
      ASSERT_EQ(cut, whole) << row.name << ", in pieces of " << step;
    }
  }
}

// Two requests in one write: the first as ever, then the second, or the end.
TYPED_TEST(Conformance, PipelinedPairs) {
  std::vector<std::string> alone;
  for (const Row& row : this->table) {
    alone.emplace_back();
    ASSERT_EQ(http_test::run_row(row, this->etags, this->make_peer(), {}, &alone.back()), "")
        << row.name;
  }
  for (std::size_t i = 0; i < this->table.size(); ++i) {
    const Row& first = this->table[i];
    if (!first.stays_open) continue;
    for (std::size_t j = i % 7; j < this->table.size(); j += 7) {
      const Row& second = this->table[j];
      auto peer = this->make_peer()();
      peer->send(http_test::with_etags(first.request + second.request, this->etags));
      std::string bytes, why;
      auto one = http_test::next_answer(*peer, bytes, first.is_head(), why);
      ASSERT_TRUE(one) << first.name << ": " << why;
      EXPECT_EQ(http_test::fault_of(first, *one, this->etags), "") << first.name;
      auto two = http_test::next_answer(*peer, bytes, second.is_head(), why);
      ASSERT_TRUE(two) << first.name << ", " << second.name << ": " << why;
      EXPECT_EQ(http_test::fault_of(second, *two, this->etags), "")
          << second.name << " after " << first.name;
      EXPECT_EQ(bytes, "");
      if (!second.stays_open) {
        EXPECT_TRUE(peer->is_ended()) << second.name;
      }
    }
  }
}

}  // namespace
