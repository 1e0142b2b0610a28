// SPDX-License-Identifier: ISC
// crunch/package/libvirt.hpp: an image for virtio as a domain of libvirt.
//
// Makes:   one domain of type kvm, or qemu where it is emulated: a PC whose kernel is the image,
//          with a serial console, random bytes, and a network card on a bridge of the host. Without
//          a bridge it has QEMU's user network, shut off but for forwarded ports of the loopback,
//          which needs no rights (qemu:///session). libvirt 9 knows no such forwarding, so QEMU is
//          told by its own words.
// Source:  libvirt.org/formatdomain.html, libvirt.org/drvqemu.html ("Pass-through of arbitrary qemu
//          commands"); as of version 9.0.

#pragma once

#include <string>

#include "crunch/package/machine.hpp"

namespace crunch::package {

[[nodiscard]] std::string libvirt_domain(const Machine& machine);

}  // namespace crunch::package
