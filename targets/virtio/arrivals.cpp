// SPDX-License-Identifier: ISC
#include "targets/virtio/arrivals.hpp"

namespace virtio_target::arrivals {

namespace {

constexpr unsigned vectors = 256;
volatile bool noted[vectors];
std::uint64_t controller = 0;

}  // namespace

void begin(std::uint64_t local_controller) noexcept { controller = local_controller; }

void came(unsigned vector) noexcept {
  constexpr std::uint64_t end_of_interrupt = 0xb0;
  noted[vector % vectors] = true;
  if (vector == spurious_vector || controller == 0) return;
  *reinterpret_cast<volatile std::uint32_t*>(controller + end_of_interrupt) = 0;
}

bool has_come(unsigned vector) noexcept {
  const bool was = noted[vector % vectors];
  noted[vector % vectors] = false;
  return was;
}

}  // namespace virtio_target::arrivals
