// SPDX-License-Identifier: ISC
// crunch/package/microvm.hpp: an image for virtio as Firecracker and Cloud Hypervisor are told it.
//
// Not tried: neither program runs without /dev/kvm. The words are held against their sources by
//          tests/targets/virtio/package_test.py.
// Source:  Firecracker: src/firecracker/swagger/firecracker.yaml and
//          src/vmm/src/resources.rs (VmmConfig), github.com/firecracker-microvm/firecracker;
//          Cloud Hypervisor: cloud-hypervisor/src/main.rs and vmm/src/config.rs,
//          github.com/cloud-hypervisor/cloud-hypervisor.

#pragma once

#include <string>

#include "crunch/package/machine.hpp"

namespace crunch::package {

// What `firecracker --no-api --config-file` reads. Throws a Usage for a machine without a tap.
[[nodiscard]] std::string firecracker_config(const Machine& machine);

// A script of sh(1) that becomes cloud-hypervisor. Throws a Usage for a machine without a tap.
[[nodiscard]] std::string cloud_hypervisor_script(const Machine& machine);

}  // namespace crunch::package
