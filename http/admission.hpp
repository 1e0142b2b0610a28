// SPDX-License-Identifier: ISC
// http/admission.hpp: which connections an appliance takes: a total, and a part of it per client.
//
// States:  Clients: of the appliance; its threads share it. Admission: of one thread; its servers
//          share it. Ticket: one admitted connection, counted. Place: where that connection stands.
//          Place: idle   nothing of a request has come
//                 begun  a request has come in part, and no answer to it is owed yet
//                 busy   an answer is owed or goes out
//          idle -> [begun ->] busy -> idle | begun;  any -> gave way
// Rules:   1. At most `connections_max` tickets exist, and at most `connections_per_client_max` of
//             one client, on all servers and threads together. A client is an IPv4 address or an
//             IPv6 network of 64 bits; loopback addresses have no limit but the total.
//          2. At the total the connection gives way whose grace has been over for longest: an idle
//             one has none, a begun one `begun_grace` from its first byte, a busy one
//             `stalled_grace` from when its peer last took a step of the answer. At a client's
//             maximum, the one of its own that has waited for a request for longest gives way.
//          3. Only connections of the newcomer's thread give way.
//          4. At most `requests_max` requests are in progress on a thread: each has buffers. When
//             seven eighths are, a begun or busy connection whose grace is over gives way for each
//             new one.
// Cost:    moving a Place is a few stores; a lock is taken once for a ticket and once for its end.
//          All memory is allocated by the constructors.
// May include: base, net/endpoint.hpp.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "net/endpoint.hpp"

namespace http {

class Place;

// A member of a circular list, or its head. A Place is in two lists: `of` tells them apart.
enum class Of : std::uint8_t { thread, client };
template <Of of>
struct Link {
  Link* before = this;
  Link* after = this;

  Link() noexcept = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  void unlink() noexcept {
    before->after = after;
    after->before = before;
    before = after = this;
  }
  void append(Link& last) noexcept {
    last.before = before;
    last.after = this;
    before->after = &last;
    before = &last;
  }
};

struct AdmissionLimits {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::size_t connections_max = 10'000;
  std::size_t connections_per_client_max = none;
};

// The client that `peer` is of: its address, or of IPv6 its network; no port.
[[nodiscard]] net::Endpoint client_of(const net::Endpoint& peer) noexcept;
[[nodiscard]] bool is_loopback(const net::Endpoint& peer) noexcept;

class Clients {
 public:
  using Index = std::uint32_t;

  // `seed` keeps clients from choosing addresses that share a bucket. Throws std::bad_alloc.
  Clients(const AdmissionLimits& limits, unsigned thread_count, std::uint64_t seed);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  enum class Verdict : std::uint8_t { admitted, client_is_full, all_is_full };
  // Counts one more connection of `peer`'s client, unless there is no room for it. `client` is set
  // if the client is known, and stands while it has connections.
  [[nodiscard]] Verdict enter(const net::Endpoint& peer, Index& client) noexcept;
  void leave(Index client) noexcept;

  // The connections of `client` that wait for a request on one thread, the longest waiting first.
  [[nodiscard]] Link<Of::client>& waiting(Index client, unsigned thread_index) noexcept {
    return waiting_lists_of(client)[thread_index];
  }
  [[nodiscard]] std::size_t connection_count() const noexcept;
  [[nodiscard]] const AdmissionLimits& limits() const noexcept { return limits_; }

 private:
  static constexpr Index no_index = std::numeric_limits<Index>::max();
  struct Client {
    net::Endpoint who;
    Index next;  // in its bucket, or free
    std::uint32_t connection_count;
  };
  [[nodiscard]] Link<Of::client>* waiting_lists_of(Index client) noexcept {
    auto* const lists = reinterpret_cast<Link<Of::client>*>(waiting_.get());
    return lists + std::size_t{client} * thread_count_;
  }
  [[nodiscard]] Index& bucket_of(const net::Endpoint& who) noexcept;
  [[nodiscard]] Index find(const net::Endpoint& who) noexcept;
  [[nodiscard]] Index make(const net::Endpoint& who) noexcept;

