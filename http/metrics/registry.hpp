// SPDX-License-Identifier: ISC
// http/metrics/registry.hpp: the numbers of an appliance by name, and their text for Prometheus.
//
// States:  Kind, Family, Registry.   Used by: config/parts, which says which numbers there are;
//          http/metrics/metrics.hpp, which shows them.
// Owns:    the counters of all threads, so that numbers outlive what they are about.
// Rules:   1. Samples of one family that have the same labels are added up: those of threads.
//          2. `write` may run while threads count, and while others add samples.
// Source:  Prometheus, "Exposition formats" (text, 0.0.4) and "Metric and label naming".

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/counters.hpp"

namespace http::metrics {

enum class Kind : std::uint8_t { counter, gauge };

// Texts are literals. Names follow Prometheus: "crunch_", base units, "_total" for counters.
struct Family {
  std::string_view name;
  std::string_view help;  // a line without backslashes
  Kind kind = Kind::counter;
  std::uint64_t units_per_one = 1;  // 1e9 where nanoseconds are counted and seconds are shown
};

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // `labels`: "code=\"2xx\",..." or nothing. `read` may be called from any thread as long as the
  // registry lives. Throws std::bad_alloc, as all here.
  void add(const Family& family, std::string labels, std::function<std::uint64_t()> read);
  void add(const Family& family, std::string labels, const base::Counter& counter) {
    add(family, std::move(labels), [&counter] { return counter.value(); });
  }

  // An object that samples refer to.
  template <class T>
  T& make() {
    auto made = std::make_shared<T>();
    T& object = *made;
    const std::lock_guard lock(mutex_);
    objects_.push_back(std::move(made));
    return object;
  }
  // The counters of one thread's servers, with their samples.
  [[nodiscard]] Counters& add_counters();

  // Appends the whole text: at most text_bytes_max() bytes, however large the numbers are.
  void write(std::string& out) const;
  [[nodiscard]] std::size_t text_bytes_max() const;

 private:
  struct Sample {
    std::string labels;
    std::vector<std::function<std::uint64_t()>> reads;
  };
  struct Named {
    Family family;
    std::vector<Sample> samples;
  };
  void write_durations(std::string& out) const;

  mutable std::mutex mutex_;
  std::vector<Named> families_;  // in the order in which they were added first
  std::vector<const Counters*> counters_;
  std::vector<std::shared_ptr<void>> objects_;
};

}  // namespace http::metrics
