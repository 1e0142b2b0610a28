// SPDX-License-Identifier: ISC
// virtio's block device, against a device that this test plays: the laws of block::BlockDevice,
// calls that are abandoned, devices that fail, are silent or lie.
//
// Method: PlayedDisk takes requests from the ring as a hypervisor would, in any order, and answers
// from a block::Memory. With and without VIRTIO_F_EVENT_IDX.

#include "targets/virtio/blk.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "block/memory/memory.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/block/laws.hpp"
#include "tests/block/run_to_end.hpp"
#include "tests/targets/virtio/played_ring.hpp"

namespace virtio_target {
namespace {

using block::Error;
using block::Info;

constexpr std::uint64_t size_max = 1U << 1U;
constexpr std::uint64_t read_only = 1U << 5U;
constexpr std::uint64_t sector_size = 1U << 6U;
constexpr std::uint64_t has_flush = 1U << 9U;
constexpr std::uint8_t ok = 0;
constexpr std::uint8_t io_error = 1;

struct Disk {
  explicit Disk(const Info& info) : memory({info.sector_bytes, info.sector_count, false}) {
    number(0, info.size_bytes() / 512, 8);
    number(20, info.sector_bytes, 4);
  }
  void number(unsigned at, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) config[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  }

  block::Memory memory;
  std::uint64_t offered = feature_version_1 | sector_size | has_flush;
  std::uint16_t queue_size = 16;
  std::map<unsigned, std::uint8_t> config;
  Ring ring{};
  std::vector<std::string> done;                       // "read 8 1", "flush"
  std::map<std::uint64_t, std::uint32_t> data_memory;  // of requests: where, and bytes
  std::uint8_t status = ok;
  bool is_silent = false;
  bool is_reset = false;

  // A request's three parts.
  struct Request {
    std::uint32_t kind = 0;
    std::uint64_t unit = 0;
    Descriptor data{}, status{};
    bool has_data = false;
  };
  Request request(std::uint16_t head) const {
    Request out;
    const Descriptor& first = ring.descriptor(head);
    EXPECT_EQ(first.bytes, 16U);
    EXPECT_EQ(first.flags, 1) << "read by the device, and more";
    std::memcpy(&out.kind, reinterpret_cast<const void*>(first.address), 4);
    std::memcpy(&out.unit, reinterpret_cast<const void*>(first.address + 8), 8);
    const Descriptor* next = &ring.descriptor(first.next);
    if (next->bytes > 1) {
      out.has_data = true;
      out.data = *next;
      EXPECT_EQ(next->flags, out.kind == 0 ? 3 : 1);
      next = &ring.descriptor(next->next);
    }
    EXPECT_EQ(next->bytes, 1U);
    EXPECT_EQ(next->flags, 2) << "the status is the device's to write";
    out.status = *next;
    return out;
  }
  void answer(std::uint16_t head) {
    const Request asked = request(head);
    const std::uint64_t sector = asked.unit * 512 / memory.info().sector_bytes;
    if (asked.has_data) data_memory[asked.data.address] = asked.data.bytes;
    auto* const data = reinterpret_cast<std::byte*>(asked.data.address);
    const std::string range = " " + std::to_string(sector) + " " +
                              std::to_string(asked.data.bytes / memory.info().sector_bytes);
    if (asked.kind == 4) done.emplace_back("flush");
    if (asked.kind == 0) done.push_back("read" + range);
    if (asked.kind == 1) done.push_back("write" + range);
    bool worked = true;
    if (asked.kind == 0) {
      worked = memory.read(sector, {data, asked.data.bytes}).await_resume().has_value();
    } else if (asked.kind == 1) {
      worked = memory.write(sector, {data, asked.data.bytes}).await_resume().has_value();
    }
    EXPECT_TRUE(worked) << "a request of what is not there";
    *reinterpret_cast<std::uint8_t*>(asked.status.address) = status;
    ring.use(head, asked.kind == 0 ? asked.data.bytes + 1 : 1);
  }
  void answer_all() {
    while (!is_silent && ring.queue != nullptr && ring.waiting() > 0) answer(ring.take());
  }
};

class PlayedDisk final : public Transport {
 public:
  explicit PlayedDisk(Disk& disk) : disk_(disk) {}
  std::uint64_t features() override { return disk_.offered; }
  void agree(std::uint64_t features) override { EXPECT_EQ(features & ~disk_.offered, 0U); }
  std::uint16_t queue_size_max(unsigned) override { return disk_.queue_size; }
  void add_queue(unsigned, const Queue& queue) override { disk_.ring.queue = &queue; }
  void begin() override {}
  std::uint8_t config(unsigned offset) override { return disk_.config[offset]; }
  void notify(unsigned) noexcept override {}
  bool took_interrupt() noexcept override { return true; }
  void reset() noexcept override { disk_.is_reset = true; }

