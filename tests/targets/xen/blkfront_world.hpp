// SPDX-License-Identifier: ISC
// tests/targets/xen/blkfront_world.hpp: a Blkfront on a played host, connected to a played disk.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "block/memory/memory.hpp"
#include "targets/xen/blkfront.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/block/laws.hpp"
#include "tests/block/run_to_end.hpp"
#include "tests/targets/xen/lines.hpp"
#include "tests/targets/xen/played_disk.hpp"

namespace xen_target {

class XenBlk : public testing::Test {
 protected:
  ~XenBlk() override { loop.destroy_tasks(); }  // the device outlives every call

  void start(const block::Info& info, bool flushes = true) {
    blk.reset();
    memory.emplace(block::Info{info.sector_bytes, info.sector_count, false});
    facts = {info, flushes};
    blk = std::make_unique<Blkfront>(host, grants, loop, log, "device/vbd/51712", 51712);
    open();
  }
  // A back end comes.
  void open() {
    const auto made = blk->open(PlayedHost::backend);
    ASSERT_TRUE(made);
    connection = *made;
    peer = std::make_unique<PlayedDisk>(host, connection.ring, *memory);
    blk->be_heard(facts);
  }
  void turn() {
    loop.turn(loop.now());
    peer->answer_all();
    blk->poll();
  }
  template <class T>
  T wait(base::Task<T> task) {
    return block::run_to_end(loop, std::move(task), [this] { turn(); });
  }
  using Result = std::optional<block::Result<void>>;
  void spawn(base::Task<block::Result<void>> task, Result& result, base::Loop* on = nullptr) {
    const auto keep = [](base::Task<block::Result<void>> of, Result& to) -> base::Task<void> {
      to = co_await std::move(of);
    };
    (on != nullptr ? on : &loop)->spawn(keep(std::move(task), result));
    (on != nullptr ? on : &loop)->turn(loop.now());
  }
  static bool failed(const Result& result) {
    return result && !*result && result->error() == block::Error::unavailable;
  }
  static bool worked(const Result& result) { return result && *result; }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  PlayedHost host;
  Grants grants{host};
  Lines lines;
  base::Log log{lines};
  std::optional<block::Memory> memory;
  Blkfront::Facts facts;
  Blkfront::Connection connection;
  std::unique_ptr<Blkfront> blk;
  std::unique_ptr<PlayedDisk> peer;
};

}  // namespace xen_target
