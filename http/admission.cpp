// SPDX-License-Identifier: ISC
#include "http/admission.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

namespace http {

// ---- Clients

Clients::Clients(const AdmissionLimits& limits, unsigned thread_count, std::uint64_t seed)
    : limits_(limits),
      thread_count_(thread_count),
      seed_(seed),
      buckets_(std::bit_ceil(limits.connections_max), nobody),
      clients_(std::make_unique_for_overwrite<Client[]>(limits.connections_max + thread_count)),
      lists_(std::make_unique_for_overwrite<std::byte[]>((limits.connections_max + thread_count) *
                                                         thread_count * sizeof(Lists))),
      threads_(thread_count, nullptr) {}

Clients::Index& Clients::bucket_of(const net::Endpoint& who) noexcept {
  return buckets_[net::hash_of(who, seed_) & (buckets_.size() - 1)];
}

Clients::Index Clients::find(const net::Endpoint& who) noexcept {
  Index at = bucket_of(who);
  while (at != nobody && clients_[at].who != who) at = clients_[at].next;
  return at;
}

// There is one left: each client has a connection, and at most one for each thread is beyond the
// total.
Clients::Index Clients::make(const net::Endpoint& who) noexcept {
  const Index at = free_ != nobody ? free_ : used_count_;
  if (at == free_) {
    free_ = clients_[at].next;
  } else {
    std::uninitialized_default_construct_n(lists_of(used_count_++), thread_count_);
  }
  Index& bucket = bucket_of(who);
  clients_[at] = {who, bucket, 0};
  bucket = at;
  return at;
}

Clients::Verdict Clients::enter(const net::Endpoint& peer, Index& client) noexcept {
  const net::Endpoint who = net::client_of(peer);
  const std::lock_guard lock(mutex_);
  Index at = find(who);
  if (at != nobody) {
    client = at;
    const std::size_t count = clients_[at].connection_count;
    const bool is_full = count >= limits_.connections_per_client_max &&
                         count - limits_.connections_per_client_max >= owed_count(at);
    if (is_full && is_limited(peer)) return Verdict::client_is_full;
  }
  if (connection_count_ >= limits_.connections_max &&
      connection_count_ - limits_.connections_max >= owed_count(anybody)) {
    return Verdict::all_is_full;
  }
  client = count_one(who, at);
  return Verdict::admitted;
}

bool Clients::is_limited(const net::Endpoint& peer) const noexcept {
  return !net::is_loopback(peer) && !limits_.proxies.contains(peer);
}

Clients::Index Clients::count_one(const net::Endpoint& who, Index client) noexcept {
  if (client == nobody) client = make(who);
  ++clients_[client].connection_count;
  ++connection_count_;
  return client;
}

// How many others were asked for, and will go. `who`: one client's; anybody: all.
std::size_t Clients::owed_count(Index who) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(threads_, [who](const Admission* each) {
    const Index owed = each == nullptr ? nobody : each->owed_.load();
    return owed != nobody && (who == anybody || owed == who);
  }));
}

Clients::Index Clients::still_owed(Admission& asked) noexcept {
  const std::lock_guard lock(mutex_);
  const Index who = asked.owed_;
  if (who == nobody) return nobody;
  const bool is_over = who == anybody
                           ? connection_count_ > limits_.connections_max
                           : clients_[who].connection_count > limits_.connections_per_client_max;
  if (!is_over) asked.owed_ = nobody;
  return asked.owed_;
}

void Clients::leave(Index client) noexcept {
  const std::lock_guard lock(mutex_);
  --connection_count_;
  if (--clients_[client].connection_count > 0) return;
  Index* link = &bucket_of(clients_[client].who);
  while (*link != client) link = &clients_[*link].next;
  *link = clients_[client].next;
  clients_[client].next = std::exchange(free_, client);
}

std::size_t Clients::connection_count() const noexcept {
  const std::lock_guard lock(mutex_);
  return connection_count_;
}

void Clients::join(Admission& admission) noexcept {
  const std::lock_guard lock(mutex_);
  threads_[admission.thread_.index] = &admission;
}

void Clients::part(Admission& admission) noexcept {
  const std::lock_guard lock(mutex_);
  threads_[admission.thread_.index] = nullptr;
}

bool Clients::enter_by_asking(const Admission& asking, const net::Endpoint& peer,
                              base::Instant before, Index& client) noexcept {
  const std::lock_guard lock(mutex_);
  Admission* first = nullptr;
  for (Admission* other : threads_) {
    if (other == nullptr || other == &asking || other->owed_.load() != nobody) continue;
    if (client != anybody) {
      if (lists(client, other->thread_.index).has_any.load(std::memory_order_relaxed))
        first = other;
    } else if (const base::Instant end = other->published_end(); end < before) {
      first = other;
      before = end;
    }
  }
  if (first == nullptr) return false;
  first->owed_ = client;
  const net::Endpoint who = net::client_of(peer);
  client = count_one(who, find(who));
  first->thread_.call();
  return true;
}

// ---- Admission

Admission::Admission(Clients& clients, base::Loop& loop, AdmissionThread thread,
                     std::size_t requests_max) noexcept
    : clients_(clients),
      loop_(loop),
      thread_(std::move(thread)),
      requests_max_(requests_max),
      again_(loop, *this) {
  if (thread_.call) clients_.join(*this);
}

Admission::~Admission() {
  if (thread_.call) clients_.part(*this);
}

void Admission::Queue::publish() noexcept {
  const base::Instant end =
      places.is_alone() ? base::never : static_cast<Place*>(places.after)->grace_end();
  first_end.store(end, std::memory_order_relaxed);
}

