// SPDX-License-Identifier: ISC
// A guest's memory at its entry: the map is walked as the processor does it.

#include "tender/layout.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "tests/tender/sample.hpp"

namespace {

class Layout : public testing::TestWithParam<std::uint64_t> {
 protected:
  Layout()
      : pages(static_cast<std::byte*>(std::calloc(GetParam(), 1)), std::free),
        memory(pages.get(), GetParam()) {
    const auto image = tender::read_image(base::bytes_of(file), memory.size());
    lay_out(memory, *image, base::bytes_of(file), image->manifest, "--http-port=80 x", 3'000'000,
            0);
  }

  [[nodiscard]] std::uint64_t word(std::uint64_t at) const {
    std::uint64_t out = 0;
    EXPECT_LE(at + sizeof out, memory.size());
    std::memcpy(&out, memory.data() + at, sizeof out);
    return out;
  }
  // The entry that maps `address`, with the rights of all levels; 0: it is not mapped.
  [[nodiscard]] std::uint64_t entry_of(std::uint64_t address) const {
    constexpr std::uint64_t mask = 0xffffffffff000;
    std::uint64_t rights = 3;
    std::uint64_t table = tender::pml4_address;
    for (const unsigned shift : {39U, 30U, 21U, 12U}) {
      const std::uint64_t entry = word(table + 8 * (address >> shift & 511U));
      rights &= entry;
      if ((rights & 1U) == 0) return 0;
      if ((entry & 0x80U) != 0 || shift == 12) return (entry & mask) | rights;
      table = entry & mask;
    }
    return 0;
  }

  std::string file = hvt_test::Sample().bytes();
  // Not a vector, which would touch all of it.
  std::unique_ptr<std::byte, void (*)(void*)> pages;
  base::MutableBytes memory;
};

TEST_P(Layout, MapsEveryAddressToItself) {
  for (std::uint64_t at = 0; at < memory.size(); at += 0x1000) {
    const std::uint64_t rights = at < 0x10000 ? 0 : at < 0x100000 ? 1 : 3;
    const std::uint64_t unit = at < 0x200000 ? 0x1000 : 0x200000;
    ASSERT_EQ(entry_of(at), rights == 0 ? 0 : at / unit * unit | rights) << at;
  }
  for (const std::uint64_t beyond : {memory.size(), std::size_t{1} << 32U, std::size_t{1} << 39U}) {
    EXPECT_EQ(entry_of(beyond), 0U) << beyond;
  }
}

TEST_P(Layout, SaysWhereEverythingIs) {
  solo5::BootInfo info{};
  std::memcpy(&info, memory.data() + tender::boot_info_address, sizeof info);
  EXPECT_EQ(info.memory_bytes, memory.size());
  EXPECT_EQ(info.kernel_end, 0x106000U);
  EXPECT_EQ(info.tsc_hz, 3'000'000U);
  EXPECT_EQ(info.host_features, 0U);
  EXPECT_EQ(info.net_ring, 0U);
  EXPECT_STREQ(reinterpret_cast<const char*>(memory.data() + info.command_line),
               "--http-port=80 x");
  EXPECT_EQ(info.manifest % 8, 0U);
  EXPECT_EQ(word(info.manifest), 1U | 3ULL << 32U);
  solo5::ManifestEntry second{};
  std::memcpy(&second, memory.data() + info.manifest + 8 + sizeof second, sizeof second);
  EXPECT_STREQ(second.name, "service");
  EXPECT_EQ(static_cast<char>(memory[0x102008]), 'd');
}

TEST_P(Layout, HasARingAtTheTop) {
  const std::uint64_t at = tender::ring_place(memory.size());
  if (memory.size() == 2U << 20U) {
    EXPECT_EQ(at, 0U);
    return;
  }
  EXPECT_EQ(at % 0x1000, 0U);
  EXPECT_LE(at + sizeof(solo5::Ring), memory.size());
  EXPECT_GT(at + sizeof(solo5::Ring) + 0x1000, memory.size());
  const auto image = tender::read_image(base::bytes_of(file), memory.size());
  lay_out(memory, *image, base::bytes_of(file), image->manifest, "", 1, at);
  solo5::BootInfo info{};
  std::memcpy(&info, memory.data() + tender::boot_info_address, sizeof info);
  EXPECT_EQ(info.memory_bytes, at);
  EXPECT_EQ(info.host_features, 1U);
  EXPECT_EQ(info.net_ring, at);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Layout,
                         testing::Values(2U << 20U, 4U << 20U, 64U << 20U, 1026U << 20U));

}  // namespace
