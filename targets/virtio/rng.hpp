// SPDX-License-Identifier: ISC
// targets/virtio/rng.hpp: random bytes of the host, where it offers virtio's entropy device.
//
// Source:  VIRTIO 1.2, section 5.4.

#pragma once

namespace virtio_target::rng {

// Asks each such device for 64 bytes, and mixes what they give within a second into
// libos::random. Throws std::runtime_error if one will not have us.
void seed();

}  // namespace virtio_target::rng
