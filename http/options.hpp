// SPDX-License-Identifier: ISC
// http/options.hpp: every maximum and every duration of the server, by name, with its default.
//
// Used by: http/server, a configuration's boot keys.   May include: base/clock.hpp, http.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/admission.hpp"
#include "http/challenge_texts.hpp"
#include "http/proxies.hpp"

namespace http {

struct Options {
  // At the maximum another connection gives way (http/admission.hpp); without one that may, a
  // newcomer is told 503. Both are for servers whose admission is their own.
  std::size_t connections_max = 10'000;
  std::size_t connections_per_client_max = AdmissionLimits::none;
  // Requests at once that have buffers, each about 31 KB; further ones wait for none of them, their
  // connections are closed.
  std::size_t requests_max = AdmissionLimits::none;
  // Newcomers that are being told 503; more than these are closed without a word.
  std::size_t refusals_max = 64;
  // Afterwards the connection is closed; 0 is without limit.
  std::uint64_t requests_per_connection_max = 10'000;

  // A request's head, from its first byte to the empty line: 431 above. A connection with a
  // request holds a buffer of first_buffer_bytes, and one for so much only if its head needs it.
  std::size_t header_bytes_max = std::size_t{32} * 1024;
  std::size_t target_bytes_max = 8192;  // 414 above (RFC 9112 section 3: at least 8,000)
  std::size_t fields_max = 100;         // 431 above
  // Bodies are read and dropped up to here, coding included; above: 413, and the connection ends.
  std::uint64_t body_bytes_max = std::uint64_t{64} * 1024;
  // More ranges than this, and the whole is sent (RFC 9110 section 14.2); at most ranges_limit.
  std::size_t ranges_max = 16;

  // From a request's first byte until its head is complete, and again for its body: then 408.
  base::Duration header_within = std::chrono::seconds(10);
  // Between requests, and before the first.
  base::Duration idle_within = std::chrono::seconds(75);
  // A peer that takes no byte of an answer for so long has gone.
  base::Duration stall_within = std::chrono::seconds(30);
  // A value is written in steps of so many bytes at most: one that was taken shows that the peer
  // still reads (http/admission.hpp).
  std::uint64_t step_bytes_max = std::uint64_t{256} * 1024;
  // After an error is answered, how long and how much is still read, so that the answer is not lost
  // to a reset.
  base::Duration linger_within = std::chrono::seconds(2);
  std::uint64_t linger_bytes_max = std::uint64_t{256} * 1024;
  // How long running answers may take to finish once drain() was called.
  base::Duration drain_within = std::chrono::seconds(10);

  // Names of hosts that are answered, beside addresses; others get 421. Empty: all.
  std::vector<std::string> hosts = {};

  // The store answers below ".crunch/": the preview. Otherwise no request can name that.
  bool serves_own_folder = false;

  // Answered before everything else that a request for them could mean. Null: there are none. They
  // outlive the server.
  const ChallengeTexts* challenges = nullptr;

  // What asks came by https.
  bool is_secure = false;
  // Not 0: nothing is served but a redirect (308) to https on this port.
  std::uint16_t https_port = 0;
  // Not 0: every answer says that only https is to be asked for so many seconds (RFC 6797).
  std::uint32_t hsts_s = 0;
  // Whether the two hold now, asked at each request: a certificate may come later, or change. Null:
  // they do. What it points to outlives the server.
  const std::atomic<bool>* has_https = nullptr;
  const std::atomic<bool>* may_pin = nullptr;

  [[nodiscard]] std::uint16_t https_port_now() const noexcept {
    return has_https == nullptr || has_https->load(std::memory_order_relaxed) ? https_port
                                                                              : std::uint16_t{0};
  }
  [[nodiscard]] std::uint32_t hsts_now_s() const noexcept {
    return may_pin == nullptr || may_pin->load(std::memory_order_relaxed) ? hsts_s : 0;
  }

  // Memory of HTTP/2, of a server that shares none with others (http/h2/budget.hpp).
  std::size_t http2_bytes_max = std::size_t{64} * 1024 * 1024;
  // A plain flow whose first bytes are HTTP/2's preface speaks that (RFC 9113 section 3.3).
  bool http2_cleartext = false;

  // Proxies that are believed what they say of their visitors (http/proxies.hpp).
  TrustedProxies trusted_proxies = {};
  // hsts_s for what came to one of them by https, on a server that is not secure itself.
  std::uint32_t proxied_hsts_s = 0;

  // Bodies up to here are copied behind the head: one piece to write, and pipelined answers share a
  // write.
  std::size_t copy_bytes_max = 2048;
};

// What Options::ranges_max may be at most.
inline constexpr std::size_t ranges_limit = 16;

}  // namespace http
