// SPDX-License-Identifier: ISC
#include "targets/xen/page.hpp"

#include <cstring>
#include <new>

namespace xen_target {

void PageDeleter::operator()(std::byte* page) const noexcept {
  ::operator delete[](page, std::align_val_t{page_bytes});
}

Page new_pages(std::size_t bytes) {
  const std::size_t whole = (bytes + page_bytes - 1) / page_bytes * page_bytes;
  Page page(static_cast<std::byte*>(::operator new[](whole, std::align_val_t{page_bytes})));
  std::memset(page.get(), 0, whole);
  return page;
}

}  // namespace xen_target
