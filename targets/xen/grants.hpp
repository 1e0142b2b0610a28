// SPDX-License-Identifier: ISC
// targets/xen/grants.hpp: pages that another domain may read or write.
//
// States:  a reference is free -> taken (reserve) -> open (open) -> taken (close) -> ... -> free.
// Bounds:  frames_max pages of 512 references; more frames are had as they are needed.
// Rule:    a reference that the other domain has not let go of cannot be closed. Whoever holds it
//          then leaves it, and the page, alone for good.
// Source:  xen/grant_table.h, version 1.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "targets/xen/host.hpp"

struct grant_entry_v1;

namespace xen_target {

class Grants {
 public:
  using Reference = std::uint32_t;
  static constexpr unsigned frames_max = 64;

  enum class Access : std::uint8_t { read, write };

  // `host` must outlive it.
  explicit Grants(Host& host) noexcept : host_(host) {}

  // A reference that is closed; nothing: there are no more.
  [[nodiscard]] std::optional<Reference> reserve();
  // One that is closed.
  void free(Reference reference);

  // From now on `domain` may use the page of `at`.
  void open(Reference reference, const void* at, Host::Domain domain, Access access) noexcept;
  // Ends that. False: the domain is using it, and goes on.
  [[nodiscard]] bool close(Reference reference) noexcept;
  [[nodiscard]] bool is_used(Reference reference) const noexcept;

  // In a domain that was made anew: no reference is open, and those that were reserved still are.
  void begin_again();

  [[nodiscard]] unsigned frame_count() const noexcept {
    return static_cast<unsigned>(frames_.size());
  }

 private:
  [[nodiscard]] grant_entry_v1& entry(Reference reference) const noexcept;
  bool add_frame();

  Host& host_;
  std::vector<grant_entry_v1*> frames_;
  std::vector<Reference> free_;
};

}  // namespace xen_target
