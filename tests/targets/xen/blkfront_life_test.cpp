// SPDX-License-Identifier: ISC
// Xen's disk and back ends that break the protocol, keep what they were lent or go; and domains
// that are made anew.

#include <algorithm>
#include <functional>

#include "tests/targets/xen/blkfront_world.hpp"

namespace xen_target {
namespace {

using block::laws::Buffer;

class XenBlkLife : public XenBlk {
 protected:
  XenBlkLife() { start({512, 64, false}); }
  // Bytes that nobody but `call` may touch, with others around them.
  Buffer guarded = Buffer(3 * std::size_t{512}, std::byte{0x5a});
  base::MutableBytes middle() { return base::MutableBytes(guarded).subspan(512, 512); }
  bool is_untouched() const {
    return std::ranges::all_of(guarded, [](std::byte b) { return b == std::byte{0x5a}; });
  }
};

TEST_F(XenBlkLife, BreaksOffWithABackEndThatBreaksTheProtocol) {
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"more answers than requests", [this] { peer->ring->rsp_prod += 3; }},
      {"an index far away", [this] { peer->ring->rsp_prod = 0x80000000U; }},
      {"an answer before the first", [this] { --peer->ring->rsp_prod; }},
      {"an answer to nothing", [this] { peer->respond(peer->take().id + 1, BLKIF_OP_READ); }},
      {"a number that no place has", [this] { peer->respond(~std::uint64_t{0}, BLKIF_OP_READ); }},
      {"the place without the number",
       [this] { peer->respond(peer->take().id % Blkfront::places_max, BLKIF_OP_READ); }},
      {"the number as 32 bits have it",
       [this] { peer->respond(peer->take().id | 1ULL << 32U, BLKIF_OP_READ); }},
      {"the same answer twice",
       [this] {
         const blkif_request got = peer->take();
         peer->respond(got.id, got.operation);
         peer->respond(got.id, got.operation);
       }},
      {"an answer of a write to a read",
       [this] { peer->respond(peer->take().id, BLKIF_OP_WRITE); }},
  };
  for (const auto& [what, way] : ways) {
    SCOPED_TRACE(what);
    peer->is_silent = true;
    std::array<Result, 6> results;
    for (Result& result : results) spawn(blk->read(1, middle()), result);
    way();
    blk->poll();
    EXPECT_FALSE(blk->broken_by().empty());
    EXPECT_FALSE(blk->prepare_to_sleep()) << "it is to be closed first";
    Result later;
    spawn(blk->read(1, middle()), later);
    blk->close();
    for (int i = 0; i < 3; ++i) loop.turn(loop.now());
    const auto ended = std::ranges::count_if(results, failed);
    const auto was_answered = std::ranges::count_if(results, worked);
    EXPECT_EQ(ended + was_answered, 6);
    EXPECT_LE(was_answered, 1) << "the first of two";
    EXPECT_TRUE(failed(later));
    if (was_answered == 0) {
      EXPECT_TRUE(is_untouched());
    }
    std::ranges::fill(guarded, std::byte{0x5a});
    open();
    EXPECT_TRUE(blk->broken_by().empty());
    EXPECT_EQ(peer->waiting(), 0U) << "what failed is not asked again";
    EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{});
  }
}

// An answer to the last request of a place is none to its next one.
TEST_F(XenBlkLife, AnOldAnswerIsNotTakenForANewOne) {
  Buffer bytes(512);
  peer->is_silent = true;
  Result first;
  spawn(blk->read(1, bytes), first);
  const blkif_request old = peer->take();
  peer->answer(old);
  blk->poll();
  turn();
  ASSERT_TRUE(worked(first));
  Result second;
  spawn(blk->read(2, bytes), second);
  peer->respond(old.id, old.operation);
  blk->poll();
  turn();
  EXPECT_FALSE(second);
  EXPECT_FALSE(blk->broken_by().empty());
}

// Whatever it writes into the pages that it has, at any time.
TEST_F(XenBlkLife, DataAreCopiedOnce) {
  Result result;
  peer->is_silent = true;
  spawn(blk->read(1, middle()), result);
  const blkif_request request = peer->take();
  const PlayedDisk::Piece piece = peer->pieces(request).at(0);
  peer->answer(request);
  blk->poll();
  turn();
  ASSERT_TRUE(worked(result));
  std::fill_n(piece.page, PlayedHost::page, '\x11');
  EXPECT_EQ(middle()[0], std::byte{0});
  EXPECT_EQ(guarded[511], std::byte{0x5a});
  EXPECT_EQ(guarded[1024], std::byte{0x5a});
}

TEST_F(XenBlkLife, WhatIsUnderWayIsAskedAgainOfTheNextBackEnd) {
  for (const bool is_anew : {false, true}) {
    SCOPED_TRACE(is_anew);
    peer->is_silent = true;
    Result write, read, flush, more;
    const Buffer bytes = block::laws::pattern(facts.info, 7, 2, is_anew ? 2 : 1);
    spawn(blk->write(7, bytes), write);
    spawn(blk->read(1, middle()), read);
    spawn(blk->flush(), flush);
    ASSERT_EQ(peer->waiting(), 3U);
    peer->perform(peer->take());  // but it does not answer any more
    if (is_anew) {
      grants.begin_again();
      blk->forget();
    } else {
      blk->close();
    }
    EXPECT_EQ(blk->left_count(), 0U);
    EXPECT_EQ(blk->port(), 0U);
    spawn(blk->write(20, bytes), more);  // who asks meanwhile waits too
    blk->poll();
    loop.turn(loop.now());
    EXPECT_FALSE(write || read || flush || more);
    open();
    EXPECT_EQ(peer->waiting(), 4U);
    for (int i = 0; i < 3; ++i) turn();
    EXPECT_TRUE(worked(write) && worked(read) && worked(flush) && worked(more));
    std::ranges::sort(peer->done);
    EXPECT_EQ(peer->done,
              (std::vector<std::string>{"flush", "read 1 1", "write 20 2", "write 7 2"}));
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory->bytes().begin() + 7 * 512));
  }
}

