// SPDX-License-Identifier: ISC
// tests/targets/xen/played_host.hpp: Xen and the other domain, as tests play them.
//
// Models:  xen_target::Host.
// Method:  ports and time are numbers; a page's frame is the order in which it was first asked for,
//          so that only what was granted can be reached by a reference.

#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "targets/xen/abi.hpp"
#include "targets/xen/grants.hpp"
#include "targets/xen/host.hpp"

namespace xen_target {

class PlayedHost final : public Host {
 public:
  static constexpr std::size_t page = 4096;
  static constexpr Domain backend = 7;

  Port new_port(Domain) override { return ports_left == 0 ? 0 : (--ports_left, ++last_port); }
  void close_port(Port port) noexcept override { closed.insert(port); }
  void notify(Port port) noexcept override { ++notified[port]; }
  bool take_event(Port port) noexcept override { return events.erase(port) > 0; }
  // The other domain acts while this one waits; without it time passes.
  void wait(Port, std::uint64_t until_ns) noexcept override {
    ++waits;
    now += 1'000;
    if (on_wait) {
      on_wait();
    } else {
      now = until_ns;
    }
  }
  std::uint64_t now_ns() noexcept override { return now; }

  void* grant_frame(unsigned index) override {
    if (index >= frames_max) return nullptr;
    while (table.size() <= index) {
      table.emplace_back(static_cast<char*>(std::aligned_alloc(page, page)), &std::free);
      std::memset(table.back().get(), 0, page);
    }
    return table[index].get();
  }
  std::uint32_t frame_of(const void* at) noexcept override {
    const auto address = reinterpret_cast<std::uintptr_t>(at) / page * page;
    const auto next = static_cast<std::uint32_t>(frames.size());
    const auto [at_number, is_new] = frames.try_emplace(address, next);
    if (is_new) addresses.push_back(address);
    return at_number->second;
  }

  [[nodiscard]] grant_entry_v1& entry(std::uint32_t reference) const {
    constexpr std::uint32_t each = page / sizeof(grant_entry_v1);
    return reinterpret_cast<grant_entry_v1*>(table.at(reference / each).get())[reference % each];
  }
  // What the other domain sees there; null: it may not.
  [[nodiscard]] char* page_of(std::uint32_t reference, bool to_write) const {
    constexpr std::uint32_t each = page / sizeof(grant_entry_v1);
    if (reference / each >= table.size()) return nullptr;
    const grant_entry_v1& of = entry(reference);
    if ((of.flags & GTF_type_mask) != GTF_permit_access || of.domid != backend) return nullptr;
    if (to_write && (of.flags & GTF_readonly) != 0) return nullptr;
    return reinterpret_cast<char*>(addresses.at(of.frame));
  }
  // The other domain maps it, or lets it go.
  void hold(std::uint32_t reference, bool holds) const {
    std::uint16_t& flags = entry(reference).flags;
    const unsigned with = flags | GTF_reading;
    flags = static_cast<std::uint16_t>(holds ? with : flags & ~unsigned{GTF_reading});
  }

  std::function<void()> on_wait;
  unsigned frames_max = Grants::frames_max;
  Port last_port = 0;
  int ports_left = 1000;
  std::uint64_t now = 1;
  int waits = 0;
  std::map<Port, int> notified;
  std::set<Port> closed;
  std::set<Port> events;
  std::vector<std::unique_ptr<char, void (*)(void*)>> table;
  std::map<std::uintptr_t, std::uint32_t> frames;
  std::vector<std::uintptr_t> addresses;  // by frame
};

}  // namespace xen_target
