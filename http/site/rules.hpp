// SPDX-License-Identifier: ISC
// http/site/rules.hpp: a plan with the bytes that it reads, as the requests of a server share it.
//
// Owns:    a copy of the value, unless the store keeps it in place.
// Swap:    a request holds the rules that it began with until it is done, so another plan may take
//          their place at any time.
// May include: base, http/site.

#pragma once

#include <cstring>
#include <memory>
#include <optional>

#include "http/site/plan.hpp"

namespace http::site {

class Rules {
 public:
  // Null: `bytes` are no whole plan. `lasting`: they stay where they are.
  [[nodiscard]] static std::shared_ptr<const Rules> open(base::Bytes bytes, bool lasting) {
    auto rules = std::make_shared<Rules>();
    std::optional<Plan> plan = lasting ? Plan::open(bytes) : std::nullopt;
    if (!plan) {
      rules->words_ = std::make_unique<std::uint64_t[]>(bytes.size() / 8 + 1);
      std::memcpy(rules->words_.get(), bytes.data(), bytes.size());
      plan = Plan::open({reinterpret_cast<const std::byte*>(rules->words_.get()), bytes.size()});
    }
    if (!plan) return nullptr;
    rules->plan_ = *plan;
    return rules;
  }

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }

 private:
  std::unique_ptr<std::uint64_t[]> words_;  // aligned as a plan is
  Plan plan_;
};

}  // namespace http::site
