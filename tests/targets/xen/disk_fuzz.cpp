// SPDX-License-Identifier: ISC
// A disk's ring as foreign memory: whatever a back end writes into it and holds, the guest stays
// whole: each call ends once, its bytes are its own, and only pages that were lent are touched.
//
// Input: a byte says what happens next: a call of ours, one that is abandoned, or bytes written
// somewhere into the ring or into the pages that were lent.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "block/memory/memory.hpp"
#include "targets/xen/blkfront.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/xen/fuzz_input.hpp"
#include "tests/targets/xen/lines.hpp"
#include "tests/targets/xen/played_host.hpp"

namespace xen_target {
namespace {

void must(bool good) {
  if (!good) std::abort();
}

class Game {
 public:
  explicit Game(FuzzInput& input) : input_(input) { open(); }

  void play() {
    while (!input_.is_empty()) step();
    // Calls end, whatever was done to them.
    calls_.reset();
    if (device_.is_open()) device_.close();
    for (int i = 0; i < 200 && ended_ < begun_; ++i) {
      loop_.turn(loop_.now() + std::chrono::seconds(1));
      static_cast<void>(device_.poll());
    }
    must(ended_ == begun_);
    let_go();
    static_cast<void>(device_.poll());
    must(device_.left_count() == 0);
  }

 private:
  static constexpr std::uint32_t references = PlayedHost::page / sizeof(grant_entry_v1);
  static constexpr std::byte guard{0x5a};
  static constexpr std::size_t guard_bytes = 64;

  void open() {
    const auto made = device_.open(PlayedHost::backend);
    must(made.has_value());
    ring_reference_ = made->ring;
    device_.be_heard({{512, 4096, false}, input_.byte() % 2 == 0});
  }
  [[nodiscard]] blkif_sring* ring() const {
    return reinterpret_cast<blkif_sring*>(host_.page_of(ring_reference_, true));
  }

  // `count`, if any, is of calls that ended.
  static base::Task<void> call(Blkfront& device, unsigned kind, std::uint64_t sector,
                               std::size_t bytes, unsigned* count) {
    std::vector<std::byte> memory(bytes + 2 * guard_bytes, guard);
    const base::MutableBytes middle = base::MutableBytes(memory).subspan(guard_bytes, bytes);
    if (kind % 3 == 0) {
      static_cast<void>(co_await device.read(sector, middle));
    } else if (kind % 3 == 1) {
      static_cast<void>(co_await device.write(sector, middle));
    } else {
      static_cast<void>(co_await device.flush());
    }
    for (std::size_t i = 0; i < guard_bytes; ++i) {
      must(memory[i] == guard && memory[guard_bytes + bytes + i] == guard);
    }
    if (count != nullptr) ++*count;
  }
  void begin(base::Loop& loop, unsigned* count) {
    const unsigned kind = input_.byte();
    const std::uint64_t sector = input_.byte() * std::uint64_t{17};
    loop.spawn(call(device_, kind, sector, input_.byte() * std::size_t{512}, count));
    loop.turn(loop.now());
  }
  // On a loop whose end destroys them.
  void begin_to_abandon() {
    if (!calls_) calls_ = std::make_unique<base::Loop>(time_, time_);
    begin(*calls_, nullptr);
  }
  void turn() { loop_.turn(loop_.now()); }
  void scribble(char* page) {
    if (page == nullptr) return;
    const std::size_t at = (std::size_t{input_.byte()} << 4U) + input_.byte() % 16U;
    page[at] = static_cast<char>(input_.byte());
  }
  // To a request that is in the ring, or was.
  void answer() {
    blkif_sring* const shared = ring();
    if (shared == nullptr) return;
    auto* const entries = &shared->ring[0];
    const blkif_request request = entries[input_.byte() % 32U].req;
    blkif_response response{};
    response.id = request.id + (input_.byte() % 8U == 0 ? 1 : 0);
    response.operation = request.operation;
    response.status = static_cast<std::int16_t>(-(input_.byte() % 4));
    entries[shared->rsp_prod++ % 32U].rsp = response;
  }
  void let_go() {
    const auto all = static_cast<std::uint32_t>(host_.table.size() * references);
    for (std::uint32_t i = 8; i < all; ++i) host_.hold(i, false);
  }
  void reopen() {
    if (device_.is_open()) device_.close();
    open();
  }
  void move() {
    let_go();
    grants_.begin_again();
    device_.forget();
    open();
  }
  void step() {
    switch (input_.byte() % 14) {
      case 0:
      case 1:
        ++begun_;
        return begin(loop_, &ended_);
      case 2:
        return begin_to_abandon();
      case 3:
        return calls_.reset();
      case 4:
        static_cast<void>(device_.poll());
        return turn();
      case 5:
        static_cast<void>(device_.prepare_to_sleep());
        return;
      case 6:
        return scribble(reinterpret_cast<char*>(ring()));
      case 7:
        return scribble(host_.page_of(8 + input_.byte(), true));
      case 8:
        if (ring() != nullptr) ring()->rsp_prod += input_.byte();
        return;
      case 9:
      case 10:
        return answer();
      case 11:
        return host_.hold(8 + input_.byte(), input_.byte() % 2 == 0);
      case 12:
        return reopen();
      default:
        return input_.byte() % 4 == 0 ? move() : turn();
    }
  }

  FuzzInput& input_;
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  PlayedHost host_;
  Grants grants_{host_};
  Lines lines_;
  base::Log log_{lines_};
  Blkfront device_{host_, grants_, loop_, log_, "device/vbd/51712", 51712};
  std::unique_ptr<base::Loop> calls_;
  std::uint32_t ring_reference_ = 0;
  unsigned begun_ = 0;
  unsigned ended_ = 0;
};

}  // namespace
}  // namespace xen_target

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xen_target::FuzzInput input(data, size);
  xen_target::Game(input).play();
  return 0;
}
