// SPDX-License-Identifier: ISC
// examples/first-change/config.hpp: what docs/first-change.md shows: another port, a second site
// and a job of one's own, in one appliance.
//
//   crunch build htdocs -t unix -o site --config examples/first-change/config.hpp
//     --set drafts-store=directory
//   ./site --http-port=8081 --drafts-directory=/srv/drafts --greeting-every=10s

#pragma once

#include <string>
#include <tuple>

#include "config/key.hpp"
#include "config/parts/parts.hpp"

extern "C" const kv::crunched::Site crunched_site;

namespace {

using namespace config;

// Another port: a key of its own, with its own default.
constexpr Key<Port> drafts_port{.name = "drafts-http-port",
                                .section = "NETWORK",
                                .doc = "Port of the drafts",
                                .fallback = 8090};

// A second site: another store, whose keys begin with its name.
constexpr auto site = generic_kv_ro<crunched_site>("site");
constexpr auto drafts = generic_kv_ro<crunched_site, "drafts">("drafts");
constexpr auto wire = generic_stack();

// A job of one's own: a class that runs until it is told to drain.
constexpr Key<Duration> greeting_every{.name = "greeting-every",
                                       .section = "GREETING",
                                       .doc = "How long to sleep between greetings",
                                       .fallback = "1m"};

template <class Console, class Time>
class Greeter {
 public:
  Greeter(Console& console, Time& time, Duration every)
      : console_(console), time_(time), every_(every) {}

  base::Task<void> run() {
    for (unsigned count = 1; !is_draining_; ++count) {
      console_.write("hello for the " + std::to_string(count) + ". time\n");
      co_await time_.sleep_for(every_);
    }
  }
  // The loop wakes what is asleep then.
  void drain() { is_draining_ = true; }

 private:
  Console& console_;
  Time& time_;
  Duration every_;
  bool is_draining_ = false;
};

// How it gets what it needs: its keys, and the parts by their types.
struct ConnectGreeter {
  static constexpr std::tuple keys{&greeting_every};
  template <class Console, class Time>
  Greeter<Console, Time> operator()(auto& context, Console& console, Time& time) const {
    return {console, time, context.boot.value(greeting_every)};
  }
};
template <class... M>
using GreeterOf = Greeter<M...>;
constexpr auto greeter =
    foreign<GreeterOf>("Greeter", console_type >> time_type >> job, ConnectGreeter{});

// The appliance.
constexpr auto app =
    jobs(http_server<http_port>()(site, wire), http_server<drafts_port>()(drafts, wire),
         greeter(default_console, default_time));

}  // namespace