TEST_F(XenBlkLife, WhatNobodyWaitsForIsNotAskedAgain) {
  peer->is_silent = true;
  const Buffer old = block::laws::pattern(facts.info, 3, 1, 1);
  const Buffer newer = block::laws::pattern(facts.info, 3, 1, 2);
  {
    base::Loop other(time, time);
    Result result;
    spawn(blk->write(3, old), result, &other);
  }
  static_cast<void>(peer->take());
  grants.begin_again();
  blk->forget();
  open();
  turn();
  EXPECT_EQ(peer->done, std::vector<std::string>{});
  EXPECT_TRUE(wait(blk->write(3, newer)));
  Buffer bytes(512);
  EXPECT_TRUE(wait(blk->read(3, bytes)));
  EXPECT_EQ(bytes, newer);
}

// Whoever gave up while there was no back end leaves its place.
TEST_F(XenBlkLife, CallsEndWhereNoBackEndComes) {
  blk->close();
  std::array<Result, 9> results;
  for (Result& result : results) spawn(blk->read(1, middle()), result);
  for (int i = 0; i < 200 && !std::ranges::all_of(results, failed); ++i) {
    loop.turn(loop.now() + std::chrono::seconds(1));
    blk->poll();
  }
  EXPECT_TRUE(std::ranges::all_of(results, failed));
  EXPECT_TRUE(is_untouched());
  open();
  EXPECT_EQ(peer->waiting(), 0U);
  EXPECT_EQ(wait(block::laws::broken_laws(*blk)), std::vector<std::string>{});
}

// An answer that came before the domain was put away: what came with it may be in pages that
// another domain wrote when they had been copied already.
TEST_F(XenBlkLife, WhatWasReadInADomainThatIsGoneIsReadAgain) {
  std::ranges::fill(memory->bytes(), std::byte{3});
  peer->is_silent = true;
  Result result;
  spawn(blk->read(1, middle()), result);
  const blkif_request request = peer->take();
  peer->answer(request);
  blk->poll();  // taken, and its caller runs in the next turn
  std::fill_n(peer->pieces(request).at(0).page, PlayedHost::page, '\x11');
  grants.begin_again();
  blk->forget();
  open();
  EXPECT_FALSE(result);
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_TRUE(worked(result));
  EXPECT_EQ(middle()[0], std::byte{3});
  EXPECT_EQ(peer->done, std::vector<std::string>{"read 1 1"});
}

TEST_F(XenBlkLife, PagesAreNotUsedWhileABackEndThatWentHasThem) {
  peer->is_silent = true;
  Result kept, other;
  const Buffer bytes = block::laws::pattern(facts.info, 7, 1, 1);
  spawn(blk->write(7, bytes), kept);
  spawn(blk->write(8, bytes), other);
  const blkif_request request = peer->take();
  const char* const page = peer->pieces(request).at(0).page;
  host.hold(request.seg[0].gref, true);
  host.hold(connection.ring, true);
  EXPECT_FALSE(blk->is_let_go());
  blk->close();
  EXPECT_EQ(blk->left_count(), 2U);
  loop.turn(loop.now());
  EXPECT_TRUE(failed(kept)) << "what it writes may still be written";
  EXPECT_FALSE(other);
  open();
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_TRUE(worked(other));
  peer->is_silent = true;
  std::array<Result, 4> results;
  for (Result& result : results) spawn(blk->write(9, bytes), result);
  ASSERT_EQ(peer->waiting(), 4U);
  for (int i = 0; i < 4; ++i) {
    const blkif_request more = peer->take();
    EXPECT_NE(peer->pieces(more).at(0).page, page);
    EXPECT_NE(more.seg[0].gref, request.seg[0].gref);
    peer->answer(more);
  }
  blk->poll();
  turn();
  EXPECT_TRUE(std::ranges::all_of(results, worked));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const std::byte*>(page)));
  host.hold(request.seg[0].gref, false);
  blk->poll();
  EXPECT_EQ(blk->left_count(), 1U);
  EXPECT_EQ(host.page_of(request.seg[0].gref, false), nullptr);
}

// A read was answered, and its caller has not run yet.
TEST_F(XenBlkLife, WhatWasReadIntoPagesThatAreLeftIsNotGiven) {
  peer->is_silent = true;
  Result result;
  spawn(blk->read(1, middle()), result);
  const blkif_request request = peer->take();
  peer->answer(request);
  blk->poll();
  host.hold(request.seg[0].gref, true);
  blk->close();
  loop.turn(loop.now());
  EXPECT_TRUE(failed(result));
  EXPECT_TRUE(is_untouched());
}

}  // namespace
}  // namespace xen_target
