// SPDX-License-Identifier: ISC
// Xen's disk, against a back end that this test plays: the laws of block::BlockDevice, what is in
// the ring, calls that are abandoned, back ends that fail or are silent.

#include <algorithm>

#include "tests/targets/xen/blkfront_world.hpp"

namespace xen_target {
namespace {

using block::Error;
using block::Info;
using block::laws::Buffer;

TEST_F(XenBlk, KeepsTheLaws) {
  for (const bool flushes : {true, false}) {
    for (const Info& info : {Info{512, 1, false}, Info{512, 3000, false}, Info{4096, 100, false},
                             Info{32'768, 20, false}, Info{512, 100, true}}) {
      start(info, flushes);
      EXPECT_EQ(blk->info(), info);
      EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{})
          << info.sector_count << " sectors of " << info.sector_bytes;
      EXPECT_EQ(std::ranges::count(peer->done, "flush") > 0, flushes && !info.is_read_only);
    }
  }
}

TEST_F(XenBlk, CutsCallsIntoRequestsOfElevenPages) {
  start({512, 3000, false});
  peer->is_silent = true;
  Result result;
  const Buffer bytes = block::laws::pattern(facts.info, 5, 100, 1);
  spawn(blk->write(5, bytes), result);
  ASSERT_EQ(peer->waiting(), 1U);
  const blkif_request first = peer->take();
  EXPECT_EQ(first.operation, BLKIF_OP_WRITE);
  EXPECT_EQ(first.handle, 51712);
  EXPECT_EQ(first.sector_number, 5U);
  EXPECT_EQ(first.nr_segments, 11);
  peer->answer(first);
  blk->poll();
  turn();
  ASSERT_EQ(peer->waiting(), 1U);
  const blkif_request second = peer->take();
  EXPECT_EQ(second.sector_number, 93U);
  ASSERT_EQ(second.nr_segments, 2);
  EXPECT_EQ(second.seg[0].last_sect, 7);
  EXPECT_EQ(second.seg[1].last_sect, 3) << "12 sectors are a page and a half";
  EXPECT_EQ(second.seg[0].gref, first.seg[0].gref) << "the same pages are used again";
  peer->answer(second);
  blk->poll();
  turn();
  EXPECT_TRUE(worked(result));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory->bytes().begin() + 5 * 512));
}

TEST_F(XenBlk, SectorsAreCountedInUnitsOf512Bytes) {
  start({4096, 100, false});
  Buffer bytes(std::size_t{12} * 4096);
  EXPECT_TRUE(wait(blk->read(3, bytes)));
  EXPECT_EQ(peer->done, (std::vector<std::string>{"read 24 88", "read 112 8"}));
}

TEST_F(XenBlk, TellsTheBackEndWhenItAsksForIt) {
  start({512, 100, false});
  Buffer bytes(512);
  EXPECT_TRUE(wait(blk->read(0, bytes)));
  EXPECT_EQ(host.notified[connection.port], 1);
  EXPECT_TRUE(blk->prepare_to_sleep());
  peer->ring->req_event = peer->taken + 2;  // it looks by itself
  EXPECT_TRUE(wait(blk->read(0, bytes)));
  EXPECT_EQ(host.notified[connection.port], 1);
}

TEST_F(XenBlk, DoesNotSleepOverAnAnswer) {
  start({512, 100, false});
  peer->is_silent = true;
  Result result;
  Buffer bytes(512);
  spawn(blk->read(0, bytes), result);
  EXPECT_TRUE(blk->prepare_to_sleep());
  EXPECT_EQ(peer->ring->rsp_event, peer->ring->rsp_prod + 1) << "it is to tell us";
  peer->answer(peer->take());
  EXPECT_FALSE(blk->prepare_to_sleep());
}

TEST_F(XenBlk, FlushesWhereTheBackEndCan) {
  start({512, 8, false});
  EXPECT_EQ(lines.text, "");
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_EQ(peer->done, std::vector<std::string>{"flush"});
  peer->status = BLKIF_RSP_ERROR;
  EXPECT_EQ(wait(blk->flush()).error(), Error::unavailable);
  start({512, 8, false}, false);
  EXPECT_NE(lines.text.find("disk device/vbd/51712: its back end offers no flush"),
            std::string::npos);
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_EQ(peer->done, std::vector<std::string>{});
}

TEST_F(XenBlk, ABackEndMayTakeBackThatItFlushes) {
  start({512, 8, false});
  peer->status = BLKIF_RSP_EOPNOTSUPP;
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_NE(lines.text.find("offers no flush"), std::string::npos);
  EXPECT_TRUE(wait(blk->flush()));
  EXPECT_EQ(peer->done, std::vector<std::string>{"flush"}) << "once";
  Buffer bytes(512);
  EXPECT_EQ(wait(blk->write(0, bytes)).error(), Error::unavailable)
      << "of a write that is an error";
}

TEST_F(XenBlk, SaysWhatFails) {
  start({512, 8, false});
  Buffer bytes(512, std::byte{0x5a});
  for (const int status : {BLKIF_RSP_ERROR, BLKIF_RSP_EOPNOTSUPP, -3, 1, 32'767, -32'768}) {
    peer->status = status;
    EXPECT_EQ(wait(blk->read(0, bytes)).error(), Error::unavailable) << status;
    EXPECT_EQ(wait(blk->write(0, bytes)).error(), Error::unavailable) << status;
    EXPECT_EQ(bytes, Buffer(512, std::byte{0x5a})) << "what failed is not given";
  }
  peer->status = BLKIF_RSP_OKAY;
  EXPECT_TRUE(wait(blk->read(0, bytes))) << "it works again";
}

TEST_F(XenBlk, WaitsForASilentBackEndOnlySoLong) {
  start({512, 100, false});
  peer->is_silent = true;
  Buffer bytes(512);
  const base::Instant begin = loop.now();
  std::array<Result, 9> results;
  for (Result& result : results) spawn(blk->read(3, bytes), result);
  EXPECT_EQ(peer->waiting(), Blkfront::places_max);
  for (int i = 0; i < 200 && !results.back(); ++i) {
    loop.turn(loop.now() + std::chrono::seconds(1));
    blk->poll();
  }
  // Also those that never had a place.
  EXPECT_TRUE(std::ranges::all_of(results, failed));
  EXPECT_GE(loop.now() - begin, Blkfront::patience);
  // The answers come late: the callers' bytes are their own again.
  std::ranges::fill(memory->bytes(), std::byte{1});
  peer->is_silent = false;
  peer->answer_all();
  blk->poll();
  EXPECT_EQ(bytes, Buffer(512));
  EXPECT_TRUE(wait(blk->read(3, bytes)));
  EXPECT_EQ(bytes, Buffer(512, std::byte{1}));
}

// More calls than places, answered in another order; each gets its own bytes.
TEST_F(XenBlk, ManyCallsAreUnderWayAtOnce) {
  start({512, 64, false});
  for (std::uint64_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(wait(blk->write(i, block::laws::pattern(facts.info, i, 1, 9))));
  }
  peer->is_silent = true;
  unsigned good = 0;
  const auto ask = [](Blkfront& of, std::uint64_t sector, unsigned& count) -> base::Task<void> {
    const bool holds = co_await block::laws::holds(of, {sector, 1}, 9);
    if (holds) ++count;
  };
  for (std::uint64_t i = 0; i < 40; ++i) loop.spawn(ask(*blk, i, good));
  std::size_t most = 0;
  for (int i = 0; i < 1000 && good < 40; ++i) {
    loop.turn(loop.now());
    std::vector<blkif_request> requests;
    while (peer->waiting() > 0) requests.push_back(peer->take());
    most = std::max(most, requests.size());
    for (; !requests.empty(); requests.pop_back()) peer->answer(requests.back());
    blk->poll();
  }
  EXPECT_EQ(good, 40U);
  EXPECT_EQ(most, Blkfront::places_max);
}

// The back end may read the pages of a write that nobody waits for any more until it answers.
TEST_F(XenBlk, PagesOfAnAbandonedWriteAreNotUsedBeforeItsAnswer) {
  start({512, 64, false});
  peer->is_silent = true;
  const Buffer abandoned = block::laws::pattern(facts.info, 1, 1, 5);
  {
    base::Loop other(time, time);  // whose end destroys the call
    Result result;
    spawn(blk->write(1, abandoned), result, &other);
  }
  const blkif_request request = peer->take();
  const auto holds = [&] {
    return std::equal(abandoned.begin(), abandoned.end(),
                      reinterpret_cast<std::byte*>(peer->pieces(request).at(0).page));
  };
  peer->is_silent = false;
  Buffer bytes(512);
  for (std::uint64_t i = 2; i < 64; ++i) {
    EXPECT_TRUE(wait(blk->write(i, block::laws::pattern(facts.info, i, 1, 6))));
    EXPECT_TRUE(wait(blk->read(i, bytes)));
    ASSERT_TRUE(holds()) << i;
  }
  peer->answer(request);
  blk->poll();
  EXPECT_TRUE(wait(blk->read(1, bytes)));
  EXPECT_EQ(bytes, abandoned);
  // The place is used again: as many as there are at once.
  peer->is_silent = true;
  std::array<Result, 8> results;
  for (Result& result : results) spawn(blk->read(1, bytes), result);
  EXPECT_EQ(peer->waiting(), Blkfront::places_max);
  peer->is_silent = false;
  for (int i = 0; i < 10; ++i) turn();
  EXPECT_TRUE(std::ranges::all_of(results, worked));
}

// A back end may do requests in any order: one that is late would win over what was written since.
TEST_F(XenBlk, ACallWaitsForAnAbandonedWriteToItsSectors) {
  start({512, 64, false});
  peer->is_silent = true;
  const Buffer old = block::laws::pattern(facts.info, 4, 4, 1);
  const Buffer newer = block::laws::pattern(facts.info, 7, 1, 2);
  {
    base::Loop other(time, time);
    Result result;
    spawn(blk->write(4, old), result, &other);
  }
  const blkif_request late = peer->take();
  Result write, before, behind;
  Buffer bytes(512);
  spawn(blk->write(7, newer), write);
  spawn(blk->read(3, bytes), before);
  spawn(blk->read(8, bytes), behind);
  for (int i = 0; i < 10; ++i) loop.turn(loop.now() + std::chrono::milliseconds(1));
  ASSERT_EQ(peer->waiting(), 2U) << "those beside it do not wait";
  peer->is_silent = false;
  peer->answer_all();
  peer->answer(late);
  blk->poll();
  for (int i = 0; i < 10; ++i) {
    loop.turn(loop.now() + std::chrono::milliseconds(1));
    peer->answer_all();
    blk->poll();
  }
  EXPECT_TRUE(worked(write));
  EXPECT_TRUE(std::equal(newer.begin(), newer.end(), memory->bytes().begin() + 7 * 512));
  // Of a back end that never answers it, calls end, too.
  peer->is_silent = true;
  {
    base::Loop other(time, time);
    Result result;
    spawn(blk->write(4, old), result, &other);
  }
  Result never;
  spawn(blk->write(4, old), never);
  for (int i = 0; i < 100'000 && !never; ++i) loop.turn(loop.now() + std::chrono::seconds(1));
  EXPECT_TRUE(failed(never));
}

TEST_F(XenBlk, TakesNoRequestForAnotherThanItIs) {
  start({512, 64, false});
  Buffer bytes(512);
  std::vector<std::uint64_t> ids;
  peer->is_silent = true;
  for (int i = 0; i < 100; ++i) {
    Result result;
    spawn(blk->read(1, bytes), result);
    const blkif_request request = peer->take();
    ids.push_back(request.id);
    peer->answer(request);
    blk->poll();
    turn();
    ASSERT_TRUE(worked(result));
  }
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end()) << "no number comes twice";
}

TEST_F(XenBlk, OpensOnlyWithAllThatItTakes) {
  host.ports_left = 0;
  Blkfront one(host, grants, loop, log, "one", 1);
  EXPECT_FALSE(one.open(PlayedHost::backend));
  host.ports_left = 1;
  EXPECT_TRUE(one.open(PlayedHost::backend));
  host.frames_max = 0;
  host.ports_left = 1;
  Grants none(host);
  Blkfront other(host, none, loop, log, "other", 1);
  EXPECT_FALSE(other.open(PlayedHost::backend));
}

TEST_F(XenBlk, KnowsWhatIsNoDisk) {
  EXPECT_TRUE(Blkfront::is_usable({512, 1, false}));
  EXPECT_TRUE(Blkfront::is_usable({32'768, 1, false}));
  EXPECT_FALSE(Blkfront::is_usable({65'536, 1, false})) << "no request has room for a sector";
  EXPECT_FALSE(Blkfront::is_usable({512, 0, false}));
  EXPECT_FALSE(Blkfront::is_usable({0, 8, false}));
  EXPECT_FALSE(Blkfront::is_usable({1000, 8, false}));
  EXPECT_FALSE(Blkfront::is_usable({512, ~std::uint64_t{0}, false}));
}

}  // namespace
}  // namespace xen_target
