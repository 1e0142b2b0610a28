// SPDX-License-Identifier: ISC
// The network device's rings as foreign memory: whatever a backend writes into them and holds, the
// guest stays whole: each frame is released once, and only pages that were granted are touched.
//
// Input: a byte says what happens next: a call of ours, or bytes written somewhere into a ring.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "targets/xen/netfront.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/xen/fuzz_input.hpp"
#include "tests/targets/xen/played_backend.hpp"

namespace xen_target {
namespace {

struct Nothing final : base::Work {
  void run() override {}
};

void must(bool good) {
  if (!good) std::abort();
}

class Game {
 public:
  explicit Game(FuzzInput& input) : input_(input) {
    net_.serve(loop_);
    net_.listen(&frames_, &space_);
    open();
  }
  void play() {
    while (!input_.is_empty()) step();
    net_.close();
    // Frames that the backend holds are released when it lets go.
    let_go();
    static_cast<void>(net_.poll());
    must(releases_ == sent_);
    must(net_.counts().left == 0);
  }

 private:
  void open() {
    const auto made = net_.open(PlayedHost::backend, input_.byte() % 2 == 0);
    must(made.has_value());
    peer_ = std::make_unique<PlayedBackend>(host_, *made);
    net_.be_heard();
    references_ = {made->sending, made->receiving};
  }
  void send() {
    const base::Bytes pieces[] = {base::bytes_of(std::string_view(memory_).substr(0, 54)),
                                  base::bytes_of(std::string_view(memory_).substr(input_.byte()))};
    const bool cut = input_.byte() % 2 == 0;
    net::FrameOut frame{pieces};
    if (cut) frame.checksum = net::ChecksumRequest{34, 16};
    if (cut) frame.segment_bytes = 1460;
    if (net_.send(frame, {[](void* to) noexcept { ++*static_cast<int*>(to); }, &releases_}))
      ++sent_;
  }
  void receive() {
    while (const auto frame = net_.receive()) {
      must(frame->bytes.size() <= PlayedHost::page);
      for (const std::byte one : frame->bytes) sum_ += std::to_integer<unsigned>(one);
      if (input_.byte() % 4 == 0) return;
    }
  }
  // Anywhere into a ring's page, if it is ours to write.
  void scribble(unsigned which) {
    char* page = host_.page_of(references_[which], true);
    if (page == nullptr) return;
    const std::size_t at = (std::size_t{input_.byte()} << 4U) + input_.byte() % 16U;
    page[at] = static_cast<char>(input_.byte());
  }
  void let_go() {
    constexpr std::uint32_t each = PlayedHost::page / sizeof(grant_entry_v1);
    const auto all = static_cast<std::uint32_t>(host_.table.size() * each);
    for (std::uint32_t i = 8; i < all; ++i) host_.hold(i, false);
  }
  void step() {
    switch (input_.byte() % 12) {
      case 0:
        return send();
      case 1:
        return receive();
      case 2:
        static_cast<void>(net_.poll());
        return;
      case 3:
        static_cast<void>(net_.prepare_to_sleep());
        return;
      case 4:
        return scribble(0);
      case 5:
        return scribble(1);
      case 6:
        peer_->out->rsp_prod += input_.byte();
        return;
      case 7:
        peer_->in->rsp_prod += input_.byte();
        return;
      case 8:
        peer_->answer(input_.byte(), static_cast<std::int16_t>(input_.byte() % 2));
        return;
      case 9:
        peer_->respond(input_.byte(), input_.byte(), input_.byte() * 32U, input_.byte() * 32 - 64);
        return;
      case 10:
        host_.hold(8 + input_.byte(), input_.byte() % 2 == 0);
        return;
      default:
        net_.close();
        must(releases_ <= sent_);
        return open();
    }
  }

  FuzzInput& input_;
  base::SimulatedTime time_;
  base::Loop loop_{time_, time_};
  PlayedHost host_;
  Grants grants_{host_};
  Netfront net_{
      host_,
      grants_,
      {{},
       1500,
       {.send = true, .receive = true, .segmentation_bytes = Netfront::segmentation_bytes}}};
  Nothing frames_;
  Nothing space_;
  std::string memory_ = std::string(9000, 'm');
  std::unique_ptr<PlayedBackend> peer_;
  std::array<std::uint32_t, 2> references_{};
  int releases_ = 0;
  int sent_ = 0;
  unsigned sum_ = 0;
};

}  // namespace
}  // namespace xen_target

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xen_target::FuzzInput input(data, size);
  xen_target::Game(input).play();
  return 0;
}
