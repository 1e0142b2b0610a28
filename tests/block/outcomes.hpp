// SPDX-License-Identifier: ISC
// tests/block/outcomes.hpp: every way in which a torn device can lose power, one after another.
//
// Used by: tests of block/torn, and of what is stored on it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace block {

// The answers to all questions of a run, counted through.
class Outcomes {
 public:
  std::uint64_t operator()(std::uint64_t count) {
    if (at_ == answers_.size()) answers_.push_back({0, count});
    return answers_[at_++].now;
  }
  // False: all combinations have been tried.
  bool next() {
    at_ = 0;
    while (!answers_.empty() && ++answers_.back().now == answers_.back().count) answers_.pop_back();
    return !answers_.empty();
  }

 private:
  struct Answer {
    std::uint64_t now, count;
  };
  std::vector<Answer> answers_;
  std::size_t at_ = 0;
};

}  // namespace block
