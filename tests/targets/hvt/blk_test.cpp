// SPDX-License-Identifier: ISC
// hvt's block device, against a tender that this test plays: the laws of block::BlockDevice,
// tenders that take one block at a time, that fail, and that say what cannot be.

#include "targets/hvt/blk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "block/memory/memory.hpp"
#include "targets/hvt/blks.hpp"
#include "targets/hvt/notes.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/block/laws.hpp"

namespace hvt_target {
namespace {

using block::Error;
using block::Info;
using solo5::Answer;

struct Tender {
  explicit Tender(const Info& info, std::uint64_t most = ~std::uint64_t{0})
      : memory(info), bytes_max(most) {}

  void operator()(solo5::Call number, solo5::BlockTransfer& call) {
    ++calls;
    EXPECT_EQ(call.handle, first_block_handle);
    if (forced) {
      call.answer = *forced;
      return;
    }
    const std::uint32_t sector_bytes = memory.info().sector_bytes;
    if (call.bytes > bytes_max) {
      call.answer = Answer::invalid;
      return;
    }
    auto* const data = reinterpret_cast<std::byte*>(call.data);
    const std::uint64_t sector = call.offset / sector_bytes;
    EXPECT_EQ(call.offset % sector_bytes, 0U);
    const bool is_done = number == solo5::Call::block_read
                             ? memory.read(sector, {data, call.bytes}).await_resume().has_value()
                             : memory.write(sector, {data, call.bytes}).await_resume().has_value();
    EXPECT_TRUE(is_done) << "a call for what is not there";
    call.answer = Answer::ok;
  }
  [[nodiscard]] solo5::BlockDetails details() const {
    const Info info = memory.info();
    return {info.size_bytes(), static_cast<std::uint16_t>(info.sector_bytes), 0, {}};
  }

  block::Memory memory;
  std::uint64_t bytes_max;
  std::optional<Answer> forced;
  unsigned calls = 0;
};

Blk device_of(Tender& tender) {
  return Blk(first_block_handle, tender.details(),
             [&tender](solo5::Call number, solo5::BlockTransfer& call) { tender(number, call); });
}

std::vector<std::string> broken_laws(Blk& blk) {
  base::SimulatedTime time;
  base::Loop loop(time, time);
  std::optional<std::vector<std::string>> out;
  const auto keep = [](Blk& of, std::optional<std::vector<std::string>>& to) -> base::Task<void> {
    to = co_await block::laws::broken_laws(of);
  };
  loop.spawn(keep(blk, out));
  loop.turn(loop.now());
  return out.value_or(std::vector<std::string>{"it waits"});
}

TEST(HvtBlk, KeepsTheLaws) {
  for (const Info& info : {Info{512, 1, false}, Info{512, 6000, false}, Info{4096, 100, false}}) {
    for (const std::uint64_t most : {~std::uint64_t{0}, std::uint64_t{info.sector_bytes}}) {
      Tender tender(info, most);
      Blk blk = device_of(tender);
      EXPECT_EQ(blk.info(), info);
      EXPECT_EQ(broken_laws(blk), std::vector<std::string>{}) << info.sector_bytes << " " << most;
    }
  }
}

TEST(HvtBlk, IsToldOnceThatATenderTakesOneBlockAtATime) {
  Tender tender({512, 100, false}, 512);
  Blk blk = device_of(tender);
  block::laws::Buffer bytes(10 * 512);
  EXPECT_TRUE(blk.read(0, bytes).await_resume());
  EXPECT_EQ(tender.calls, 11U);
  EXPECT_TRUE(blk.write(90, bytes).await_resume());
  EXPECT_EQ(tender.calls, 21U);
}

TEST(HvtBlk, SaysWhatFails) {
  Tender tender({512, 8, false});
  Blk blk = device_of(tender);
  block::laws::Buffer bytes(1024);
  for (const Answer answer : {Answer::again, Answer::invalid, Answer::unspecified, Answer{77}}) {
    tender.forced = answer;
    EXPECT_EQ(blk.read(0, bytes).await_resume().error(), Error::unavailable);
    EXPECT_EQ(blk.write(0, bytes).await_resume().error(), Error::unavailable);
  }
  tender.forced.reset();
  EXPECT_TRUE(blk.read(0, bytes).await_resume()) << "it works again";
}

TEST(HvtBlk, KnowsWhetherWritesAreDurable) {
  Tender tender({512, 8, false});
  EXPECT_FALSE(device_of(tender).is_durable());
  solo5::BlockDetails details = tender.details();
  details.flags = solo5::block_is_durable;
  EXPECT_TRUE(Blk(2, details, [](auto...) {}).is_durable());
}

// What Solo5's own tender says of its devices, crunch's, and one of each.
TEST(HvtBlks, WarnOfATenderThatDoesNotSayThatWritesAreDurable) {
  class Lines final : public base::Console {
   public:
    void write(std::string_view line) noexcept override { text += line; }
    std::string text;
  };
  const auto said = [](std::uint16_t first, std::uint16_t second, unsigned in_use) {
    BootInfo from;
    from.block_count = 2;
    from.blocks[0] = {65'536, 512, first, {}};
    from.blocks[1] = {65'536, 512, second, {}};
    Blks blks(from);
    for (unsigned number = 1; number <= in_use; ++number) {
      EXPECT_TRUE(blks.find(number, "vault-device"));
    }
    Lines lines;
    base::Log log(lines);
    blks.warn_if_not_durable(log);
    return lines.text;
  };
  constexpr std::uint16_t durable = solo5::block_is_durable;
  EXPECT_EQ(said(0, 0, 0), "");
  EXPECT_EQ(said(durable, durable, 2), "");
  EXPECT_EQ(said(durable, 0, 1), "") << "the second is not in use";
  for (const std::string& text : {said(0, 0, 1), said(durable, 0, 2), said(0, durable, 2)}) {
    EXPECT_TRUE(text.starts_with("warning: this tender has no flush")) << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  }
}

TEST(HvtBlk, RefusesWhatCannotBe) {
  for (const auto& [capacity, bytes] : {std::pair<std::uint64_t, std::uint16_t>{0, 512},
                                        {511, 512},
                                        {4096, 0},
                                        {4096, 256},
                                        {4096, 513}}) {
    EXPECT_THROW(Blk(2, {capacity, bytes, 0, {}}, [](auto...) {}), std::runtime_error)
        << capacity << " " << bytes;
  }
}

}  // namespace
}  // namespace hvt_target
