// SPDX-License-Identifier: ISC
// targets/xen/page.hpp: memory that is lent to another domain: whole pages.

#pragma once

#include <cstddef>
#include <memory>

#include "targets/xen/host.hpp"

namespace xen_target {

struct PageDeleter {
  void operator()(std::byte* page) const noexcept;
};
using Page = std::unique_ptr<std::byte[], PageDeleter>;

// Zeroes: as many pages as `bytes` fit in, one behind the other. Throws std::bad_alloc.
[[nodiscard]] Page new_pages(std::size_t bytes);

}  // namespace xen_target
