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
//             IPv6 network of 64 bits; loopback addresses and trusted proxies have no
//             limit but the total.
//          2. At the total the connection gives way whose grace has been over for longest: an idle
//             one has none, a begun one `begun_grace` from its first byte, a busy one
//             `stalled_grace` from when its peer last took a step of the answer. At a client's
//             maximum it is one of its own: the one that has waited for a request for longest, or
//             else the one whose answer has stalled for longest.
//          3. If the connection that gives way is another thread's, that thread is asked to end
//             one, and the newcomer is taken at once. A thread is asked for one at a time, so
//             rule 1 may be exceeded by one for each other thread, until it turns its loop.
//          4. At most `requests_max` requests are in progress on a thread: each has buffers. When
//             seven eighths are, a begun or busy connection whose grace is over gives way for each
//             new one. When fifteen sixteenths are, the grace of a busy one is `pressed_grace`:
//             else answers that nobody reads, so many in each `stalled_grace`, would keep all
//             others out. When all are, one of the client that has most requests in progress gives
//             way, however new, for a client that has at least two fewer.
//          5. Without a ticket a newcomer is told 503. While Options::refusals_max are being told
//             so, further ones are closed without an answer; their peers see a reset.
// Cost:    moving a Place is a few stores; a lock is taken once for a ticket and once for its end.
//          All memory is allocated by the constructors.
// May include: base, net/endpoint.hpp, http/proxies.hpp.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/loop.hpp"
#include "http/proxies.hpp"
#include "net/endpoint.hpp"

namespace http {

class Admission;
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
  [[nodiscard]] bool is_alone() const noexcept { return after == this; }
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
  TrustedProxies proxies = {};  // these have no limit but the total
};

class Clients {
 public:
  using Index = std::uint32_t;
  static constexpr Index nobody = std::numeric_limits<Index>::max();
  static constexpr Index anybody = nobody - 1;

  // A client's connections on one thread, which alone may touch the lists; each begins with the one
  // that has been in it for longest.
  struct Lists {
    Link<Of::client> waiting;           // for a request
    Link<Of::client> busy;              // owed an answer
    std::atomic<bool> has_any = false;  // in either; for other threads
    std::uint32_t request_count = 0;    // in progress
  };

  // `seed` keeps clients from choosing addresses that share a bucket. Throws std::bad_alloc.
  Clients(const AdmissionLimits& limits, unsigned thread_count, std::uint64_t seed);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  enum class Verdict : std::uint8_t { admitted, client_is_full, all_is_full };
  // Counts one more connection of `peer`'s client, unless there is no room for it. `client` is set
  // if the client is known, and stands while it has connections.
  [[nodiscard]] Verdict enter(const net::Endpoint& peer, Index& client) noexcept;
  void leave(Index client) noexcept;
  // Counts one more connection of `peer`'s client beyond a limit, and asks another thread to have
  // one give way for it: one of `client`, or (anybody) the one whose grace ended first, and before
  // `before`. False: no thread has one that has not been asked already.
  [[nodiscard]] bool enter_by_asking(const Admission& asking, const net::Endpoint& peer,
                                     base::Instant before, Index& client) noexcept;

  // Whose connection `asked` is still to have give way; nobody: there are no more than may be.
  [[nodiscard]] Index still_owed(Admission& asked) noexcept;

  [[nodiscard]] Lists& lists(Index client, unsigned thread_index) noexcept {
    return lists_of(client)[thread_index];
  }
  // Whether `peer` may have only what one client may.
  [[nodiscard]] bool is_limited(const net::Endpoint& peer) const noexcept;
  [[nodiscard]] std::size_t connection_count() const noexcept;
  [[nodiscard]] const AdmissionLimits& limits() const noexcept { return limits_; }

 private:
  friend class Admission;
  struct Client {
    net::Endpoint who;
    Index next;  // in its bucket, or free
    std::uint32_t connection_count;
  };
  [[nodiscard]] Lists* lists_of(Index client) noexcept {
    return reinterpret_cast<Lists*>(lists_.get()) + std::size_t{client} * thread_count_;
  }
  void join(Admission& admission) noexcept;
  void part(Admission& admission) noexcept;
  [[nodiscard]] Index& bucket_of(const net::Endpoint& who) noexcept;
  [[nodiscard]] Index find(const net::Endpoint& who) noexcept;
  [[nodiscard]] Index make(const net::Endpoint& who) noexcept;
  [[nodiscard]] std::size_t owed_count(Index who) const noexcept;
  [[nodiscard]] Index count_one(const net::Endpoint& who, Index client) noexcept;

  const AdmissionLimits limits_;
  const unsigned thread_count_;
  const std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::vector<Index> buckets_;
  // As many as connections, with those beyond the total; neither is touched before it is needed.
  std::unique_ptr<Client[]> clients_;
  std::unique_ptr<std::byte[]> lists_;  // of each client, by thread
  std::vector<Admission*> threads_;
  Index used_count_ = 0;  // clients from here on were never used
  Index free_ = nobody;
  std::size_t connection_count_ = 0;
};

// One connection among those that are counted, or none.
class Ticket {
 public:
  Ticket() noexcept = default;
  Ticket(Ticket&& other) noexcept
      : clients_(std::exchange(other.clients_, nullptr)),
        client_(other.client_),
        is_limited_(other.is_limited_) {}
  Ticket& operator=(Ticket&&) = delete;
  ~Ticket() { give_back(); }

