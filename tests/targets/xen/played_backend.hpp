// SPDX-License-Identifier: ISC
// tests/targets/xen/played_backend.hpp: the other end of a network device's rings.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "targets/xen/netfront.hpp"
#include "tests/targets/xen/played_host.hpp"

namespace xen_target {

// A frame as the backend gets it.
struct BackendFrame {
  std::string bytes;
  unsigned flags = 0;
  std::vector<std::uint16_t> ids;  // of its slots
  std::vector<std::uint32_t> references;
  std::optional<netif_extra_info> extra;
};

class PlayedBackend {
 public:
  PlayedBackend(PlayedHost& host, const Netfront::Connection& connection)
      : host_(host),
        out(reinterpret_cast<netif_tx_sring*>(host.page_of(connection.sending, true))),
        in(reinterpret_cast<netif_rx_sring*>(host.page_of(connection.receiving, true))) {}

  template <class Entry>
  static Entry& at(Entry* ring, std::uint32_t number) {
    return ring[number % 256];
  }
  [[nodiscard]] netif_tx_sring_entry& out_at(std::uint32_t number) const {
    return at(&out->ring[0], number);
  }
  [[nodiscard]] netif_rx_sring_entry& in_at(std::uint32_t number) const {
    return at(&in->ring[0], number);
  }

  [[nodiscard]] std::uint32_t out_waiting() const { return out->req_prod - out_taken; }
  [[nodiscard]] std::uint32_t in_waiting() const { return in->req_prod - in_taken; }

  // The next frame of the sending ring, read by its grants; a violation gives an empty one.
  BackendFrame take() {
    BackendFrame frame;
    bool more = true;
    for (bool first = true; more; first = false) {
      if (out_waiting() == 0) return {};
      const netif_tx_request request = out_at(out_taken++).req;
      more = (request.flags & NETTXF_more_data) != 0;
      if (first) frame.flags = request.flags;
      if (first && (request.flags & NETTXF_extra_info) != 0) {
        netif_extra_info extra{};
        std::memcpy(&extra, &out_at(out_taken++), sizeof extra);
        frame.extra = extra;
      }
      const char* page = host_.page_of(request.gref, false);
      if (page == nullptr) return {};
      frame.ids.push_back(request.id);
      frame.references.push_back(request.gref);
      sizes_.push_back(request.size);
      pages_.push_back(page + request.offset);
    }
    // The first says the size of the whole.
    std::size_t rest = 0;
    for (std::size_t i = 1; i < sizes_.size(); ++i) rest += sizes_[i];
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      frame.bytes.append(pages_[i], i == 0 ? sizes_[0] - rest : sizes_[i]);
    }
    sizes_.clear();
    pages_.clear();
    return frame;
  }
  void answer(std::uint16_t id, std::int16_t status = NETIF_RSP_OKAY) {
    netif_tx_response response{};
    response.id = id;
    response.status = status;
    out_at(out->rsp_prod).rsp = response;
    ++out->rsp_prod;
  }
  void answer(const BackendFrame& frame) {
    for (const std::uint16_t id : frame.ids) answer(id);
    if (frame.extra) answer(0xffff, NETIF_RSP_NULL);
  }

  // Puts a frame into the next page that was offered; false: there is none.
  bool deliver(std::string_view bytes, unsigned flags = 0, std::size_t offset = 0) {
    if (in_waiting() == 0) return false;
    const netif_rx_request request = in_at(in_taken++).req;
    char* page = host_.page_of(request.gref, true);
    if (page == nullptr) return false;
    std::memcpy(page + offset, bytes.data(), std::min(bytes.size(), PlayedHost::page - offset));
    last_reference = request.gref;
    respond(request.id, flags, offset, static_cast<int>(bytes.size()));
    return true;
  }
  void respond(std::uint16_t id, unsigned flags, std::size_t offset, int status) {
    netif_rx_response response{};
    response.id = id;
    response.offset = static_cast<std::uint16_t>(offset);
    response.flags = static_cast<std::uint16_t>(flags);
    response.status = static_cast<std::int16_t>(status);
    in_at(in->rsp_prod).rsp = response;
    ++in->rsp_prod;
  }

 private:
  PlayedHost& host_;
  std::vector<std::size_t> sizes_;
  std::vector<const char*> pages_;

 public:
  netif_tx_sring* out;
  netif_rx_sring* in;
  std::uint32_t out_taken = 0;
  std::uint32_t in_taken = 0;
  std::uint32_t last_reference = 0;
};

}  // namespace xen_target
