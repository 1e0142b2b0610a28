// SPDX-License-Identifier: ISC
// http/common.hpp: what the connections of one server share.
//
// Owns:  buffers, the site's rules, the date, and, unless the server shares them with others, its
//        admission and its counters.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/loop.hpp"
#include "http/access_log.hpp"
#include "http/admission.hpp"
#include "http/counters.hpp"
#include "http/date.hpp"
#include "http/h2/budget.hpp"
#include "http/options.hpp"
#include "http/site/rules.hpp"
#include "http/workspace.hpp"

namespace http {

class Common {
 public:
  // `admission`, `counters` and `http2` outlive it; null: it has one of its own, with the limits of
  // `options`.
  Common(base::Loop& loop, const Options& options, AccessLog& log, Admission* admission = nullptr,
         Counters* counters = nullptr, h2::Budget* http2 = nullptr);

  const Options options;
  // As they are for this request: a proxy that is trusted may say that it came by https, or not.
  [[nodiscard]] const Options& options_of(const Request& request,
                                          const net::Endpoint& peer) const noexcept;
  base::Loop& loop;
  AccessLog& log;
  WorkspacePool pool;
  site::VisitPool visits;
  std::shared_ptr<const site::Rules> rules;  // of the site; null: it has none
  bool is_leaving = false;                   // every answer is the last one of its connection
  bool draining = false;                     // and no connection waits for a further request
  bool aborting = false;                     // nothing more goes out

  // Seconds since 1970 and the Date field, read from the clock once a turn.
  [[nodiscard]] std::int64_t now_s() noexcept;
  [[nodiscard]] std::string_view date() noexcept { return date_.at(now_s()); }

  // From the next request on; null: none. Throws std::bad_alloc.
  void use(std::shared_ptr<const site::Rules> its_rules) {
    if (its_rules != nullptr) visits.reserve();
    rules = std::move(its_rules);
  }

  [[nodiscard]] Admission& admission() noexcept { return admission_; }
  [[nodiscard]] Counters& counters() noexcept { return counters_; }
  [[nodiscard]] h2::Budget& http2() noexcept { return http2_; }

  // Where the head of an answer is put together, of one at a time. Empty: there is no memory.
  [[nodiscard]] std::span<char> head_buffer() noexcept;

  // When a request begins. A log wants it exactly.
  [[nodiscard]] base::Instant request_start() const noexcept {
    return log.is_on() ? loop.clock().now() : loop.now();
  }
  // An answer to a request that began at `started` was put together, or broke off.
  void answered(Protocol protocol, Status status, std::uint64_t body_bytes,
                base::Instant started) noexcept {
    counters_.answered(protocol, status, body_bytes);
    durations_.answered(started);
  }

 private:
  struct OwnAdmission {
    OwnAdmission(base::Loop& loop, const Options& options);
    Clients clients;
    Admission admission;
  };
  std::unique_ptr<OwnAdmission> own_;
  const Options secure_options_, plain_options_;  // of requests that came so to a proxy
  Admission& admission_;
  std::unique_ptr<Counters> own_counters_;
  Counters& counters_;
  DurationTally durations_;
  h2::Budget own_http2_;
  h2::Budget& http2_;
  std::unique_ptr<char[]> head_buffer_;
  base::Instant turn_ = base::never;
  std::int64_t now_s_ = 0;
  DateCache date_;
};

}  // namespace http
