// SPDX-License-Identifier: ISC
// tls/places.hpp: connections without an open session yet, and which of them makes room for others.
//
// States:      Places, Places::Entry.   Used by: tls/over.hpp.   May include: std.
// Shape:       an entry is opening until its client's hello is whole, then in its handshake,
//              and closing if that failed: an alert is on its way.
//
//   arrive --> opening --begin_handshake--> handshake --destroyed--> (the session is open)
//                 |                             |
//                 +-----------close-------------+--> closing --destroyed--> (gone)
//
// Invariants:  1. At most `openings_max` entries are opening or closing, and at most
//                 `handshakes_max` are in their handshake. (They cost about 3 KiB and what the
//                 client sent of its hello, and 45 KiB.)
//              2. One too many evicts an entry of the same kind, of the client that has most of
//                 them; of clients with equally many, and of the client's own, the one that has
//                 waited longest: since it arrived, since we last answered in its handshake, or
//                 since we refused it. Bytes that are no whole flight do not make a wait shorter.
//                 So one client never takes the places of others, however few there are.
//              3. An entry that is destroyed is in no list.
// Errors:      none. Nothing here allocates.
// Cost:        an eviction looks at each entry of its kind once.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace tls {

class Places {
 public:
  struct Limits {
    std::size_t openings_max = 1024;
    std::size_t handshakes_max = 256;
  };

  class Entry {
   public:
    // `client`: a hash of whom it is counted with; those whose hashes end alike are one client.
    // Nothing: it is a client of its own.
    explicit Entry(std::optional<std::uint64_t> client) noexcept
        : client_(client ? static_cast<int>(*client % clients) : alone) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // Frees what the handshake holds and makes what waits for the client fail. Called once at most.
    virtual void evict() noexcept = 0;

   protected:
    ~Entry() { leave(); }

   private:
    friend class Places;
    static constexpr int clients = 256;
    static constexpr int alone = -1;
    struct List {
      Entry* oldest = nullptr;
      Entry* newest = nullptr;
      std::size_t count = 0;
      std::array<std::uint16_t, clients> of_client{};

      void count_entry(const Entry& entry, int more) noexcept;
      [[nodiscard]] std::uint16_t count_of(int client) const noexcept {
        return client == alone ? std::uint16_t{1} : of_client[static_cast<std::size_t>(client)];
      }
      // There is one.
      [[nodiscard]] Entry& first_to_go() const noexcept;
    };
    void leave() noexcept;
    const int client_;
    List* list_ = nullptr;
    Entry* before_ = nullptr;
    Entry* after_ = nullptr;
  };

  explicit Places(const Limits& limits) noexcept : limits_(limits) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // The entry is new; this may evict others of its kind, as may all calls below.
  void arrive(Entry& entry) noexcept { put(entry, opening_, limits_.openings_max); }
  void begin_handshake(Entry& entry) noexcept { put(entry, shaking_, limits_.handshakes_max); }
  // The server has answered in the handshake, and waits for the client anew.
  void answered(Entry& entry) noexcept { put(entry, shaking_, limits_.handshakes_max); }
  void close(Entry& entry) noexcept { put(entry, opening_, limits_.openings_max); }

  // Evicts what `chosen` says yes to.
  template <class Chosen>
  void evict_if(Chosen chosen) noexcept {
    for (Entry::List* list : {&opening_, &shaking_}) {
      for (Entry* entry = list->oldest; entry != nullptr;) {
        Entry& one = *entry;
        entry = entry->after_;
        if (chosen(one)) evict(one);
      }
    }
  }

  // Opening or closing.
  [[nodiscard]] std::size_t opening_count() const noexcept { return opening_.count; }
  [[nodiscard]] std::size_t handshake_count() const noexcept { return shaking_.count; }

 private:
  static void put(Entry& entry, Entry::List& list, std::size_t count_max) noexcept;
  static void evict(Entry& entry) noexcept {
    entry.leave();
    entry.evict();
  }

  Limits limits_;
  Entry::List opening_;
  Entry::List shaking_;
};

}  // namespace tls
