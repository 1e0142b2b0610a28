// SPDX-License-Identifier: ISC
// config/memory.hpp: all memory of an appliance, divided once, at its start, among named users.
//
// States:  MemoryUsers, MemoryShares, divide_memory.
// Method:  a plain function of the total and of what the appliance has. What is asked for and does
//          not fit is lowered; each share then bounds its user's own maxima.
// Rule:    the shares together are at most the total, from 4 MiB and 1 MiB for each thread on: with
//          every user at its maximum, memory lasts.
// Used by: config/parts. The costs are what these users take, measured.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace config {

struct MemoryUsers {
  unsigned thread_count = 1;
  bool has_tls = false;
  bool has_http2 = false;
  bool has_own_stack = false;   // else what is on the way is the kernel's
  bool has_management = false;  // a management port that is on
  std::size_t connections_wanted = 0;
  bool connections_are_asked_for = false;  // set explicitly, not by default
};

// Of the whole appliance, but for what says otherwise.
struct MemoryShares {
  std::uint64_t total_bytes = 0;
  std::size_t connections_max = 0;           // each costs connection_bytes while it is idle
  std::size_t requests_per_thread = 0;       // at once: what is read, and the answer
  std::size_t handshakes_per_thread = 0;     // at once; 0 without TLS
  std::uint64_t http2_bytes_per_thread = 0;  // sessions and streams of HTTP/2; 0 without
  std::uint64_t stack_bytes = 0;             // our own stack's: what came, what is sent; 0 without
  std::uint64_t rest_bytes = 0;              // caches, and what no account has
  std::uint64_t management_bytes = 0;        // of the management port's own connections

  // What all connections, requests and handshakes together may take.
  std::uint64_t connections_bytes = 0;
  std::uint64_t requests_bytes = 0;
  std::uint64_t handshakes_bytes = 0;
  std::uint64_t http2_bytes = 0;

  friend bool operator==(const MemoryShares&, const MemoryShares&) = default;
};

// What one costs.
inline constexpr std::uint64_t plain_connection_bytes = 1536;
// More, with a fourth of what one costs that has not said hello (tls::OverOptions::openings_max).
inline constexpr std::uint64_t tls_connection_bytes = std::uint64_t{5} * 1024;
// http::Workspace, with an eighth of the buffer for a large head (http::WorkspacePool::large_max).
inline constexpr std::uint64_t request_bytes = std::uint64_t{36} * 1024;
inline constexpr std::uint64_t tls_sending_bytes = std::uint64_t{17} * 1024;
inline constexpr std::uint64_t handshake_bytes = std::uint64_t{45} * 1024;
inline constexpr std::uint64_t thread_bytes =
    std::uint64_t{256} * 1024;  // buffers that its connections share

// Connections of the management port, beside the others.
inline constexpr std::size_t management_connections = 8;

// Of HTTP/2 (http/h2/budget.hpp), with some streams.
inline constexpr std::uint64_t http2_connection_bytes = std::uint64_t{64} * 1024;

// Above these no more is needed; below the least nothing can be served.
inline constexpr std::size_t handshakes_max = 256;
inline constexpr std::size_t requests_least = 4;
inline constexpr std::size_t handshakes_least = 4;

[[nodiscard]] MemoryShares divide_memory(std::uint64_t total_bytes, const MemoryUsers& users);

// "memory: 11.9 MiB for 568 connections, 41 requests at once, 48 handshakes, 3.8 MiB on the
// network".
[[nodiscard]] std::string memory_text(const MemoryShares& shares, unsigned thread_count);

// Each share by its name: connections, requests, handshakes, network, management, rest.
struct MemoryShare {
  std::string_view name;
  std::uint64_t bytes;
};
[[nodiscard]] std::array<MemoryShare, 7> shares_by_name(const MemoryShares& shares);

// "12.4 MiB".
[[nodiscard]] std::string mebibytes_text(std::uint64_t bytes);

}  // namespace config
