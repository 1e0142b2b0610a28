// SPDX-License-Identifier: ISC
#include "targets/virtio/platform.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "targets/libos/random.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/button.hpp"
#include "targets/virtio/idle.hpp"
#include "targets/virtio/rng.hpp"

namespace virtio_target {

namespace {

std::unique_ptr<Transport> only_network_device() {
  auto found = find(DeviceKind::net);
  if (found.empty()) {
    throw std::runtime_error(
        "this machine has no virtio network device (QEMU: -netdev ... -device virtio-net-pci)");
  }
  if (found.size() > 1) {
    throw std::runtime_error("this machine has " + std::to_string(found.size()) +
                             " network devices; the image serves on one: take the others away");
  }
  return std::move(found.front());
}

Net network() {
  acpi::begin();
  apic::begin();
  button::listen();
  if (!libos::random::is_seeded()) rng::seed();
  return Net(only_network_device());
}

}  // namespace

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  const libos::Texts texts{
      .no_random = "there is no virtio entropy device (QEMU: -device virtio-rng-pci)",
      .asked_to_stop = "the power button was pressed"};
  return libos::start<Net, Idle>(argc, argv, log_level, texts, network, run);
}

}  // namespace virtio_target
