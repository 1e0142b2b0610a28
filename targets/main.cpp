// SPDX-License-Identifier: ISC
// targets/main.cpp: every image's main: a configuration, applied to a target.
//
// CRUNCH_TARGET and CRUNCH_CONFIG name the two headers to include, in quotes. The configuration
// defines `constexpr auto app`.

#include CRUNCH_TARGET
#include CRUNCH_CONFIG

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "config/block_devices.hpp"
#include "config/boot.hpp"
#include "config/context.hpp"
#include "config/describe.hpp"
#include "config/instances.hpp"
#include "config/run.hpp"
#include "config/system_calls.hpp"

// In place of libstdc++'s handler of the same name, which prints what was thrown and brings 60 KB
// for the names of C++. Start-up's exceptions are caught; nothing on the serving path throws.
namespace __cxxabiv1 {
extern std::terminate_handler __terminate_handler;
std::terminate_handler __terminate_handler = [] {
  base::panic(__FILE__, __LINE__, "an uncaught exception");
};
}  // namespace __cxxabiv1

// Defaults of boot keys that `crunch build` was told.
extern "C" const config::Setting crunched_settings[];

namespace {

using config::Context;
using config::Instances;

// Where `crunch describe` and `crunch inspect` find the graph; nothing reads it at run time.
[[gnu::used, gnu::retain, gnu::section(".crunch.graph")]] constexpr auto graph =
    config::graph_json<target::keys, app>();

// Connects every device, runs the jobs side by side until they have ended, disconnects.
int run(target::Platform& platform, const config::BootLine& boot, config::Shared& of_appliance) {
  Context<target::Platform> context{platform, boot, {}, of_appliance};
  try {
    Instances<std::remove_cvref_t<decltype(app)>, Context<target::Platform>> instances(context);
    base::Duration delay{};
    if (boot.has_key(config::drain_delay.name)) delay = boot.value(config::drain_delay);
    config::Running running(instances, platform.loop, platform.log, delay);
    running.start();
    platform.on_stop = [&running] { running.leave(); };
    config::declare_system_calls<app>(platform);
    config::declare_block_devices<app>(platform);
    platform.ready();
    return running.run();
  } catch (const config::StartError& error) {
    platform.log.error({error.what()});
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::span<const config::KeyInfo> keys = config::keys_of<target::keys, app>;
  std::string_view program = argc > 0 ? argv[0] : "image";
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  auto boot = config::BootLine::parse(words, keys, crunched_settings, std::getenv);
  if (!boot) {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(),
                 boot.error().c_str());
    return 2;
  }
  if (boot->wants_help()) {
    std::fputs(config::help_text(program, keys, *boot).c_str(), stdout);
    return 0;
  }
  config::Shared of_appliance;
  return target::run(argc, argv, *boot, [&](auto& platform) {
    if constexpr (requires { platform.host_words; }) {
      boot = boot->with_host(platform.host_words);
      if (!boot) {
        platform.log.error({boot.error()});
        return 2;
      }
    }
    return run(platform, *boot, of_appliance);
  });
}