 private:
  Disk& disk_;
};

class VirtioBlk : public testing::TestWithParam<bool> {
 protected:
  void start(const Info& info, const std::function<void(Disk&)>& change = {}) {
    blk.reset();
    disk.emplace(info);
    if (GetParam()) disk->offered |= feature_events;
    if (info.is_read_only) disk->offered |= read_only;
    if (change) change(*disk);
    blk = std::make_unique<Blk>(std::make_unique<PlayedDisk>(*disk), loop);
  }
  void turn() {
    loop.turn(loop.now());
    disk->answer_all();
    blk->poll();
  }
  template <class T>
  T wait(base::Task<T> task) {
    return block::run_to_end(loop, std::move(task), [this] { turn(); });
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  std::optional<Disk> disk;
  std::unique_ptr<Blk> blk;
};

TEST_P(VirtioBlk, KeepsTheLaws) {
  for (const Info& info : {Info{512, 1, false}, Info{512, 3000, false}, Info{4096, 100, false},
                           Info{65'536, 5, false}, Info{512, 100, true}}) {
    start(info);
    EXPECT_EQ(blk->info(), info);
    EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{})
        << info.sector_count << " sectors of " << info.sector_bytes;
  }
}

TEST_P(VirtioBlk, KeepsThemOnDevicesThatTakeLittle) {
  for (const std::uint16_t queue_size : {std::uint16_t{4}, std::uint16_t{8}}) {
    start({512, 3000, false}, [&](Disk& of) { of.queue_size = queue_size; });
    EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{});
  }
  start({512, 3000, false}, [](Disk& of) {
    of.offered |= size_max;
    of.number(8, 1500, 4);
  });
  EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{});
  block::laws::Buffer bytes(10 * 512);
  disk->done.clear();
  EXPECT_TRUE(wait(blk->read(0, bytes)));
  EXPECT_EQ(disk->done.size(), 5U) << "two sectors each";
}

TEST_P(VirtioBlk, FlushesWhereThereIsACache) {
  start({512, 8, false});
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_EQ(disk->done, std::vector<std::string>{"flush"});
  disk->status = io_error;
  EXPECT_EQ(wait(blk->flush()).error(), Error::unavailable);
  start({512, 8, false}, [](Disk& of) { of.offered &= ~has_flush; });
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_EQ(disk->done, std::vector<std::string>{}) << "what was written is durable";
}

TEST_P(VirtioBlk, SaysWhatFails) {
  start({512, 8, false});
  block::laws::Buffer bytes(512);
  for (const std::uint8_t status :
       {io_error, std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{255}}) {
    disk->status = status;
    EXPECT_EQ(wait(blk->read(0, bytes)).error(), Error::unavailable);
    EXPECT_EQ(wait(blk->write(0, bytes)).error(), Error::unavailable);
  }
  disk->status = ok;
  EXPECT_TRUE(wait(blk->read(0, bytes))) << "it works again";
}

TEST_P(VirtioBlk, WaitsForASilentDeviceOnlySoLong) {
  start({512, 100, false});
  disk->is_silent = true;
  block::laws::Buffer bytes(512);
  const base::Instant begin = loop.now();
  std::optional<block::Result<void>> result;
  const auto ask = [](Blk& of, base::MutableBytes to,
                      std::optional<block::Result<void>>& out) -> base::Task<void> {
    out = co_await of.read(3, to);
  };
  loop.spawn(ask(*blk, bytes, result));
  for (int i = 0; i < 1000 && !result; ++i) loop.turn(loop.now() + std::chrono::seconds(1));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error(), Error::unavailable);
  EXPECT_GE(loop.now() - begin, Blk::patience);
  // Its answer comes late: the caller's bytes are its own again.
  disk->is_silent = false;
  disk->answer_all();
  blk->poll();
  EXPECT_EQ(bytes, block::laws::Buffer(512));
  EXPECT_TRUE(wait(blk->read(3, bytes)));
}

// More calls than places, answered in another order; each gets its own bytes.
TEST_P(VirtioBlk, ManyCallsAreUnderWayAtOnce) {
  start({512, 64, false});
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(wait(blk->write(i, block::laws::pattern(disk->memory.info(), i, 1, 9))));
  }
  disk->is_silent = true;
  unsigned good = 0;
  const auto ask = [](Blk& of, std::uint64_t sector, unsigned& count) -> base::Task<void> {
    const bool holds = co_await block::laws::holds(of, {sector, 1}, 9);
    if (holds) ++count;
  };
  for (std::uint64_t i = 0; i < 40; ++i) loop.spawn(ask(*blk, i, good));
  std::size_t most = 0;
  for (int i = 0; i < 1000 && good < 40; ++i) {
    loop.turn(loop.now());
    std::vector<std::uint16_t> heads;
    while (disk->ring.waiting() > 0) heads.push_back(disk->ring.take());
    most = std::max(most, heads.size());
    for (; !heads.empty(); heads.pop_back()) disk->answer(heads.back());
    blk->poll();
  }
  EXPECT_EQ(good, 40U);
  EXPECT_EQ(most, Blk::places_max);
}

