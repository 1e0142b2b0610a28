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
//              2. One too many evicts the entry of the same kind that has waited longest for its
//                 client: since it arrived, since we last answered in its handshake, or since we
//                 refused it. Bytes that are no whole flight do not make a wait shorter.
//              3. An entry that is destroyed is in no list.
// Errors:      none. Nothing here allocates.

#pragma once

#include <cstddef>
#include <initializer_list>

namespace tls {

class Places {
 public:
  struct Limits {
    std::size_t openings_max = 1024;
    std::size_t handshakes_max = 256;
  };

  class Entry {
   public:
    Entry() noexcept = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // Frees what the handshake holds and makes what waits for the client fail. Called once at most.
    virtual void evict() noexcept = 0;

   protected:
    ~Entry() { leave(); }

   private:
    friend class Places;
    struct List {
      Entry* oldest = nullptr;
      Entry* newest = nullptr;
      std::size_t count = 0;
    };
    void leave() noexcept;
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
