// SPDX-License-Identifier: ISC
#include "config/memory.hpp"

#include <algorithm>

namespace config {

namespace {

// How many of a cost fit, within bounds.
std::size_t count_of(std::uint64_t bytes, std::uint64_t each, std::size_t least, std::size_t most) {
  return std::clamp(static_cast<std::size_t>(std::min<std::uint64_t>(bytes / each, most)), least,
                    std::max(least, most));
}

}  // namespace

MemoryShares divide_memory(std::uint64_t total_bytes, const MemoryUsers& users) {
  MemoryShares shares;
  shares.total_bytes = total_bytes;
  const std::uint64_t threads = std::max(users.thread_count, 1U);
  std::uint64_t left = total_bytes - std::min(total_bytes, threads * thread_bytes);
  if (users.has_management) {
    shares.management_bytes = management_connections * (plain_connection_bytes + request_bytes);
    left -= std::min(left, shares.management_bytes);
  }

  // An eighth is for what no account has: the heap's own, caches, configuration.
  shares.rest_bytes = left / 8;
  left -= shares.rest_bytes;

  // Connections may take two thirds if their number was set, else a quarter.
  const std::uint64_t connection =
      plain_connection_bytes + (users.has_tls ? tls_connection_bytes : 0);
  shares.connections_max = count_of(users.connections_are_asked_for ? left / 3 * 2 : left / 4,
                                    connection, 1, users.connections_wanted);
  shares.connections_bytes = shares.connections_max * connection;
  left -= std::min(left, shares.connections_bytes);

  // Half of what is left is on the way, if that is ours.
  if (users.has_own_stack) {
    shares.stack_bytes = left / 2;
    left -= shares.stack_bytes;
  }

  if (users.has_tls) {
    shares.handshakes_per_thread =
        count_of(left / 2 / threads, handshake_bytes, handshakes_least,
                 std::max<std::size_t>(handshakes_max / threads, handshakes_least));
    shares.handshakes_bytes = threads * shares.handshakes_per_thread * handshake_bytes;
    left -= std::min(left, shares.handshakes_bytes);
  }
  if (users.has_http2) {
    shares.http2_bytes_per_thread =
        std::min(left / 4, shares.connections_max * http2_connection_bytes) / threads;
    shares.http2_bytes = threads * shares.http2_bytes_per_thread;
    left -= shares.http2_bytes;
  }
  const std::uint64_t request = request_bytes + (users.has_tls ? tls_sending_bytes : 0);
  shares.requests_per_thread =
      count_of(left / threads, request, requests_least, shares.connections_max);
  shares.requests_bytes = threads * shares.requests_per_thread * request;
  left -= std::min(left, shares.requests_bytes);
  shares.rest_bytes += left;
  return shares;
}

std::array<MemoryShare, 7> shares_by_name(const MemoryShares& shares) {
  return {{{"connections", shares.connections_bytes},
           {"requests", shares.requests_bytes},
           {"handshakes", shares.handshakes_bytes},
           {"http2", shares.http2_bytes},
           {"network", shares.stack_bytes},
           {"management", shares.management_bytes},
           {"rest", shares.rest_bytes}}};
}

std::string mebibytes_text(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes * 10 / (std::uint64_t{1} << 20);
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " MiB";
}

std::string memory_text(const MemoryShares& shares, unsigned thread_count) {
  std::string text = "memory: " + mebibytes_text(shares.total_bytes) + " for ";
  text += std::to_string(shares.connections_max) + " connections, ";
  text +=
      std::to_string(std::min(shares.requests_per_thread * thread_count, shares.connections_max)) +
      " requests at once";
  if (shares.handshakes_per_thread > 0) {
    text += ", " + std::to_string(shares.handshakes_per_thread * thread_count) + " handshakes";
  }
  if (shares.http2_bytes_per_thread > 0) {
    text += ", " + mebibytes_text(shares.http2_bytes_per_thread * thread_count) + " of HTTP/2";
  }
  if (shares.stack_bytes > 0) text += ", " + mebibytes_text(shares.stack_bytes) + " on the network";
  return text;
}

}  // namespace config
