// SPDX-License-Identifier: ISC
// examples/hello-console/config.hpp: an appliance without a network: prints, sleeps, prints, ends.
//
//   crunch build -t unix -o hello --config examples/hello-console/config.hpp && ./hello

#pragma once

#include <string>
#include <tuple>

#include "config/key.hpp"
#include "config/parts/target_parts.hpp"

namespace {

using namespace config;

constexpr Key<std::string_view> greeting{
    .name = "greeting", .section = "HELLO", .doc = "What to say", .fallback = "hello"};
constexpr Key<Duration> pause_key{
    .name = "pause", .section = "HELLO", .doc = "How long to sleep between", .fallback = "1s"};
constexpr Key<unsigned> times{
    .name = "times", .section = "HELLO", .doc = "How often to say it", .fallback = 3, .most = 1000};

// The functor: work over any console and any time.
template <class Console, class Time>
class Hello {
 public:
  Hello(Console& console, Time& time, std::string text, Duration pause, unsigned count)
      : console_(console), time_(time), text_(std::move(text)), pause_(pause), count_(count) {}

  base::Task<void> run() {
    for (unsigned i = 0; i < count_ && !is_draining_; ++i) {
      if (i > 0) co_await time_.sleep_for(pause_);
      console_.write(text_ + "\n");
    }
  }
  // The loop wakes what is asleep then.
  void drain() { is_draining_ = true; }

 private:
  Console& console_;
  Time& time_;
  std::string text_;
  Duration pause_;
  unsigned count_;
  bool is_draining_ = false;
};

struct ConnectHello {
  static constexpr std::tuple keys{&greeting, &pause_key, &times};
  template <class Console, class Time>
  Hello<Console, Time> operator()(auto& context, Console& console, Time& time) const {
    return {console, time, context.boot.text(greeting), context.boot.value(pause_key),
            context.boot.value(times)};
  }
};

template <class... M>
using HelloOf = Hello<M...>;
constexpr auto hello = foreign<HelloOf>("Hello", console_type >> time_type >> job, ConnectHello{});

constexpr auto app = jobs(hello(default_console, default_time));

}  // namespace
