// SPDX-License-Identifier: ISC
// tests/image/sandbox/config.hpp: the default appliance, and a job that does what its key says
// after the ports are open: what a program that was taken over would try.
//
// Used by: tests/image/sandbox_test.py.

#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/parts/parts.hpp"
#include "config/parts/target_parts.hpp"

extern "C" const kv::crunched::Site crunched_site;
extern "C" const config::EmbeddedFile crunched_credentials[];

namespace {

using namespace config;

enum class Deed : std::uint8_t { none, execute, debug, write, fork, code, connect };
inline constexpr std::string_view deed_words[] = {"none", "execute", "debug",  "write",
                                                  "fork", "code",    "connect"};
inline constexpr Key<Deed> deed{.name = "deed",
                                .section = "TEST",
                                .doc = "What the job does once the ports are open",
                                .fallback = Deed::none,
                                .words = deed_words};

template <class Time>
class Doer {
 public:
  Doer(Time& time, Deed what) : time_(time), what_(what) {}

  base::Task<void> run() {
    if (what_ == Deed::none) co_return;
    co_await time_.sleep_for(std::chrono::milliseconds(50));
    do_it();
  }
  void drain() {}

 private:
  void do_it() const {
    switch (what_) {
      case Deed::none:
        break;
      case Deed::execute:
        ::syscall(SYS_execve, "/bin/true", nullptr, nullptr);
        break;
      case Deed::debug:
        ::syscall(SYS_ptrace, 0L, 0L, 0L, 0L);
        break;
      case Deed::write:
        ::syscall(SYS_openat, AT_FDCWD, "/tmp/taken", O_WRONLY | O_CREAT, 0600);
        break;
      case Deed::fork:
        ::syscall(SYS_fork);
        break;
      case Deed::code:
        ::syscall(SYS_mmap, 0L, 4096L, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
        break;
      case Deed::connect:
        for (int i = 0; i < 3; ++i) ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
        break;
    }
  }

  Time& time_;
  Deed what_;
};

struct ConnectDoer {
  static constexpr std::tuple keys{&deed};
  template <class Time>
  Doer<Time> operator()(auto& context, Time& time) const {
    return {time, context.boot.value(deed)};
  }
};
template <class... M>
using DoerOf = Doer<M...>;
constexpr auto doer = foreign<DoerOf>("Doer", time_type >> job, ConnectDoer{});

constexpr auto site = generic_kv_ro<crunched_site>("site");
constexpr auto network = generic_stack();
constexpr auto wire = proxied(network);
constexpr auto secure = tls_over(wire, credentials<crunched_credentials>());

constexpr auto app = jobs(redirect_to_https<http_port>()(site, wire, secure),
                          https_server()(site, secure), doer(default_time));

}  // namespace
