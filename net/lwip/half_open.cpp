// SPDX-License-Identifier: ISC
#include "net/lwip/half_open.hpp"

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "base/check.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/ext_args.hpp"

namespace net::lwip {

namespace {

err_t arrived(u8_t, tcp_pcb_listen*, tcp_pcb* pcb) {
  return Engine::current().adopt(*pcb) ? ERR_OK : ERR_MEM;
}

void gone(u8_t, void* data) {
  if (data == nullptr) return;
  auto& node = *static_cast<HalfOpen::Node*>(data);
  node.owner->remove(node);
}

constexpr tcp_ext_arg_callbacks of_listener{.destroy = nullptr, .passive_open = arrived};
constexpr tcp_ext_arg_callbacks of_connection{.destroy = gone, .passive_open = nullptr};

}  // namespace

HalfOpen::HalfOpen() noexcept {
  for (Node& node : nodes_) {
    node.owner = this;
    node.newer = free_;
    free_ = &node;
  }
}

void HalfOpen::watch(tcp_pcb* listening) {
  tcp_ext_arg_set_callbacks(listening, half_open_arg, &of_listener);
}

void HalfOpen::established(tcp_pcb* pcb) {
  gone(0, tcp_ext_arg_get(pcb, half_open_arg));
  tcp_ext_arg_set(pcb, half_open_arg, nullptr);
}

void HalfOpen::add(tcp_pcb* pcb) {
  // Forgetting the oldest calls remove() for it.
  if (free_ == nullptr) {
    ConnectionTable::to_front(*oldest_->pcb);
    tcp_abandon(oldest_->pcb, 0);
  }
  CHECK(free_ != nullptr);
  Node& node = *free_;
  free_ = node.newer;
  node.pcb = pcb;
  node.older = newest_;
  node.newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = &node;
  newest_ = &node;
  ++count_;
  tcp_ext_arg_set_callbacks(pcb, half_open_arg, &of_connection);
  tcp_ext_arg_set(pcb, half_open_arg, &node);
}

void HalfOpen::remove(Node& node) noexcept {
  (node.older != nullptr ? node.older->newer : oldest_) = node.newer;
  (node.newer != nullptr ? node.newer->older : newest_) = node.older;
  node.pcb = nullptr;
  node.older = nullptr;
  node.newer = free_;
  free_ = &node;
  --count_;
}

}  // namespace net::lwip
