// SPDX-License-Identifier: ISC
#include "net/lwip/orphans.hpp"

#include <cstdint>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/connection_table.hpp"
#include "net/lwip/engine.hpp"
#include "net/lwip/ext_args.hpp"

namespace net::lwip {

namespace {

bool is_sending(const tcp_pcb& pcb) { return pcb.unsent != nullptr || pcb.unacked != nullptr; }

// What a pcb carries: its place, and one more; null if it is not in the list.
void set_place(tcp_pcb& pcb, std::size_t place) {
  tcp_ext_arg_set(&pcb, orphan_arg, reinterpret_cast<void*>(std::uintptr_t{place} + 1));
}

void gone(u8_t, void* data) {
  if (data == nullptr) return;
  Engine::current().orphans.remove(reinterpret_cast<std::uintptr_t>(data) - 1);
}

constexpr tcp_ext_arg_callbacks of_orphan{.destroy = gone, .passive_open = nullptr};

}  // namespace

void Orphans::add(tcp_pcb& pcb) noexcept {
  if (count_ == orphans_max) make_room();
  tcp_ext_arg_set_callbacks(&pcb, orphan_arg, &of_orphan);
  set_place(pcb, count_);
  all_[count_++] = &pcb;
}

void Orphans::remove(std::size_t place) noexcept {
  tcp_ext_arg_set(all_[place], orphan_arg, nullptr);
  all_[place] = all_[--count_];
  if (place < count_) set_place(*all_[place], place);
}

bool Orphans::are_sending() const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (is_sending(*all_[i])) return true;
  }
  return false;
}

void Orphans::make_room() noexcept {
  tcp_pcb* oldest = nullptr;
  for (std::size_t i = count_; i-- > 0;) {
    tcp_pcb& each = *all_[i];
    if (!is_sending(each)) {
      remove(i);
    } else if (oldest == nullptr || tcp_ticks - each.tmr > tcp_ticks - oldest->tmr) {
      oldest = &each;
    }
  }
  if (count_ < orphans_max) return;
  ConnectionTable::to_front(*oldest);
  tcp_abort(oldest);
}

}  // namespace net::lwip
