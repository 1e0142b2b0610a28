// SPDX-License-Identifier: ISC
// Numbers of a device's configuration: no register is touched here (transport.hpp).
#include "targets/virtio/transport.hpp"

namespace virtio_target {

std::uint64_t Transport::config_number(unsigned offset, unsigned bytes) {
  // A device that changes it all the time has no number to give: any of them will do.
  constexpr int tries_max = 100;
  constexpr unsigned byte_bits = 8;
  for (int i = 1;; ++i) {
    const std::uint32_t before = config_generation();
    std::uint64_t number = 0;
    for (unsigned at = 0; at < bytes; ++at) {
      number |= std::uint64_t{config(offset + at)} << byte_bits * at;
    }
    if (config_generation() == before || i == tries_max) return number;
  }
}

}  // namespace virtio_target
