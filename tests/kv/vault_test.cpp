// SPDX-License-Identifier: ISC
// kv/vault: what is refused and with which sentence, a device that fails, a device that is full,
// what a change leaves on it, and changes that are abandoned.

#include "kv/vault/vault.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "block/memory/memory.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/kv/rw_stores.hpp"

namespace kv {
namespace {

constexpr block::Info small{512, 128, false};

class VaultTest : public ::testing::Test {
 protected:
  template <class D>
  std::string connect(Vault<D>& vault) {
    const auto connected = answer(loop_, vault.connect());
    return connected ? "" : connected.error();
  }
  std::string refusal_of(block::Memory& device) {
    const std::vector<std::byte> before = device.bytes();
    Vault<block::Memory> vault(device, loop_);
    std::string refusal = connect(vault);
    if (!refusal.empty()) {
      EXPECT_EQ(device.bytes(), before) << refusal;
      EXPECT_EQ(vault.exists("").value.error(), Error::unavailable);
      EXPECT_EQ(set(vault, "a", "1"), ChangeError::unavailable);
      EXPECT_EQ(get(vault, "a"), "(unavailable)");
    }
    return refusal;
  }
  static void format(block::Memory& device) {
    EXPECT_TRUE(base::run_now(Vault<block::Memory>::format(device)).has_value());
  }
  // A new vault with a = 1, b = 22.
  static block::Memory filled(base::Loop& loop, const block::Info& info = small) {
    block::Memory device(info);
    format(device);
    Vault<block::Memory> vault(device, loop);
    EXPECT_TRUE(base::run_now(vault.connect()).has_value());
    EXPECT_TRUE(base::run_now(vault.set("a", base::bytes_of("1"))).has_value());
    EXPECT_TRUE(base::run_now(vault.set("b", base::bytes_of("22"))).has_value());
    return device;
  }
  template <class V>
  std::optional<ChangeError> set(V& vault, Key key, std::string_view value) {
    const auto result = answer(loop_, vault.set(key, base::bytes_of(value)));
    return result ? std::nullopt : std::optional(result.error());
  }
  template <class V>
  std::string get(V& vault, Key key) {
    const auto value = answer(loop_, vault.get(key, Encoding::identity));
    if (value) return std::string(base::text_of(Bytes(*value)));
    return value.error() == Error::unavailable ? "(unavailable)" : "(not there)";
  }
  static bool holds(block::Memory& device, std::string_view text) {
    return base::text_of(device.bytes()).find(text) != std::string_view::npos;
  }

  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
};

void expect_has(const std::string& sentence, std::string_view part) {
  EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
}

TEST_F(VaultTest, RefusesWhatIsNone) {
  block::Memory empty(small);
  expect_has(refusal_of(empty), "is empty and no vault yet: crunch disk format");
  block::Memory foreign(small);
  foreign.bytes()[3] = std::byte{1};
  expect_has(refusal_of(foreign), "something that is no vault");
  block::Memory in_second_slot(small);
  in_second_slot.bytes()[20'000] = std::byte{1};
  expect_has(refusal_of(in_second_slot), "something that is no vault");
  block::Memory tiny({512, 127, false});
  expect_has(refusal_of(tiny), "at least 64 KiB");
  block::Memory large_sectors({8192, 128, false});
  expect_has(refusal_of(large_sectors), "at most 4096");
  EXPECT_FALSE(base::run_now(Vault<block::Memory>::format(tiny)).has_value());
  EXPECT_FALSE(base::run_now(Vault<block::Memory>::format(large_sectors)).has_value());
  EXPECT_EQ(tiny.bytes(), std::vector<std::byte>(tiny.bytes().size()));
}

TEST_F(VaultTest, RefusesAnotherVersion) {
  block::Memory device = filled(loop_);
  for (const std::size_t slot : {0U, 16'384U}) device.bytes()[slot + 14] = std::byte{'2'};
  expect_has(refusal_of(device), "another version of crunch");
}

TEST_F(VaultTest, RefusesADeviceThatWasCut) {
  const block::Memory whole = filled(loop_, {512, 256, false});
  std::vector<std::byte> bytes = block::Memory(whole).bytes();
  bytes.resize(std::size_t{200} * 512);
  block::Memory cut({512, 200, false}, std::move(bytes));
  expect_has(refusal_of(cut), "larger disk");
  block::Memory other = filled(loop_);
  block::Memory with_large_sectors({4096, 16, false}, std::move(other.bytes()));
  expect_has(refusal_of(with_large_sectors), "smaller sectors");
}

TEST_F(VaultTest, WorksOnADeviceThatBecameLarger) {
  block::Memory device = filled(loop_);
  std::vector<std::byte> bytes = device.bytes();
  bytes.resize(std::size_t{4096} * 512);
  block::Memory larger({512, 4096, false}, std::move(bytes));
  Vault<block::Memory> vault(larger, loop_);
  EXPECT_EQ(connect(vault), "");
  EXPECT_EQ(get(vault, "b"), "22");
}

// Every byte of a copy of the index that counts, changed: the other copy is used, and mends it.
TEST_F(VaultTest, UsesTheCopyThatIsWhole) {
  for (const std::size_t slot : {0U, 16'384U}) {
    for (std::size_t at = 0; at < 80 + 2 * 57; ++at) {
      block::Memory device = filled(loop_);
      device.bytes()[slot + at] ^= std::byte{0x10};
      Vault<block::Memory> vault(device, loop_);
      ASSERT_EQ(connect(vault), "") << slot << " + " << at;
      EXPECT_FALSE(vault.had_both_copies());
      ASSERT_EQ(get(vault, "a") + get(vault, "b"), "122");
      Vault<block::Memory> later(device, loop_);
      ASSERT_EQ(connect(later), "");
      EXPECT_TRUE(later.had_both_copies());
    }
  }
}

TEST_F(VaultTest, RefusesWhereBothCopiesAreDamaged) {
  block::Memory device = filled(loop_);
  device.bytes()[40] ^= std::byte{1};
  device.bytes()[16'384 + 100] ^= std::byte{1};
  expect_has(refusal_of(device), "damaged vault: neither copy");
}

TEST_F(VaultTest, AValueThatIsDamagedIsUnavailable) {
  block::Memory device = filled(loop_);
  const std::size_t at = base::text_of(device.bytes()).find("22", 32'768);
  ASSERT_NE(at, std::string_view::npos);
  device.bytes()[at] ^= std::byte{1};
  Vault<block::Memory> vault(device, loop_);
  EXPECT_EQ(connect(vault), "");
  EXPECT_EQ(get(vault, "b"), "(unavailable)");
  EXPECT_EQ(get(vault, "a"), "1");
  EXPECT_EQ(set(vault, "b", "mended"), std::nullopt);
  EXPECT_EQ(get(vault, "b"), "mended");
}

TEST_F(VaultTest, FullIsAnErrorAndTheOldValueStays) {
  block::Memory device(small);
  format(device);
  Vault<block::Memory> vault(device, loop_);
  EXPECT_EQ(connect(vault), "");
  EXPECT_EQ(vault.free_bytes(), 32'768U);
  const std::string half(20'000, 'h');
  EXPECT_EQ(set(vault, "a", half), std::nullopt);
  EXPECT_EQ(set(vault, "a", half + "2"), ChangeError::full) << "both must fit";
  EXPECT_EQ(get(vault, "a"), half);
  EXPECT_EQ(set(vault, "b", std::string(12'800, 'b')), ChangeError::full);
  EXPECT_EQ(set(vault, "b", std::string(12'288, 'b')), std::nullopt) << "to the last byte";
  EXPECT_EQ(vault.free_bytes(), 0U);
  EXPECT_EQ(set(vault, "empty", ""), std::nullopt) << "which takes no unit";
  EXPECT_EQ(answer(loop_, vault.remove("a")).has_value(), true);
  EXPECT_EQ(set(vault, "a", half), std::nullopt);
}

TEST_F(VaultTest, TheIndexHasAnEndToo) {
  block::Memory device({512, 4096, false});
  format(device);
  Vault<block::Memory> vault(device, loop_);
  EXPECT_EQ(connect(vault), "");
  std::optional<ChangeError> error;
  int count = 0;
  while (!error && count < 1000) {
    error = set(vault, "certificates/of-a-host/" + std::to_string(count), "x");
    if (!error) ++count;
  }
  EXPECT_EQ(error, ChangeError::full);
  EXPECT_GT(count, 150);
  const std::uint64_t free_bytes = vault.free_bytes();
  EXPECT_EQ(set(vault, "certificates/one-more", "x"), ChangeError::full);
  EXPECT_EQ(vault.free_bytes(), free_bytes) << "units leak";
  Vault<block::Memory> later(device, loop_);
  EXPECT_EQ(connect(later), "");
  EXPECT_EQ(get(later, "certificates/of-a-host/" + std::to_string(count - 1)), "x");
}

TEST_F(VaultTest, ValuesAreSpreadOverFreeUnits) {
  block::Memory device(small);
  format(device);
  Vault<block::Memory> vault(device, loop_);
  EXPECT_EQ(connect(vault), "");
  for (int i = 0; i < 64; ++i) EXPECT_EQ(set(vault, "k" + std::to_string(i), "x"), std::nullopt);
  for (int i = 0; i < 64; i += 2) {
    EXPECT_TRUE(answer(loop_, vault.remove("k" + std::to_string(i))).has_value());
  }
  const std::string value(32 * 512, 'v');
  EXPECT_EQ(set(vault, "in-pieces", value), std::nullopt);
  Vault<block::Memory> later(device, loop_);
  EXPECT_EQ(connect(later), "");
  EXPECT_EQ(get(later, "in-pieces"), value);
  EXPECT_EQ(get(later, "k1"), "x");
}

TEST_F(VaultTest, OldSecretsAreOverwritten) {
  block::Memory device(small);
  format(device);
  Vault<block::Memory> vault(device, loop_);
  EXPECT_EQ(connect(vault), "");
  EXPECT_EQ(set(vault, "key", "THE FIRST SECRET"), std::nullopt);
  EXPECT_TRUE(holds(device, "THE FIRST SECRET"));
  EXPECT_EQ(set(vault, "key", "THE SECOND SECRET"), std::nullopt);
  EXPECT_FALSE(holds(device, "THE FIRST SECRET"));
  EXPECT_TRUE(answer(loop_, vault.remove("key")).has_value());
  EXPECT_FALSE(holds(device, "THE SECOND SECRET"));
}

TEST_F(VaultTest, ADeviceThatTakesNoWritesIsRead) {
  block::Memory device = filled(loop_);
  block::Memory fixed({512, 128, true}, device.bytes());
  Vault<block::Memory> vault(fixed, loop_);
  EXPECT_EQ(connect(vault), "");
  EXPECT_EQ(get(vault, "b"), "22");
  EXPECT_EQ(set(vault, "b", "3"), ChangeError::unavailable);
  EXPECT_EQ(get(vault, "b"), "22");
}

// Fails the write or flush that is `left` after the next, and then works again.
class FailsOnce {
 public:
  FailsOnce(block::Memory& device, int left) : device_(device), left_(left) {}
  [[nodiscard]] block::Info info() const { return device_.info(); }
  auto read(std::uint64_t sector, base::MutableBytes to) { return device_.read(sector, to); }
  base::Ready<block::Result<void>> write(std::uint64_t sector, Bytes from) {
    if (left_-- == 0) {
      // Law 4: half of it may be there.
      const std::size_t half = from.size() / 1024 * 512;
      static_cast<void>(device_.write(sector, from.first(half)));
      return {base::failure(block::Error::unavailable)};
    }
    return device_.write(sector, from);
  }
  base::Ready<block::Result<void>> flush() {
    if (left_-- == 0) return {base::failure(block::Error::unavailable)};
    return {{}};
  }
  [[nodiscard]] bool has_failed() const { return left_ < 0; }

 private:
  block::Memory& device_;
  int left_;
};
static_assert(block::BlockDevice<FailsOnce>);

TEST_F(VaultTest, LosesNothingWhenTheDeviceFails) {
  const std::string large(3000, 'L');
  bool was_reached = true;
  for (int operation = 0; was_reached; ++operation) {
    block::Memory device = filled(loop_);
    FailsOnce failing(device, operation);
    std::string expected = "1";
    {
      Vault<FailsOnce> vault(failing, loop_);
      ASSERT_EQ(connect(vault), "");
      for (const std::string& value : {large, std::string("two")}) {
        const auto error = set(vault, "a", value);
        if (!error) expected = value;
        ASSERT_EQ(get(vault, "a"), expected) << operation;
        ASSERT_EQ(get(vault, "b"), "22");
      }
      was_reached = failing.has_failed();
      if (!was_reached) break;
      // It goes on.
      ASSERT_EQ(set(vault, "c", large), std::nullopt) << operation;
      ASSERT_EQ(set(vault, "a", "last"), std::nullopt) << operation;
    }
    Vault<block::Memory> later(device, loop_);
    ASSERT_EQ(connect(later), "");
    ASSERT_TRUE(later.had_both_copies());
    ASSERT_EQ(get(later, "a") + get(later, "b") + get(later, "c"), "last22" + large);
  }
}

TEST_F(VaultTest, AChangeThatIsAbandonedIsTheLast) {
  block::Memory device = filled(loop_);
  Slow<block::Memory> slow(device, loop_);
  Vault<Slow<block::Memory>> vault(slow, loop_);
  EXPECT_EQ(connect(vault), "");
  {
    std::optional<ChangeResult<void>> result;
    loop_.spawn(keep(vault.set("a", base::bytes_of("never")), result));
    loop_.turn();
    loop_.destroy_tasks();
    EXPECT_FALSE(result.has_value());
  }
  EXPECT_EQ(set(vault, "a", "2"), ChangeError::unavailable);
  EXPECT_EQ(get(vault, "a"), "1") << "reads go on";
  block::Memory copy(small, device.bytes());
  Vault<block::Memory> later(copy, loop_);
  EXPECT_EQ(connect(later), "");
  EXPECT_EQ(get(later, "a"), "1");
  EXPECT_EQ(set(later, "a", "2"), std::nullopt);
}

// A device whose driver keeps what went through it last.
class Keeping {
 public:
  explicit Keeping(block::Memory& device) : device_(device) {}
  [[nodiscard]] block::Info info() const noexcept { return device_.info(); }
  [[nodiscard]] auto read(std::uint64_t sector, base::MutableBytes to) {
    auto result = device_.read(sector, to);
    keep(to);
    return result;
  }
  [[nodiscard]] auto write(std::uint64_t sector, Bytes from) {
    keep(from);
    return device_.write(sector, from);
  }
  [[nodiscard]] static auto flush() { return block::Memory::flush(); }
  void wipe_copies() noexcept { kept_.clear(); }
  [[nodiscard]] bool holds(std::string_view text) const { return kept_.find(text) != kept_.npos; }

 private:
  void keep(Bytes bytes) { kept_ += base::text_of(bytes); }
  block::Memory& device_;
  std::string kept_;
};
static_assert(block::BlockDevice<Keeping> && block::KeepsCopies<Keeping>);
static_assert(!block::KeepsCopies<block::Memory>);

TEST_F(VaultTest, LeavesNoSecretInADriversMemory) {
  block::Memory memory = filled(loop_);
  Keeping device(memory);
  Vault<Keeping> vault(device, loop_);
  ASSERT_EQ(connect(vault), "");
  EXPECT_EQ(set(vault, "key", "a secret"), std::nullopt);
  EXPECT_TRUE(holds(memory, "a secret"));
  EXPECT_FALSE(device.holds("a secret")) << "of a change";
  EXPECT_EQ(get(vault, "key"), "a secret");
  EXPECT_FALSE(device.holds("a secret")) << "of a read";
  // A value that is damaged is read, too.
  const auto at = base::text_of(memory.bytes()).find("a secret");
  memory.bytes()[at] = std::byte{'A'};
  EXPECT_EQ(get(vault, "key"), "(unavailable)");
  EXPECT_FALSE(device.holds("secret")) << "of one that is refused";
}

}  // namespace
}  // namespace kv
