// SPDX-License-Identifier: ISC
// Laws 13 and 14 of kv::KvRw on kv/vault: power is lost during every operation of a device.
//
// Method: short histories lose power during each of their writes and flushes, and each outcome that
// block/torn allows is tried; then again while the vault mends itself. Long ones are drawn from
// seeds, which a failure prints.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "block/torn/torn.hpp"
#include "kv/vault/vault.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/block/outcomes.hpp"

namespace kv {
namespace {

using block::Torn;
using Values = std::map<std::string, std::string>;

struct Step {
  std::string key;
  std::optional<std::string> value;  // none: it is removed
};

void apply(const Step& step, Values& values) {
  if (step.value) {
    values[step.key] = *step.value;
  } else {
    values.erase(step.key);
  }
}

// One run of a machine with the device in it, until the power goes.
class Machine {
 public:
  explicit Machine(Torn& device) : vault_(device, loop_) {}

  std::string connect() {
    const auto connected = base::run_now(vault_.connect());
    return connected ? "" : connected.error();
  }
  ChangeResult<void> make(const Step& step) {
    if (!step.value) return base::run_now(vault_.remove(step.key));
    return base::run_now(vault_.set(step.key, base::bytes_of(*step.value)));
  }
  Values all() {
    Values values;
    const Result<std::vector<Entry>> entries = base::run_now(vault_.list(""));
    if (!entries) return {{"(no list)", ""}};
    for (const Entry& entry : *entries) {
      const auto value = base::run_now(vault_.get(entry.name, Encoding::identity));
      values[entry.name] = value ? std::string(base::text_of(Bytes(*value))) : "(unreadable)";
    }
    return values;
  }
  [[nodiscard]] std::uint64_t free_bytes() const { return vault_.free_bytes(); }