// The device still has the request's memory, which is not the caller's.
TEST_P(VirtioBlk, ACallMayBeAbandoned) {
  start({512, 64, false});
  disk->is_silent = true;
  {
    base::Loop other(time, time);  // whose end destroys the call
    block::laws::Buffer bytes(512);
    const auto call = [](Blk& of, base::MutableBytes to) -> base::Task<void> {
      static_cast<void>(co_await of.read(1, to));
    };
    other.spawn(call(*blk, bytes));
    other.turn(other.now());
    EXPECT_EQ(disk->ring.waiting(), 1U);
  }
  disk->is_silent = false;
  disk->answer_all();
  blk->poll();
  block::laws::Buffer bytes(512);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(wait(blk->read(1, bytes)));
}

// Secrets go through the driver's memory: it is wiped when somebody asks, but for what the device
// may still write.
TEST_P(VirtioBlk, WipesItsCopies) {
  start({512, 64, false});
  const auto copies = [&] {
    std::size_t found = 0;
    for (const auto& [address, bytes] : disk->data_memory) {
      const std::string_view text(reinterpret_cast<const char*>(address), bytes);
      if (text.find_first_not_of('\0') != std::string_view::npos) ++found;
    }
    return found;
  };
  block::laws::Buffer bytes(512, std::byte{'s'});
  EXPECT_TRUE(wait(blk->write(1, bytes)));
  EXPECT_EQ(copies(), 1U);
  blk->wipe_copies();
  EXPECT_EQ(copies(), 0U);
  EXPECT_TRUE(wait(blk->read(1, bytes)));
  EXPECT_EQ(copies(), 1U);
  disk->is_silent = true;
  const auto ask = [](Blk& of, base::Bytes from) -> base::Task<void> {
    static_cast<void>(co_await of.write(2, from));
  };
  loop.spawn(ask(*blk, bytes));
  loop.turn(loop.now());
  blk->wipe_copies();
  disk->is_silent = false;
  disk->answer_all();
  blk->poll();
  EXPECT_TRUE(wait(blk->read(2, bytes)));
  EXPECT_EQ(bytes, block::laws::Buffer(512, std::byte{'s'})) << "wiped under the device's hands";
  // An answer that has come and was not copied yet is another call's.
  block::laws::Buffer other(512);
  const auto ask_for = [](Blk& of, base::MutableBytes to) -> base::Task<void> {
    static_cast<void>(co_await of.read(1, to));
  };
  loop.spawn(ask_for(*blk, other));
  loop.turn(loop.now());
  disk->answer_all();
  blk->poll();
  blk->wipe_copies();
  loop.turn(loop.now());
  EXPECT_EQ(other, block::laws::Buffer(512, std::byte{'s'}));
}

TEST_P(VirtioBlk, RefusesWhatIsNoDisk) {
  const auto refuses = [&](const std::function<void(Disk&)>& change, std::string_view why) {
    try {
      start({512, 8, false}, change);
      ADD_FAILURE() << why;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string_view(error.what()).find(why), std::string_view::npos) << error.what();
    }
  };
  refuses([](Disk& of) { of.number(0, 0, 8); }, "0 units");
  refuses([](Disk& of) { of.number(0, ~std::uint64_t{0}, 8); }, "18446744073709551615 units");
  refuses([](Disk& of) { of.number(20, 0, 4); }, "sectors of 0;");
  refuses([](Disk& of) { of.number(20, 100, 4); }, "sectors of 100;");
  refuses([](Disk& of) { of.number(20, 1000, 4); }, "sectors of 1000;");
  refuses([](Disk& of) { of.number(20, 0x80000000U, 4); }, "sectors of 2147483648;");
  refuses([](Disk& of) { of.number(20, 8192, 4); }, "8 units");
  refuses([](Disk& of) { of.queue_size = 2; }, "no room");
  refuses(
      [](Disk& of) {
        of.offered |= size_max;
        of.number(8, 511, 4);
      },
      "less than a sector");
}

TEST_P(VirtioBlk, StopsTheDeviceWhenItGoes) {
  start({512, 8, false});
  blk.reset();
  EXPECT_TRUE(disk->is_reset);
}

using VirtioBlkDeath = VirtioBlk;
TEST_P(VirtioBlkDeath, StopsAtAnAnswerToNothing) {
  start({512, 8, false});
  disk->ring.use(0, 1);
  EXPECT_DEATH(blk->poll(), "CHECK");
}
TEST_P(VirtioBlkDeath, StopsAtAnAnswerThatComesTwice) {
  start({512, 8, false});
  EXPECT_TRUE(wait(blk->flush()));
  disk->ring.use(0, 1);
  EXPECT_DEATH(blk->poll(), "CHECK");
}

INSTANTIATE_TEST_SUITE_P(Events, VirtioBlk, testing::Bool());
INSTANTIATE_TEST_SUITE_P(Events, VirtioBlkDeath, testing::Bool());

}  // namespace
}  // namespace virtio_target
