// SPDX-License-Identifier: ISC
// tests/targets/xen/played_disk.hpp: the other end of a disk's ring.
//
// Method:  requests are read from the ring and their pages reached by the references in them, as
//          xen-blkback does; a block::Memory is the disk.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "block/memory/memory.hpp"
#include "targets/xen/blkfront.hpp"
#include "tests/targets/xen/played_host.hpp"

namespace xen_target {

class PlayedDisk {
 public:
  static constexpr std::uint32_t ring_size = 32;

  PlayedDisk(PlayedHost& host, std::uint32_t ring_reference, block::Memory& memory)
      : ring(reinterpret_cast<blkif_sring*>(host.page_of(ring_reference, true))),
        host_(host),
        memory_(memory) {}

  [[nodiscard]] blkif_sring_entry& at(std::uint32_t number) const {
    return (&ring->ring[0])[number % ring_size];
  }
  [[nodiscard]] std::uint32_t waiting() const { return ring->req_prod - taken; }
  blkif_request take() { return at(taken++).req; }

  void respond(std::uint64_t id, unsigned operation, int with = BLKIF_RSP_OKAY) const {
    blkif_response response{};
    response.id = id;
    response.operation = static_cast<std::uint8_t>(operation);
    response.status = static_cast<std::int16_t>(with);
    at(ring->rsp_prod).rsp = response;
    ++ring->rsp_prod;
  }
  // Does it, and says so.
  void answer(const blkif_request& request) {
    perform(request);
    respond(request.id, request.operation, status);
  }
  void perform(const blkif_request& request) {
    std::uint64_t bytes = 0;
    for (const auto& [page, size] : pieces(request)) {
      const std::uint64_t unit = request.sector_number + bytes / 512;
      auto* const all = reinterpret_cast<char*>(memory_.bytes().data()) + unit * 512;
      if (request.operation == BLKIF_OP_READ) std::copy_n(all, size, page);
      if (request.operation == BLKIF_OP_WRITE) std::copy_n(page, size, all);
      bytes += size;
    }
    const char* const names[] = {"read ", "write ", "barrier ", "flush"};
    done.push_back(names[request.operation]);
    if (request.operation > BLKIF_OP_WRITE) return;
    done.back() += std::to_string(request.sector_number) + " " + std::to_string(bytes / 512);
  }
  // Of a request; those that may not be reached are faults.
  struct Piece {
    char* page;
    std::size_t size;
  };
  [[nodiscard]] std::vector<Piece> pieces(const blkif_request& request) const {
    std::vector<Piece> out;
    std::uint64_t end = request.sector_number * 512;
    for (unsigned i = 0; i < request.nr_segments; ++i) {
      const blkif_request_segment& segment = request.seg[i];
      char* const page = host_.page_of(segment.gref, true);
      EXPECT_NE(page, nullptr) << "a page that was not lent";
      EXPECT_TRUE(segment.first_sect <= segment.last_sect && segment.last_sect < 8);
      const std::size_t size = (segment.last_sect - segment.first_sect + 1U) * 512;
      out.push_back({page + segment.first_sect * std::size_t{512}, size});
      end += size;
    }
    EXPECT_LE(end, memory_.info().size_bytes()) << "a request of what is not there";
    return out;
  }
  void answer_all() {
    while (!is_silent && waiting() > 0) answer(take());
  }

  blkif_sring* ring;
  std::uint32_t taken = 0;
  int status = BLKIF_RSP_OKAY;
  bool is_silent = false;
  std::vector<std::string> done;  // "read 8 1", in units of 512 bytes; "flush"

 private:
  PlayedHost& host_;
  block::Memory& memory_;
};

}  // namespace xen_target