base::Instant Admission::published_end() const noexcept {
  base::Instant first = base::never;
  for (const Queue* queue : {&idle_, &begun_, &busy_}) {
    first = std::min(first, queue->first_end.load(std::memory_order_relaxed));
  }
  return first;
}

Place* Admission::first_of(Clients::Index client) noexcept {
  constexpr int looked_at_max = 16;
  const Clients::Lists& lists = clients_.lists(client, thread_.index);
  for (const Link<Of::client>* list : {&lists.waiting, &lists.busy}) {
    Link<Of::client>* each = list->after;
    for (int i = 0; i < looked_at_max && each != list; ++i, each = each->after) {
      auto* place = static_cast<Place*>(each);
      if (place->grace_end() <= loop_.now()) return place;
    }
  }
  return nullptr;
}

Place* Admission::first_of_all(bool with_idle) const noexcept {
  Place* first = nullptr;
  base::Instant first_end = loop_.now();
  auto look = [&](const Queue& queue) {
    if (queue.places.is_alone()) return;
    auto* place = static_cast<Place*>(queue.places.after);
    const base::Instant end = place->grace_end();
    if (end > first_end || (end == first_end && first != nullptr)) return;
    first = place;
    first_end = end;
  };
  if (with_idle) look(idle_);
  look(begun_);
  look(busy_);
  return first;
}

Place* Admission::first_stalled(base::Duration grace) const noexcept {
  if (busy_.places.is_alone()) return nullptr;
  auto* const place = static_cast<Place*>(busy_.places.after);
  return place->since_ + grace <= loop_.now() ? place : nullptr;
}

void Admission::end(Place& place) noexcept {
  place.step_out();
  place.give_way();
}

// Requests that have only begun come first: what they hold is free at once.
Place* Admission::first_of_greediest(Place& for_whom) noexcept {
  constexpr int looked_at_max = 1024;
  Place* greediest = nullptr;
  std::size_t most = for_whom.requests_of_client() + 1;
  for (Queue* queue : {&begun_, &busy_}) {
    Link<Of::thread>* each = queue->places.after;
    for (int i = 0; i < looked_at_max && each != &queue->places; ++i, each = each->after) {
      auto* const place = static_cast<Place*>(each);
      if (place->has_request_ && place->requests_of_client() > most) {
        most = place->requests_of_client();
        greediest = place;
      }
    }
  }
  return greediest;
}

bool Admission::take_request(Place& place) noexcept {
  const std::size_t few = std::max<std::size_t>(requests_max_ / 16, 1);
  if (request_count_ >= requests_max_ - requests_max_ / 8) {
    Place* other = first_of_all(false);
    if (other == nullptr && request_count_ >= requests_max_ - few) {
      other = first_stalled(pressed_grace);
    }
    if (other != nullptr) end(*other);
  }
  if (request_count_ >= requests_max_) {
    Place* const other = first_of_greediest(place);
    if (other == nullptr) return false;
    end(*other);
    // A busy one frees its buffers in the loop's next turn; till then few may have theirs beside.
    if (request_count_ >= requests_max_ + few) return false;
  }
  ++request_count_;
  if (place.ticket_) {
    place.has_request_ = true;
    ++place.lists().request_count;
  }
  return true;
}

void Admission::give_request(Place& place) noexcept {
  --request_count_;
  place.forget_request();
}

Ticket Admission::admit(const net::Endpoint& peer, bool& made_room) noexcept {
  Clients::Index client = 0;
  const bool is_limited = clients_.is_limited(peer);
  const Clients::Verdict verdict = clients_.enter(peer, client);
  if (verdict == Clients::Verdict::admitted) return {clients_, client, is_limited};
  const bool of_client = verdict == Clients::Verdict::client_is_full;
  Place* const place = of_client ? first_of(client) : first_of_all(true);
  const base::Instant before = place == nullptr ? loop_.now() : place->grace_end();
  if (place == nullptr || !of_client) {
    if (!of_client) client = Clients::anybody;
    if (clients_.enter_by_asking(*this, peer, before, client))
      return {clients_, client, is_limited};
  }
  if (place == nullptr) return {};
  end(*place);
  made_room = true;
  if (clients_.enter(peer, client) != Clients::Verdict::admitted) return {};  // another was faster
  return {clients_, client, is_limited};
}

void Admission::pay() noexcept {
  const Clients::Index who = clients_.still_owed(*this);
  if (who == Clients::nobody) return;
  Place* const place = who == Clients::anybody ? first_of_all(true) : first_of(who);
  if (place == nullptr) {
    again_.arm(loop_.now() + pay_again_after);
    return;
  }
  owed_ = Clients::nobody;  // first, so that nobody is taken for the one who goes and for the debt
  end(*place);
}

// ---- Place

void Place::leave_queue() noexcept {
  Link<Of::thread>::unlink();
  Link<Of::client>::unlink();
  Admission::Queue* const from = std::exchange(queue_, nullptr);
  if (from != nullptr && admission_.thread_.call) publish_move(from);
}

std::size_t Place::requests_of_client() noexcept {
  if (!ticket_ || !ticket_.is_limited_) return has_request_ ? 1 : 0;
  return lists().request_count;
}

void Place::forget_request() noexcept {
  if (!std::exchange(has_request_, false)) return;
  --lists().request_count;
}

void Place::step_out() noexcept {
  leave_queue();
  forget_request();
  ticket_.give_back();
}

void Place::publish_move(Admission::Queue* from) noexcept {
  Clients::Lists& its_lists = lists();
  its_lists.has_any.store(
      queue_ != nullptr || !its_lists.waiting.is_alone() || !its_lists.busy.is_alone(),
      std::memory_order_relaxed);
  if (from != nullptr) from->publish();
  if (queue_ != nullptr) queue_->publish();
}

}  // namespace http
