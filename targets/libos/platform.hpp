// SPDX-License-Identifier: ISC
// targets/libos/platform.hpp: what a configuration gets on a bare machine, and how it starts.
//
// States:  Platform, PlatformOfSeveral where a machine may have several network devices, and
//          WithBlocks where it may have disks; Texts;
//          start: devices are made -> run -> the machine is asked to stop, or all jobs have ended
//          -> the exit status, by which libos ends the machine.
// Errors:  a machine without what it takes: a sentence on the console, and status 1.

#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "targets/libos/clock.hpp"
#include "targets/libos/services.hpp"

namespace libos {

template <class Net>
struct Platform {
  base::Loop& loop;
  base::Clock& clock;
  base::Entropy& entropy;
  Net& net_device;  // the only one, or the first
  base::Console& console;
  base::Log& log;                    // on the console too: there is nothing else
  std::span<char* const> arguments;  // the command line, without the machine's own words
  unsigned thread_index = 0;
  unsigned thread_count = 1;

  // Called when the ports are open: writes the boot line.
  std::function<void()> ready;
  // Set it to what ends the work in order (drain); called at most once, on the loop, when the
  // machine is asked to stop. Left empty: the loop is stopped.
  std::function<void()> on_stop;
  // free_memory_bytes(), once the devices serve.
  std::uint64_t memory_bytes = 0;
};

// `Nets` finds the others by `device_key`: the number of a device, the first being 1.
template <class Nets>
struct PlatformOfSeveral : Platform<typename Nets::Device> {
  Nets& net_devices;
  static constexpr const auto& device_key = Nets::device_key;
};
// Where a machine may have block devices: found as those are, by their number.
template <class Base, class Blocks>
struct WithBlocks : Base {
  Blocks& block_devices;
};

// The platform of a machine's devices: of a network device alone, or of all that it has.
template <class Devices>
struct PlatformOver {
  using type = Platform<Devices>;
};
template <class Devices>
concept HasSeveralNets = requires {
  typename Devices::Device;
  Devices::device_key;
};
template <class Devices>
concept HasBlocks = requires {
  typename Devices::Device;
  typename Devices::Blocks;
};
template <HasSeveralNets Devices>
struct PlatformOver<Devices> {
  using type = PlatformOfSeveral<Devices>;
};
template <HasBlocks Devices>
struct PlatformOver<Devices> {
  using type = WithBlocks<Platform<typename Devices::Device>, typename Devices::Blocks>;
};
template <class Devices>
requires HasSeveralNets<Devices> && HasBlocks<Devices>
struct PlatformOver<Devices> {
  using type = WithBlocks<PlatformOfSeveral<Devices>, typename Devices::Blocks>;
};

// What only the target knows how to say.
struct Texts {
  const char* no_random;      // behind "... RDSEED nor RDRAND, and "
  const char* asked_to_stop;  // "the power button was pressed"
};

// What a device of a bare machine, or all of them, have beyond net::NetDevice: they are told whose
// works they schedule.
template <class Net>
concept ServesLoop = requires(Net& net, base::Loop& loop) {
  { net.serve(loop) } -> std::same_as<void>;
};
// How a bare machine sleeps; the function is called when it was asked to stop.
template <class Idle, class Net>
concept IdleOver = std::derived_from<Idle, base::Idle> &&
    std::constructible_from<Idle, base::Clock&, Net&, std::function<void()>>;

// Everything that is there once, in the order in which it is built.
template <ServesLoop Net, IdleOver<Net> Idle>
struct Machine {
  template <class MakeNet>
  Machine(std::span<char* const> arguments, base::LogLevel log_level, const Texts& texts_given,
          const MakeNet& make_net)
      : texts(texts_given),
        log(console, log_level),
        net(make_net()),
        entropy(texts.no_random),
        idle(clock, net, [this] { ask_to_stop(); }),
        loop(clock, idle),
        platform(offer(arguments)) {
    net.serve(loop);
    platform.memory_bytes = free_memory_bytes();
    if (log_level == base::LogLevel::debug) memory_line.begin();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  typename PlatformOver<Net>::type offer(std::span<char* const> arguments) {
    const auto ready = [this] { log.info({boot_line()}); };
    const auto over = [&](auto& device) -> libos::Platform<std::remove_cvref_t<decltype(device)>> {
      return {loop, clock, entropy, device, console, log, arguments, 0, 1, ready, {}};
    };
    if constexpr (HasSeveralNets<Net> && HasBlocks<Net>) {
      return {{over(net.first()), net}, net.blocks()};
    } else if constexpr (HasBlocks<Net>) {
      return {over(net.first()), net.blocks()};
    } else if constexpr (HasSeveralNets<Net>) {
      return {over(net.first()), net};
    } else {
      return over(net);
    }
  }

  void ask_to_stop() {
    const std::function<void()> once = std::exchange(platform.on_stop, [] {});
    log.info({texts.asked_to_stop, "; ", memory_text_most()});
    once ? once() : loop.stop();
  }

  Texts texts;
  Console console;
  base::Log log;
  Clock clock;
  Net net;
  Entropy entropy;
  Idle idle;
  base::Loop loop;
  typename PlatformOver<Net>::type platform;
  MemoryLine memory_line{loop, log};
};

// Runs `run`; gives the machine's exit status. An exception that leaves it is logged: 1.
// `make_net` gives the network device, or all of them; before that it seeds libos::random where the
// processor did not.
template <class Net, class Idle, class MakeNet>
int start(int argc, char** argv, base::LogLevel log_level, const Texts& texts,
          const MakeNet& make_net,
          const std::function<int(typename PlatformOver<Net>::type&)>& run) {
  std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 0) arguments = arguments.subspan(1);
  try {
    Machine<Net, Idle> machine(arguments, log_level, texts, make_net);
    if (!clock::has_wall()) machine.log.warning({"this machine does not know the date"});
    const int status = run(machine.platform);
    machine.platform.on_stop = {};  // what it refers to has gone with `run`
    return status;
  } catch (const std::exception& error) {
    Console console;
    base::Log(console).error({error.what()});
    return 1;
  }
}

}  // namespace libos
