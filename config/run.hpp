// SPDX-License-Identifier: ISC
// config/run.hpp: runs the jobs of an appliance, and ends them.
//
// States:  running -> leaving (asked to stop: for the drain delay jobs go on, and tell clients and
//          load balancers that they will end) -> draining (the delay is over, or a job has failed)
//          -> all jobs have ended, or drain_within is over: then what is left is cut.
// Rules:   1. A job that ends by an exception ends the appliance, with status 1.
//          2. Leaving calls announce_drain() once of each job that has it.
//          3. A drain calls each job's drain() once and wakes what sleeps.
//          4. After run() no task is left that refers to a device.

#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "config/key.hpp"

namespace config {

// Listed by the jobs that can announce a drain.
inline constexpr Key<Duration> drain_delay{
    .name = "drain-delay",
    .section = "HTTP",
    .doc = "How long to go on serving after being asked to stop, with /readyz at 503",
    .fallback = "0s",
    .least = "0s",
    .most = "1h"};

// More than http::Options::drain_within, so that answers under way have that in full.
inline constexpr base::Duration drain_within = std::chrono::seconds(15);

template <class Instances>
class Running {
 public:
  // `delay`: how long jobs go on once they were asked to end.
  Running(Instances& instances, base::Loop& loop, base::Log& log,
          base::Duration delay = {}) noexcept
      : instances_(instances), loop_(loop), log_(log), delay_(delay), leave_(*this), cut_(*this) {}

  void start() {
    instances_.for_each_job([this](auto& one) { loop_.spawn(run_job(one)); });
  }
  // Asks every job to end, after the delay.
  void leave() {
    if (delay_ <= base::Duration{}) {
      drain();
      return;
    }
    if (is_draining_ || std::exchange(is_leaving_, true)) return;
    instances_.for_each_job([](auto& one) {
      if constexpr (requires { one.announce_drain(); }) one.announce_drain();
    });
    leave_.arm(loop_.now() + delay_);
  }
  // Asks every job to end now.
  void drain() {
    if (std::exchange(is_draining_, true)) return;
    leave_.disarm();
    instances_.for_each_job([](auto& one) { one.drain(); });
    loop_.wake_sleepers();
    cut_.arm(loop_.now() + drain_within);
  }
  // Turns the loop until the jobs have ended; the exit status.
  int run() {
    loop_.run();
    leave_.disarm();
    cut_.disarm();
    loop_.destroy_tasks();
    return status_;
  }

 private:
  // The end of the delay.
  class Leave final : public base::Timer {
   public:
    explicit Leave(Running& running) noexcept : Timer(running.loop_), running_(running) {}
    void expired() override { running_.drain(); }

   private:
    Running& running_;
  };
  // The bound of a drain.
  class Cut final : public base::Timer {
   public:
    explicit Cut(Running& running) noexcept : Timer(running.loop_), running_(running) {}
    void expired() override {
      running_.log_.warning({"a job has not ended within ", std::to_string(drain_within / one_s),
                             " s of being asked to: it is cut"});
      running_.loop_.stop();
    }

   private:
    static constexpr base::Duration one_s = std::chrono::seconds(1);
    Running& running_;
  };

  template <class Job>
  base::Task<void> run_job(Job& one) {
    try {
      co_await one.run();
      co_return;
    } catch (const std::exception& error) {
      log_.error({error.what()});
    }
    status_ = 1;
    drain();
  }

  Instances& instances_;
  base::Loop& loop_;
  base::Log& log_;
  const base::Duration delay_;
  Leave leave_;
  Cut cut_;
  bool is_leaving_ = false;
  bool is_draining_ = false;
  int status_ = 0;
};

}  // namespace config
