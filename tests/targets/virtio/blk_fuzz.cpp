// SPDX-License-Identifier: ISC
// The block device's ring as foreign memory: whatever a device writes into the ring, into the
// memory of requests and as a status, and in whatever order it answers, the driver stays whole: a
// call ends once, only its own bytes change, and places come back.
//
// Input: a byte says what happens next: a call of ours, an answer, or bytes written somewhere. A
//        head that the device does not have stops the machine (blk_test.cpp shows it), so none is
//        used here.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "targets/virtio/blk.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/virtio/played_ring.hpp"
#include "tests/targets/xen/fuzz_input.hpp"

namespace virtio_target {
namespace {

using xen_target::FuzzInput;

void must(bool good) {
  if (!good) std::abort();
}

// Says of itself what the input says.
class LyingTransport final : public Transport {
 public:
  LyingTransport(FuzzInput& input, Ring& ring) : ring_(ring) {
    constexpr std::uint64_t possible = 1U << 1U | 1U << 5U | 1U << 6U | 1U << 9U | feature_events;
    features_ = feature_version_1 | (input.word() & possible);
    queue_size_ = static_cast<std::uint16_t>(input.byte() % 64);
    const bool is_likely = input.byte() % 4 != 0;
    for (std::uint8_t& byte : config_) byte = is_likely ? 0 : input.byte();
    if (is_likely) {
      config_[0] = input.byte();                                         // capacity
      config_[9] = 0x10;                                                 // size_max: 4096
      config_[21] = static_cast<std::uint8_t>(2U << input.byte() % 4U);  // sector_size: 512 to 4096
    }
  }
  std::uint64_t features() override { return features_; }
  void agree(std::uint64_t features) override { must((features & ~features_) == 0); }
  std::uint16_t queue_size_max(unsigned) override { return queue_size_; }
  void add_queue(unsigned, const Queue& queue) override { ring_.queue = &queue; }
  void begin() override {}
  std::uint8_t config(unsigned offset) override { return config_.at(offset); }
  void notify(unsigned) noexcept override {}
  bool took_interrupt() noexcept override { return true; }
  void reset() noexcept override {}

 private:
  Ring& ring_;
  std::uint64_t features_;
  std::uint16_t queue_size_;
  std::array<std::uint8_t, 64> config_;
};

// A call of ours: its bytes lie between others that nobody may touch.
struct Call {
  static constexpr std::size_t edge_bytes = 16;
  static constexpr std::byte edge{0xA5};

  explicit Call(std::size_t bytes) : memory(bytes + 2 * edge_bytes, edge) {}
  [[nodiscard]] base::MutableBytes bytes() {
    return std::span(memory).subspan(edge_bytes, memory.size() - 2 * edge_bytes);
  }
  void check() const {
    const auto is_edge = [](std::byte byte) { return byte == edge; };
    must(std::all_of(memory.begin(), memory.begin() + edge_bytes, is_edge));
    must(std::all_of(memory.end() - edge_bytes, memory.end(), is_edge));
  }

  std::vector<std::byte> memory;
  int ends = 0;
};

class Game {
 public:
  explicit Game(FuzzInput& input) : input_(input) {}

  void play() {
    try {
      blk_ = std::make_unique<Blk>(std::make_unique<LyingTransport>(input_, ring_), loop_);
    } catch (const std::runtime_error&) {
      return;  // a device that will not do
    }
    must(block::is_possible(blk_->info()));
    for (int steps = 0; !input_.is_empty() && steps < 4096; ++steps) step();
    finish();
  }

 private:
  enum class What : std::uint8_t { read, write, flush };

  static base::Task<void> run(Blk& blk, Call& call, What what, std::uint64_t sector) {
    if (what == What::read) static_cast<void>(co_await blk.read(sector, call.bytes()));
    if (what == What::write) static_cast<void>(co_await blk.write(sector, call.bytes()));
    if (what == What::flush) static_cast<void>(co_await blk.flush());
    ++call.ends;
  }
  void begin(What what) {
    if (calls_.size() >= 64) return;
    const std::uint64_t sector = input_.byte() % 16;
    const std::size_t bytes = std::size_t{input_.byte()} % 33 * 512;
    calls_.push_back(std::make_unique<Call>(bytes));
    loop_.spawn(run(*blk_, *calls_.back(), what, sector));
  }

  // What the driver has published and the device has not seen yet becomes the device's. The device
  // may have written over its own view of it, so the heads are read at once.
  void see() {
    loop_.turn(loop_.now());
    const std::uint16_t size = ring_.queue->size();
    while (ring_.waiting() > 0 && ring_.waiting() <= size) heads_.push_back(ring_.take());
  }
  void answer() {
    if (heads_.empty()) return;
    const std::size_t which = input_.byte() % heads_.size();
    const std::uint16_t head = heads_[which];
    heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(which));
    // A device has what it was offered: it writes there what it likes. The chain is followed as it
    // was offered, unless the device has spoilt it.
    const Descriptor* descriptor = &ring_.descriptor(head);
    for (int parts = 0; parts < 3 && !is_spoilt_; ++parts) {
      if ((descriptor->flags & 2) != 0) {
        auto* const at = reinterpret_cast<std::uint8_t*>(descriptor->address);
        std::memset(at, descriptor->bytes == 1 ? input_.byte() % 4 : 0x5A, descriptor->bytes);
      }
      if ((descriptor->flags & 1) == 0) break;
      descriptor = &ring_.descriptor(descriptor->next);
    }
    ring_.use(head, input_.word());
  }
  // Over our side of the ring: descriptors, and the available ring but for what see() counts by.
  void spoil() {
    is_spoilt_ = true;
    const std::uint16_t size = ring_.queue->size();
    if (input_.byte() % 2 == 0) {
      auto* const at = reinterpret_cast<std::uint8_t*>(ring_.queue->descriptors_at());
      at[input_.word() % (size * sizeof(Descriptor))] = input_.byte();
    } else {
      ring_.available()[2 + input_.byte() % size] = static_cast<std::uint16_t>(input_.word());
    }
  }
  void step() {
    switch (input_.byte() % 8) {
      case 0:
        return begin(What::read);
      case 1:
        return begin(What::write);
      case 2:
        return begin(What::flush);
      case 3:
        return see();
      case 4:
        return answer();
      case 5:
        blk_->poll();
        return loop_.turn(loop_.now());
      case 6:
        see();
        return spoil();
      default:
        pass(std::chrono::seconds(input_.byte() % 40));
    }
  }
  void pass(base::Duration time) {
    see();
    time_.advance(time);
    loop_.turn(loop_.now());
  }

  // Everything is answered, or given up in time: each call has ended, once.
  void finish() {
    for (int i = 0; i < 4096 && !all_ended(); ++i) {
      see();
      while (!heads_.empty()) answer();
      blk_->poll();
      pass(std::chrono::seconds(1));
    }
    for (const auto& call : calls_) {
      must(call->ends == 1);
      call->check();
    }
  }
  [[nodiscard]] bool all_ended() const {
    return std::ranges::all_of(calls_, [](const auto& call) { return call->ends > 0; });
  }

  FuzzInput& input_;
  base::SimulatedTime time_;
  std::vector<std::unique_ptr<Call>> calls_;  // outlive the loop's tasks
  Ring ring_;
  std::vector<std::uint16_t> heads_;  // the device has them
  bool is_spoilt_ = false;
  base::Loop loop_{time_, time_};
  std::unique_ptr<Blk> blk_;
};

}  // namespace
}  // namespace virtio_target

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtio_target::FuzzInput input(data, size);
  virtio_target::Game(input).play();
  return 0;
}
