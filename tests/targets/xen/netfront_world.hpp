// SPDX-License-Identifier: ISC
// tests/targets/xen/netfront_world.hpp: a Netfront on a played host, connected to a played backend.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "targets/xen/netfront.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/xen/played_backend.hpp"

namespace xen_target {

inline constexpr net::Mac mac = {0, 0x16, 0x3e, 1, 2, 3};
inline constexpr std::size_t page = PlayedHost::page;

struct Counter final : base::Work {
  int count = 0;
  void run() override { ++count; }
};

inline std::string text_of(const std::optional<net::FrameIn>& frame) {
  return frame ? std::string(base::text_of(frame->bytes)) : "nothing";
}

class XenNet : public testing::Test {
 protected:
  XenNet() {
    net.serve(loop);
    net.listen(&frames, &space);
    open();
  }
  void open(bool scatters = true) {
    const auto made = net.open(PlayedHost::backend, scatters);
    ASSERT_TRUE(made);
    connection = *made;
    peer = std::make_unique<PlayedBackend>(host, connection);
    net.be_heard();
    host.notified.clear();
  }
  bool send(std::span<const base::Bytes> pieces, std::optional<net::ChecksumRequest> sum = {},
            std::uint16_t segment_bytes = 0) {
    return net.send({pieces, sum, segment_bytes}, released());
  }
  bool send(std::string_view text) {
    const base::Bytes piece = base::bytes_of(text);
    return send({&piece, 1});
  }
  net::Release released() {
    return {[](void* count) noexcept { ++*static_cast<int*>(count); }, &releases};
  }
  // One that begins `offset` bytes into a page.
  std::string_view placed(std::size_t offset, std::size_t bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    char* at = memory.data() + (page - begin % page) % page + offset;
    std::iota(at, at + bytes, '\0');
    return {at, bytes};
  }
  int notifications() { return host.notified[connection.port]; }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  PlayedHost host;
  Grants grants{host};
  std::vector<char> memory = std::vector<char>(40 * page);
  Counter frames;
  Counter space;
  int releases = 0;
  Netfront net{
      host,
      grants,
      {mac,
       1500,
       {.send = true, .receive = true, .segmentation_bytes = Netfront::segmentation_bytes}}};
  Netfront::Connection connection;
  std::unique_ptr<PlayedBackend> peer;
};

}  // namespace xen_target
