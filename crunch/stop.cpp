// SPDX-License-Identifier: ISC
#include "crunch/stop.hpp"

#include <csignal>

#include "crunch/failure.hpp"

namespace crunch {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

}  // namespace

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal_number) { stop_signal = signal_number; };
  for (int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    // nohup starts us with SIGHUP ignored: it stays ignored.
    if (::sigaction(signal_number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    ::sigaction(signal_number, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &action, nullptr);
  ::sigaction(SIGPIPE, &action, nullptr);
}

void check_stopped() {
  if (stop_signal != 0) throw Interrupted(stop_signal);
}

}  // namespace crunch
