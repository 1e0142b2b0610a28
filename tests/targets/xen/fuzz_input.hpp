// SPDX-License-Identifier: ISC
// tests/targets/xen/fuzz_input.hpp: a fuzzer's bytes, one after another; zeroes behind their end.

#pragma once

#include <cstddef>
#include <cstdint>

namespace xen_target {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool is_empty() const { return at_ == end_; }
  std::uint8_t byte() { return at_ == end_ ? std::uint8_t{0} : *at_++; }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8U | byte();
    return value;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace xen_target
