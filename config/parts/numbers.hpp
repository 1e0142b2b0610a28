// SPDX-License-Identifier: ISC
// config/parts/numbers.hpp: the numbers of an appliance: one registry, and for each thread the
// counters that its servers share.
//
// States:  registry_of, counters_of.   Used by: the parts that count, and those that show it.

#pragma once

#include <memory>

#include "http/counters.hpp"
#include "http/metrics/registry.hpp"

namespace config {

// The same for all devices of all threads.
template <class Context>
http::metrics::Registry& registry_of(Context& context) {
  return context.of_appliance.template get<http::metrics::Registry>(
      [] { return std::make_unique<http::metrics::Registry>(); });
}

namespace detail {
struct ThreadCounters {
  http::Counters& counters;
};
}  // namespace detail

// The same for all servers of a thread.
template <class Context>
http::Counters& counters_of(Context& context) {
  http::metrics::Registry& registry = registry_of(context);
  return context.of_thread
      .template get<detail::ThreadCounters>([&registry] {
        return std::unique_ptr<detail::ThreadCounters>(
            new detail::ThreadCounters{registry.add_counters()});
      })
      .counters;
}

}  // namespace config
