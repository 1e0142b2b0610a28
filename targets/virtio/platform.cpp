// SPDX-License-Identifier: ISC
#include "targets/virtio/platform.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "targets/libos/clock.hpp"
#include "targets/libos/random.hpp"
#include "targets/libos/services.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/button.hpp"
#include "targets/virtio/idle.hpp"
#include "targets/virtio/rng.hpp"

namespace virtio_target {

namespace {

libos::Entropy entropy_of_here() {
  if (!libos::random::is_seeded()) rng::seed();
  return libos::Entropy("there is no virtio entropy device (QEMU: -device virtio-rng-pci)");
}

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

// Everything that is there once, in the order in which it is built.
struct Machine {
  Machine(std::span<char* const> arguments, base::LogLevel log_level)
      : log(console, log_level),
        net(only_network_device()),
        idle(clock, net, [this] { ask_to_stop(); }),
        loop(clock, idle),
        platform{loop, clock,     entropy, net, console,
                 log,  arguments, 0,       1,   [this] { log.info({libos::boot_line()}); },
                 {}} {
    net.serve(loop);
    button::listen();
  }

  void ask_to_stop() {
    const std::function<void()> once = std::exchange(platform.on_stop, [] {});
    log.info({"the power button was pressed; ", libos::memory_text_most()});
    once ? once() : loop.stop();
  }

  libos::Console console;
  base::Log log;
  libos::Clock clock;
  libos::Entropy entropy = entropy_of_here();
  Net net;
  Idle idle;
  base::Loop loop;
  Platform platform;
};

}  // namespace

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 0) arguments = arguments.subspan(1);
  try {
    acpi::begin();
    apic::begin();
    Machine machine(arguments, log_level);
    if (!libos::clock::has_wall()) machine.log.warning({"this machine does not know the date"});
    const int status = run(machine.platform);
    machine.platform.on_stop = {};  // what it refers to has gone with `run`
    return status;
  } catch (const std::exception& error) {
    libos::Console console;
    base::Log(console).error({error.what()});
    return 1;
  }
}

}  // namespace virtio_target