  [[nodiscard]] explicit operator bool() const noexcept { return clients_ != nullptr; }
  void give_back() noexcept {
    if (clients_ != nullptr) std::exchange(clients_, nullptr)->leave(client_);
  }

 private:
  friend class Admission;
  friend class Place;
  Ticket(Clients& clients, Clients::Index client, bool is_limited) noexcept
      : clients_(&clients), client_(client), is_limited_(is_limited) {}
  Clients* clients_ = nullptr;
  Clients::Index client_ = 0;
  bool is_limited_ = true;  // by what one client may have
};

// One of the threads that share `Clients`. `call`, from any thread: Admission::pay() is soon called
// on this one's loop. Left empty: no other thread asks this one.
struct AdmissionThread {
  unsigned index = 0;
  std::function<void()> call = {};
};

class Admission {
 public:
  static constexpr base::Duration begun_grace = std::chrono::milliseconds(100);
  static constexpr base::Duration stalled_grace = std::chrono::seconds(5);
  static constexpr base::Duration pressed_grace = std::chrono::milliseconds(200);

  // Both outlive it.
  Admission(Clients& clients, base::Loop& loop, AdmissionThread thread = {},
            std::size_t requests_max = AdmissionLimits::none) noexcept;
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // A ticket for a newcomer. When there is no room another connection gives way first, and
  // `made_room` is set if that is this thread's: what it holds is freed in the loop's next turn. No
  // ticket: refuse it.
  [[nodiscard]] Ticket admit(const net::Endpoint& peer, bool& made_room) noexcept;

  // Has a connection give way if another thread asked for it. If none may, it tries again later.
  void pay() noexcept;

  // Counts one more request in progress, of `place`. False: there is no room for it.
  [[nodiscard]] bool take_request(Place& place) noexcept;
  void give_request(Place& place) noexcept;

 private:
  friend class Clients;
  friend class Place;
  static constexpr base::Duration pay_again_after = std::chrono::milliseconds(10);

  // Places in one state, the longest first.
  struct Queue {
    explicit Queue(base::Duration its_grace) noexcept : grace(its_grace) {}
    void publish() noexcept;
    const base::Duration grace;
    Link<Of::thread> places;
    std::atomic<base::Instant> first_end = base::never;  // of the first one's grace; for others
  };
  struct Again final : base::Timer {
    Again(base::Loop& loop, Admission& its_admission) noexcept
        : Timer(loop), admission(its_admission) {}
    void expired() override { admission.pay(); }
    Admission& admission;
  };

  [[nodiscard]] Place* first_of(Clients::Index client) noexcept;
  [[nodiscard]] Place* first_of_all(bool with_idle) const noexcept;
  [[nodiscard]] Place* first_stalled(base::Duration grace) const noexcept;
  [[nodiscard]] Place* first_of_greediest(Place& for_whom) noexcept;
  [[nodiscard]] base::Instant published_end() const noexcept;
  void end(Place& place) noexcept;

  Clients& clients_;
  base::Loop& loop_;
  const AdmissionThread thread_;
  const std::size_t requests_max_;
  std::size_t request_count_ = 0;
  Queue idle_{base::Duration::zero()};
  Queue begun_{begun_grace};
  Queue busy_{stalled_grace};
  std::atomic<Clients::Index> owed_ = Clients::nobody;  // whose connection is to give way
  Again again_;
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
    move_to(lists().waiting);
  }
  // The first bytes of a request have come. It has waited for it since it became idle, or from now
  // on if it was busy. Harmless when repeated.
  void become_begun() noexcept {
    if (!ticket_ || queue_ == &admission_.begun_) return;
    const bool was_busy = queue_ == &admission_.busy_;
    move_to(admission_.begun_);
    if (was_busy) move_to(lists().waiting);
  }
  // An answer is owed, or more of it was taken by the peer.
  void become_busy() noexcept {
    if (!ticket_) return;
    move_to(admission_.busy_);
    move_to(lists().busy);
  }
  // It is another Place's from now on; this one is as without a ticket.
  [[nodiscard]] Ticket take_ticket() noexcept {
    leave_queue();
    forget_request();
    return std::move(ticket_);
  }
  // Counts no longer, and cannot give way.
  void step_out() noexcept;

 private:
  friend class Admission;
  // What its client has in progress on this thread; of those without a limit each is another's.
  [[nodiscard]] std::size_t requests_of_client() noexcept;
  void forget_request() noexcept;
  [[nodiscard]] Clients::Lists& lists() noexcept {
    return ticket_.clients_->lists(ticket_.client_, admission_.thread_.index);
  }
  void move_to(Link<Of::client>& list) noexcept {
    Link<Of::client>::unlink();
    list.append(*this);
  }
  void move_to(Admission::Queue& queue) noexcept {
    Link<Of::thread>::unlink();
    queue.places.append(*this);
    since_ = admission_.loop_.now();
    Admission::Queue* const from = std::exchange(queue_, &queue);
    if (admission_.thread_.call) publish_move(from);
  }
  void leave_queue() noexcept;
  // For other threads.
  void publish_move(Admission::Queue* from) noexcept;
  [[nodiscard]] base::Instant grace_end() const noexcept { return since_ + queue_->grace; }

  Admission& admission_;
  Ticket ticket_;
  Admission::Queue* queue_ = nullptr;  // the one that it is in
  bool has_request_ = false;           // which counts as its client's
  base::Instant since_{};
};

}  // namespace http