  const AdmissionLimits limits_;
  const unsigned thread_count_;
  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::vector<Index> buckets_;
  // As many as connections; neither is touched before it is needed.
  std::unique_ptr<Client[]> clients_;
  std::unique_ptr<std::byte[]> waiting_;  // the lists of each client
  Index used_count_ = 0;                  // clients from here on were never used
  Index free_ = no_index;
  std::size_t connection_count_ = 0;
};

// One connection among those that are counted, or none.
class Ticket {
 public:
  Ticket() noexcept = default;
  Ticket(Ticket&& other) noexcept
      : clients_(std::exchange(other.clients_, nullptr)), client_(other.client_) {}
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket() { give_back(); }

  [[nodiscard]] explicit operator bool() const noexcept { return clients_ != nullptr; }
  void give_back() noexcept {
    if (clients_ != nullptr) std::exchange(clients_, nullptr)->leave(client_);
  }

 private:
  friend class Admission;
  friend class Place;
  Ticket(Clients& clients, Clients::Index client) noexcept : clients_(&clients), client_(client) {}
  Clients* clients_ = nullptr;
  Clients::Index client_ = 0;
};

class Admission {
 public:
  static constexpr base::Duration begun_grace = std::chrono::milliseconds(100);
  static constexpr base::Duration stalled_grace = std::chrono::seconds(5);

  // Both outlive it.
  Admission(Clients& clients, base::Loop& loop, unsigned thread_index = 0,
            std::size_t requests_max = AdmissionLimits::none) noexcept
      : clients_(clients), loop_(loop), thread_index_(thread_index), requests_max_(requests_max) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // A ticket for a newcomer. When there is no room another connection gives way first, and
  // `made_room` is set: what that one holds is freed in the loop's next turn. No ticket: refuse it.
  [[nodiscard]] Ticket admit(const net::Endpoint& peer, bool& made_room) noexcept;

  // Counts one more request in progress. False: there is no room for it.
  [[nodiscard]] bool take_request() noexcept;
  void give_request() noexcept { --request_count_; }

 private:
  friend class Place;
  [[nodiscard]] Place* first_waiting(Clients::Index client) noexcept;
  [[nodiscard]] Place* first_of_all(bool with_idle) const noexcept;
  void end(Place& place) noexcept;

  Clients& clients_;
  base::Loop& loop_;
  const unsigned thread_index_;
  const std::size_t requests_max_;
  std::size_t request_count_ = 0;
  Link<Of::thread> idle_;
  Link<Of::thread> begun_;
  Link<Of::thread> busy_;
};

// Of a connection without a ticket it does nothing.
class Place : private Link<Of::thread>, private Link<Of::client> {
 public:
  Place(Admission& admission, Ticket ticket) noexcept
      : admission_(admission), ticket_(std::move(ticket)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Ends the connection soon, and at once what it holds of others' use.
  virtual void give_way() noexcept = 0;

 protected:
  ~Place() { step_out(); }

  // Waits for a request from now on.
  void become_idle() noexcept {
    if (!ticket_) return;
    move_to(admission_.idle_);
    Link<Of::client>::unlink();
    ticket_.clients_->waiting(ticket_.client_, admission_.thread_index_).append(*this);
  }
  // The first bytes of a request have come. It has waited for it since it became idle, or from now
  // on if it was busy. Harmless when repeated.
  void become_begun() noexcept {
    if (!ticket_ || state_ == &admission_.begun_) return;
    const bool was_busy = state_ == &admission_.busy_;
    move_to(admission_.begun_);
    if (was_busy) {
      ticket_.clients_->waiting(ticket_.client_, admission_.thread_index_).append(*this);
    }
  }
  // An answer is owed, or more of it was taken by the peer.
  void become_busy() noexcept {
    if (!ticket_) return;
    move_to(admission_.busy_);
    Link<Of::client>::unlink();
  }
  // Counts no longer, and cannot give way.
  void step_out() noexcept {
    Link<Of::thread>::unlink();
    Link<Of::client>::unlink();
    state_ = nullptr;
    ticket_.give_back();
  }

 private:
  friend class Admission;
  void move_to(Link<Of::thread>& list) noexcept {
    Link<Of::thread>::unlink();
    list.append(*this);
    state_ = &list;
    since_ = admission_.loop_.now();
  }
  [[nodiscard]] bool is_older_than(base::Duration grace) const noexcept {
    return admission_.loop_.now() - since_ >= grace;
  }

  Admission& admission_;
  Ticket ticket_;
  const Link<Of::thread>* state_ = nullptr;  // the list that it is in
  base::Instant since_{};
};

}  // namespace http
