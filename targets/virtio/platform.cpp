// SPDX-License-Identifier: ISC
#include "targets/virtio/platform.hpp"

#include <utility>

#include "targets/libos/random.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/button.hpp"
#include "targets/virtio/idle.hpp"
#include "targets/virtio/rng.hpp"

namespace virtio_target {

namespace {

Devices devices() {
  acpi::begin();
  apic::begin();
  button::listen();
  if (!libos::random::is_seeded()) rng::seed();
  return Devices(Nets(find(DeviceKind::net)));
}

}  // namespace

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  const libos::Texts texts{
      .no_random = "there is no virtio entropy device (QEMU: -device virtio-rng-pci)",
      .asked_to_stop = "the power button was pressed"};
  return libos::start<Devices, Idle>(
      argc, argv, log_level, texts, devices, [&](Platform& platform) {
        platform.ready = [&platform, ready = std::move(platform.ready)] {
          if (!platform.net_devices.nets().are_all_used()) {
            platform.log.warning({"this machine has network devices that this image does not use"});
          }
          ready();
        };
        return run(platform);
      });
}

}  // namespace virtio_target
