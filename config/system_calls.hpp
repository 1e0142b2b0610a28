// SPDX-License-Identifier: ISC
// config/system_calls.hpp: which system calls the devices and jobs of an appliance make.
//
// States:  declare_system_calls; reading_files, watching_files and changing_files, lists for those
//          that open files again, watch or change them.
// A connect says it beside its `keys`: `static constexpr std::array system_calls{SYS_socket};`,
// for what its device calls after the ports are open. A target with system calls lets nothing else
// through then (targets/unix/sandbox.hpp); the others never ask.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include <sys/syscall.h>

#include "config/graph.hpp"

namespace config {

// To open a file by its name, look at it, and read it.
inline constexpr std::array reading_files{SYS_openat, SYS_openat2,    SYS_newfstatat, SYS_fstat,
                                          SYS_lseek,  SYS_readlinkat, SYS_pread64};
// The same, and to find where links lead and be told that files have changed.
inline constexpr std::array watching_files = [] {
  std::array watching{SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_readlink};
  std::array<int, reading_files.size() + watching.size()> calls{};
  std::ranges::copy(watching, std::ranges::copy(reading_files, calls.begin()).out);
  return calls;
}();
// Besides reading_files: to make, replace, remove and list files beneath a folder, durably.
// Allowed only if a part also names the folder (`change_beneath` of its platform).
inline constexpr std::array changing_files{SYS_mkdirat, SYS_unlinkat,   SYS_renameat,
                                           SYS_fsync,   SYS_getdents64, SYS_fcntl};

namespace detail {

template <class Connect>
inline constexpr std::array<int, 0> calls_of_connect{};
template <class Connect>
requires requires { Connect::system_calls; }
inline constexpr auto calls_of_connect<Connect> = Connect::system_calls;

class CallList {
 public:
  static constexpr std::size_t calls_max = 256;

  template <class A>
  constexpr explicit CallList(const A& app) {
    for_each_device(app, [this](const auto& device) {
      using Connect = typename std::remove_cvref_t<decltype(device)>::Connection;
      for (const int call : calls_of_connect<Connect>) add(call);
    });
  }
  [[nodiscard]] constexpr std::span<const int> all() const {
    return std::span(calls_).first(count_);
  }

 private:
  constexpr void add(int call) {
    if (std::ranges::find(all(), call) == all().end()) calls_[count_++] = call;
  }
  std::array<int, calls_max> calls_{};
  std::size_t count_ = 0;
};

// The union of what the devices and jobs of `app` declare.
template <const auto& app>
inline constexpr CallList call_list{app};

}  // namespace detail

// Tells a target that asks for it the union of what the devices and jobs of `app` declare.
template <const auto& app, class Platform>
void declare_system_calls(Platform& platform) {
  if constexpr (requires { platform.system_calls; }) {
    platform.system_calls = detail::call_list<app>.all();
  }
}

}  // namespace config
