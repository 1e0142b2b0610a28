// SPDX-License-Identifier: ISC
// net/lwip/connection_table.hpp: which connection a segment belongs to, by a keyed hash.
//
// lwIP searches its list of connections from the front, for each segment and whenever it removes
// one: with 10,000 busy connections that is nearly all of its work.
//
// Method:  each connection has a record in a hash table, by its addresses and ports; the key is
//          random, so that nobody can choose ports that collide. While lwIP looks for the
//          connection of a segment, its lists begin with that connection, or are empty. A
//          connection is moved to the front of lwIP's list when a segment has come for it and
//          before we end it, so that lwIP finds it at once when it removes it.
// Rules:   1. The order of the records is that of `tcp_active_pcbs`: a record joins when lwIP has
//             put its connection at the front, and leaves the order when that has left the list.
//          2. A record is removed with its own connection and never by a search: a connection in
//             TIME-WAIT and a new one may have the same addresses and ports.
//          3. Whoever asks lwIP anything sees whole lists: show_only() holds from the search for a
//             connection until crunch_lwip_segment is called, or tcp_input has returned.
// Owns:    a record for each connection, which is lwIP's memory (net/lwip/memory.hpp); lwIP frees
//          it with the connection.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <lwip/ip_addr.h>

#include "net/lwip/checksum.hpp"

struct tcp_pcb;

namespace net::lwip {

// What tells a connection from all others.
struct Tuple {
  ip_addr_t local_ip{};
  ip_addr_t remote_ip{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
};

class ConnectionTable {
 public:
  // Of one connection; what a pcb carries.
  struct Record {
    ConnectionTable* owner = nullptr;
    tcp_pcb* pcb = nullptr;
    std::size_t bucket = 0;
    Record* next = nullptr;  // in its bucket
    // In the order of lwIP's list.
    Record* before = nullptr;
    Record* after = nullptr;
    bool is_active = true;  // else in TIME-WAIT, and not in that order
  };

  // For about so many connections; more of them make it slower. Throws std::bad_alloc.
  ConnectionTable(std::size_t connections, const HashKey& key);
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // lwIP has just put it at the front of its active connections. False: no memory.
  [[nodiscard]] bool add(tcp_pcb& pcb) noexcept;
  // Null: there is none. One in TIME-WAIT only if no other has the same tuple.
  [[nodiscard]] tcp_pcb* find(const Tuple& tuple) const noexcept;
  // Moves a connection, if it has a record, to the front of lwIP's list.
  static void to_front(tcp_pcb& pcb) noexcept;

  // Around tcp_input: lwIP will look for the connection of `tuple`.
  void show_only(const Tuple& tuple) noexcept;
  void show_all() noexcept;
  // tcp_input has returned; it may have put the connection into TIME-WAIT.
  void settle() noexcept;

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  // For tests: the records that all searches together have looked at, and whether rule 1 holds.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] bool has_order_of_lwip() const noexcept;

  // Called when lwIP frees the connection.
  void remove(Record& record) noexcept;

 private:
  [[nodiscard]] std::size_t bucket_of(const Tuple& tuple) const noexcept;
  void leave_order(Record& record) noexcept;
  void join_front(Record& record) noexcept;

  HashKey key_;
  std::vector<Record*> buckets_;  // a power of two of them
  std::size_t count_ = 0;
  Record* front_ = nullptr;
  mutable std::uint64_t steps_ = 0;
  Record* shown_ = nullptr;  // whose segment lwIP works on
  bool is_hiding_ = false;
  tcp_pcb* hidden_active_ = nullptr;  // lwIP's lists meanwhile
  tcp_pcb* hidden_time_wait_ = nullptr;
};

}  // namespace net::lwip
