// SPDX-License-Identifier: ISC
#include "targets/xen/platform.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "targets/libos/clock.hpp"
#include "targets/libos/machine.hpp"
#include "targets/libos/services.hpp"
#include "targets/xen/control.hpp"
#include "targets/xen/hypercall.hpp"
#include "targets/xen/hypervisor.hpp"
#include "targets/xen/idle.hpp"
#include "targets/xen/life.hpp"
#include "targets/xen/vifs.hpp"

namespace xen_target {

namespace {

std::uint64_t memory_kib() {
  std::uint64_t bytes = 0;
  const libos::Boot& boot = libos::boot();
  for (std::size_t i = 0; i < boot.memory_count; ++i) {
    bytes += boot.memory[i].end - boot.memory[i].begin;
  }
  return bytes / 1024;
}

// Everything that is there once, in the order in which it is built.
struct Machine {
  Machine(std::span<char* const> arguments, base::LogLevel log_level)
      : log(console, log_level),
        control(store, log, memory_kib()),
        vifs(host, grants, store, log),
        vbds(host, grants, store, log),
        net(begin()),
        idle(clock, host, store, [this] { look(); }),
        loop(clock, idle),
        platform{
            {loop, clock, entropy, net, console, log, arguments, 0, 1, [this] { ready(); }, {}},
            vifs,
            vbds,
            store,
            boot_words(store, vifs.addresses(), arguments),
            credentials_of(store)} {
    vifs.serve(loop);
    vbds.serve(loop);
    idle.serve(vifs, vbds);
    platform.memory_bytes = libos::free_memory_bytes();
    if (log_level == base::LogLevel::debug) memory_line.begin();
  }

  void begin_store() {
    const life::Store found = life::store();
    store.begin(reinterpret_cast<xenstore_domain_interface*>(found.page), found.port);
  }

  Netfront& begin() {
    begin_store();
    if (life::store().page == 0 || life::store().port == 0 || !store.get("domid")) {
      throw std::runtime_error("xenstore does not answer this guest");
    }
    control.begin();
    vifs.begin();
    return vifs.first();
  }

  void ready() {
    if (vifs.used() < vifs.count()) {
      log.warning({"this guest has ", std::to_string(vifs.count()),
                   " network devices, of which this image uses ", std::to_string(vifs.used())});
    }
    log.info({libos::boot_line()});
  }

  // Watches say only that something has changed.
  void look() {
    while (const std::optional<std::string> token = store.next_event()) {
      if (*token == Control::token) {
        control.look([this](Control::Wish wish) { grant(wish); });
      } else if (*token == Vif::token) {
        vifs.look();
      } else if (*token == Vbd::token) {
        vbds.look();
      }
    }
    if (vifs.is_broken()) vifs.look();
    if (vbds.is_broken()) vbds.look();
  }

  void grant(Control::Wish wish) {
    if (wish == Control::Wish::suspend) {
      suspend();
      return;
    }
    if (wish == Control::Wish::reboot) life::reboot_at_end();
    const std::function<void()> once = std::exchange(platform.on_stop, [] {});
    log.info({"the toolstack asks for ", wish == Control::Wish::reboot ? "a reboot" : "an end",
              "; ", libos::memory_text_most(), "; ", counts_text()});
    once ? once() : loop.stop();
  }

  void suspend() {
    log.info({"put away"});
    const bool is_anew = life::suspend();
    if (is_anew) {
      begin_store();
      grants.begin_again();
      control.begin();
      vifs.begin_again();
      vbds.begin_again();
    }
    log.info({"taken up again", is_anew ? "" : ": it was not put away after all"});
  }

  std::string counts_text() const {
    const hypercall::Counts calls = hypercall::counts();
    const Netfront::Counts frames = vifs.counts();
    return "hypercalls " + std::to_string(calls.all) + ", of them " +
           std::to_string(calls.notifications) + " notifications and " +
           std::to_string(calls.sleeps) + " sleeps; frames " + std::to_string(frames.received) +
           " in, " + std::to_string(frames.sent) + " out, " + std::to_string(frames.dropped) +
           " dropped";
  }

  libos::Console console;
  base::Log log;
  libos::Clock clock;
  libos::Entropy entropy{"Xen gives none"};
  Hypervisor host;
  Grants grants{host};
  Xenstore store{host};
  Control control;
  Vifs vifs;
  Vbds vbds;
  Netfront& net;
  Idle idle;
  base::Loop loop;
  Platform platform;
  libos::MemoryLine memory_line{loop, log};
};

}  // namespace

int start(int argc, char** argv, base::LogLevel log_level,
          const std::function<int(Platform&)>& run) {
  std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 0) arguments = arguments.subspan(1);
  try {
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

}  // namespace xen_target