 private:
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  Vault<Torn> vault_;
};

// A device with a new vault, and what the steps that were answered left on it.
struct World {
  World(const block::Info& info, std::uint32_t cut_step) : device(info, cut_step) {
    EXPECT_TRUE(base::run_now(Vault<Torn>::format(device)).has_value());
  }
  // Makes `steps` until the power goes, or all are made. True: they all were.
  bool run(const std::vector<Step>& steps) {
    Machine machine(device);
    EXPECT_EQ(machine.connect(), "");
    for (const Step& step : steps) {
      const ChangeResult<void> result = machine.make(step);
      before = after;
      apply(step, after);
      if (!device.is_on()) {
        // It may have been answered before the old value was overwritten.
        if (result) before = after;
        return false;
      }
      EXPECT_TRUE(result.has_value());
    }
    before = after;
    return true;
  }
  Torn device;
  Values before, after;  // both are right
};

// What is wrong after the power came back; empty: nothing. Goes on from what it finds.
std::string fault_after(World& world, const Torn::Choose& outcomes) {
  world.device.power_on(outcomes);
  Machine machine(world.device);
  const std::string refusal = machine.connect();
  if (!refusal.empty()) return refusal;
  const Values found = machine.all();
  if (found != world.before && found != world.after) return "neither the old nor the new values";
  world.before = world.after = found;
  return "";
}

constexpr block::Info small{512, 128, false};

const std::vector<Step> histories[] = {
    {{"a", "first"}},
    {{"a", "first"}, {"a", "second"}},
    {{"a", "first"}, {"a", std::nullopt}},
    {{"a", "first"}, {"b", "other"}, {"a", ""}},
    {{"a", std::string(700, 'A')}, {"a", std::string(600, 'B')}},
    {{"a", "1"}, {"a", std::nullopt}, {"b", "2"}, {"b", "3"}},
};

// During each operation of each history, with each outcome.
TEST(VaultPower, IsLostAnywhereInShortHistories) {
  std::uint64_t tried = 0;
  for (const std::vector<Step>& steps : histories) {
    for (std::uint64_t operation = 0;; ++operation) {
      block::Outcomes outcomes;
      bool was_whole = false;
      do {
        World world(small, 128);
        world.device.lose_power_after(operation);
        was_whole = world.run(steps);
        if (was_whole) break;
        ASSERT_EQ(fault_after(world, std::ref(outcomes)), "") << "operation " << operation;
        ++tried;
        // What follows works, and survives.
        ASSERT_TRUE(world.run({{"c", "later"}, {"a", "again"}}));
        world.device.lose_power();
        ASSERT_EQ(fault_after(world, [](std::uint64_t) { return 0; }), "");
      } while (outcomes.next());
      if (was_whole) break;
    }
  }
  EXPECT_GT(tried, 500U) << "the histories have become shorter";
}

// The same, and then again during each operation with which the vault mends itself.
TEST(VaultPower, IsLostAgainDuringTheMending) {
  std::uint64_t tried = 0;
  const std::vector<Step> steps = {{"a", "first"}, {"a", "second"}};
  for (std::uint64_t operation = 0;; ++operation) {
    for (std::uint64_t second = 0;; ++second) {
      block::Outcomes outcomes;
      bool is_second_lost = false;
      bool was_whole = false;
      do {
        World world(small, 128);
        world.device.lose_power_after(operation);
        was_whole = world.run(steps);
        if (was_whole) break;
        world.device.power_on(std::ref(outcomes));
        // A sector that is torn once more may be torn elsewhere.
        world.device.lose_power_after(second);
        {
          Machine machine(world.device);
          ASSERT_EQ(machine.connect(), "");
          const Step step{"a", "third"};
          const Values found = machine.all();
          if (world.device.is_on()) {
            ASSERT_TRUE(found == world.before || found == world.after);
            world.before = world.after = found;
            const ChangeResult<void> result = machine.make(step);
            apply(step, world.after);
            if (result) world.before = world.after;
          }
        }
        is_second_lost = !world.device.is_on();
        world.device.lose_power();
        ASSERT_EQ(fault_after(world, std::ref(outcomes)), "") << operation << ", " << second;
        ++tried;
      } while (outcomes.next());
      if (was_whole || !is_second_lost) break;
    }
    World world(small, 256);
    world.device.lose_power_after(operation);
    if (world.run(steps)) break;
  }
  EXPECT_GT(tried, 1500U);
}

// A write or a flush fails, the machine is started anew while the power stays on, and then the
// power goes during any operation. What the failed flush should have brought is read, and is not
// on the medium.
TEST(VaultPower, IsLostAfterAFailureAndAStart) {
  std::uint64_t tried = 0;
  const std::vector<Step> steps = {{"a", "first"}, {"a", "second"}};
  for (std::uint64_t failing = 0; failing < 16; ++failing) {
    for (std::uint64_t operation = 0;; ++operation) {
      block::Outcomes outcomes;
      bool is_lost = false;
      do {
        World world(small, 64);
        world.device.fail_after(failing);
        {
          Machine machine(world.device);
          ASSERT_EQ(machine.connect(), "");
          for (const Step& step : steps) {
            world.before = machine.all();
            world.after = world.before;
            apply(step, world.after);
            const ChangeResult<void> result = machine.make(step);
            if (!result) break;
            world.before = world.after;
          }
        }
        world.device.lose_power_after(operation);
        {
          Machine machine(world.device);
          const std::string refusal = machine.connect();
          const Values found = machine.all();
          if (world.device.is_on()) {
            ASSERT_EQ(refusal, "") << failing;
            ASSERT_TRUE(found == world.before || found == world.after) << failing;
            world.before = world.after = found;
            const Step step{"a", "third"};
            const ChangeResult<void> result = machine.make(step);
            apply(step, world.after);
            if (result) world.before = world.after;
          }
        }
        is_lost = !world.device.is_on();
        world.device.lose_power();
        ASSERT_EQ(fault_after(world, std::ref(outcomes)), "") << failing << ", " << operation;
        ++tried;
      } while (outcomes.next());
      if (!is_lost) break;
    }
  }
  EXPECT_GT(tried, 1000U);
}

std::string text_of(std::mt19937_64& random, std::size_t size_max) {
  std::string text(random() % (size_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

Step step_of(std::mt19937_64& random, const Values& values, std::size_t size_max) {
  const std::string key = "key" + std::to_string(random() % 7);
  if (values.contains(key) && random() % 4 == 0) return {key, std::nullopt};
  return {key, text_of(random, size_max)};
}

// Changes until a power cut that is drawn, and that a dozen times.
std::string fault_of_history(std::uint64_t seed, const block::Info& info, std::size_t size_max) {
  std::mt19937_64 random(seed);
  World world(info, 64);
  const auto draw = [&random](std::uint64_t count) { return random() % count; };
  for (int life = 0; life < 6; ++life) {
    world.device.lose_power_after(random() % 40);
    Machine machine(world.device);
    if (const std::string refusal = machine.connect(); !refusal.empty()) return refusal;
    while (world.device.is_on()) {
      const Step step = step_of(random, world.after, size_max);
      const Values old = world.after;
      const ChangeResult<void> result = machine.make(step);
      if (!result && result.error() == ChangeError::full) {
        if (machine.all() != old) return "full, and something changed";
        const Step room{old.begin()->first, std::nullopt};
        const ChangeResult<void> made = machine.make(room);
        apply(room, world.after);
        if (made) world.before = world.after;
        continue;
      }
      apply(step, world.after);
      if (result) world.before = world.after;
      if (!result && world.device.is_on()) return "a change fails";
    }
    if (std::string fault = fault_after(world, draw); !fault.empty()) return fault;
  }
  return "";
}

TEST(VaultPower, IsLostAnywhereInLongHistories) {
  constexpr block::Info large_sectors{4096, 16, false};
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    ASSERT_EQ(fault_of_history(seed, small, 9000), "") << "seed " << seed;
    if (seed % 4 != 0) continue;
    ASSERT_EQ(fault_of_history(seed, large_sectors, 5000), "") << "seed " << seed << ", 4 KiB";
  }
}

// Power that is lost while a device is formatted leaves a new vault, or none: never another one.
TEST(VaultPower, IsLostDuringTheFormatting) {
  for (std::uint64_t operation = 0; operation < 4; ++operation) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      std::mt19937_64 random(seed);
      World world(small, 64);
      ASSERT_TRUE(world.run({{"a", "old"}, {"b", "old"}}));
      world.device.lose_power_after(operation);
      EXPECT_FALSE(base::run_now(Vault<Torn>::format(world.device)).has_value());
      world.device.power_on([&](std::uint64_t count) { return random() % count; });
      Machine machine(world.device);
      const std::string refusal = machine.connect();
      if (!refusal.empty()) continue;
      const Values found = machine.all();
      EXPECT_TRUE(found.empty() || found == world.after) << operation << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace kv
