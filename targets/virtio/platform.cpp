// SPDX-License-Identifier: ISC
#include "targets/virtio/platform.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "targets/libos/clock.hpp"
#include "targets/libos/pages.hpp"
#include "targets/libos/random.hpp"
#include "targets/virtio/acpi.hpp"
#include "targets/virtio/apic.hpp"
#include "targets/virtio/button.hpp"
#include "targets/virtio/idle.hpp"
#include "targets/virtio/rng.hpp"
#include "targets/virtio/serial.hpp"

extern "C" {
extern const char __executable_start[];
extern const char _end[];
}

namespace virtio_target {

namespace {

class Console final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { serial::write(text.data(), text.size()); }
};

class Clock final : public base::Clock {
 public:
  base::Instant now() noexcept override {
    return base::Instant(base::Duration(libos::clock::now_ns()));
  }
  std::int64_t wall_s() noexcept override {
    constexpr std::uint64_t second_ns = 1'000'000'000;
    return static_cast<std::int64_t>(libos::clock::wall_ns() / second_ns);
  }
};

class Entropy final : public base::Entropy {
 public:
  Entropy() {
    if (!libos::random::is_seeded()) rng::seed();
    if (!libos::random::is_seeded()) {
      throw std::runtime_error(
          "nothing here gives random bytes: the processor has neither RDSEED nor RDRAND, and there "
          "is no virtio entropy device (QEMU: -device virtio-rng-pci)");
    }
  }
  void fill(base::MutableBytes out) noexcept override {
    libos::random::fill(out.data(), out.size());
  }
};

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

// "9.9"
std::string tenths(std::uint64_t value, std::uint64_t unit) {
  const std::uint64_t in_tenths = (value * 10 + unit / 2) / unit;
  return std::to_string(in_tenths / 10) + "." + std::to_string(in_tenths % 10);
}

constexpr std::uint64_t mib = 1U << 20U;

std::string memory_text() {
  return "memory " + tenths(libos::pages::used_bytes(), mib) + " of " +
         tenths(libos::pages::total_bytes(), mib) + " MiB";
}

std::string boot_line() {
  constexpr std::uint64_t ms = 1'000'000;
  return "ready " + tenths(libos::clock::now_ns(), ms) + " ms after entry; image " +
         tenths(static_cast<std::uint64_t>(_end - __executable_start), mib) + " MiB, " +
         memory_text();
}

// Everything that is there once, in the order in which it is built.
struct Machine {
  Machine(std::span<char* const> arguments, base::LogLevel log_level)
      : log(console, log_level),
        net(only_network_device()),
        idle(clock, net, [this] { ask_to_stop(); }),
        loop(clock, idle),
        platform{loop, clock,     entropy, net, console,
                 log,  arguments, 0,       1,   [this] { log.info({boot_line()}); },
                 {}} {
    net.serve(loop);
    button::listen();
  }

  void ask_to_stop() {
    const std::function<void()> once = std::exchange(platform.on_stop, [] {});
    log.info({"the power button was pressed; ", memory_text(), ", at most ",
              tenths(libos::pages::used_bytes_most(), mib)});
    once ? once() : loop.stop();
  }

  Console console;
  base::Log log;
  Clock clock;
  Entropy entropy;
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
    Console console;
    base::Log(console).error({error.what()});
    return 1;
  }
}

}  // namespace virtio_target
