// SPDX-License-Identifier: ISC
// config/parts/modules.hpp: the module types that devices of an appliance may have.
//
// States:  source, kv_ro, server_stack, stack, job, console, clock, entropy, time: each names a
//          concept.

#pragma once

#include <concepts>
#include <string_view>

#include "base/clock.hpp"
#include "base/console.hpp"
#include "base/entropy.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "config/graph.hpp"
#include "kv/kv.hpp"
#include "net/stack.hpp"

namespace config {

struct SourceModule {
  static constexpr std::string_view name = "source";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = kv::Source<T>;
};
inline constexpr Typ<SourceModule> source;

struct KvRoModule {
  using Refines = SourceModule;
  static constexpr std::string_view name = "kv_ro";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = kv::KvRo<T>;
};
inline constexpr Typ<KvRoModule> kv_ro;

struct ServerStackModule {
  static constexpr std::string_view name = "server_stack";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = net::ServerStack<T>;
};
inline constexpr Typ<ServerStackModule> server_stack;

struct StackModule {
  using Refines = ServerStackModule;
  static constexpr std::string_view name = "stack";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = net::Stack<T>;
};
inline constexpr Typ<StackModule> stack;

// Work that runs until it has ended by itself or been drained.
struct JobModule {
  static constexpr std::string_view name = "job";
  static constexpr bool is_job = true;
  template <class T>
  static constexpr bool holds = requires(T& job) {
    { job.run() } -> std::same_as<base::Task<void>>;
    { job.drain() } -> std::same_as<void>;
  };
};
inline constexpr Typ<JobModule> job;

// What every target has, handed on as a device.
template <class Interface, Text text>
struct PartOfTargetModule {
  static constexpr std::string_view name = text.view();
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = std::derived_from<std::remove_reference_t<T>, Interface>;
};
inline constexpr Typ<PartOfTargetModule<base::Console, "console">> console_type;
inline constexpr Typ<PartOfTargetModule<base::Clock, "clock">> clock_type;
inline constexpr Typ<PartOfTargetModule<base::Entropy, "entropy">> entropy_type;
inline constexpr Typ<PartOfTargetModule<base::Loop, "time">> time_type;

}  // namespace config
