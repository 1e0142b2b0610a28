// SPDX-License-Identifier: ISC
#include "http/admission.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

namespace http {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_ipv4(const net::Endpoint& peer) noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), peer.address.begin());
}

// The finalizer of MurmurHash3, which is in the public domain.
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ value >> 33) * 0xff51afd7ed558ccdU;
  value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53U;
  return value ^ value >> 33;
}

}  // namespace

net::Endpoint client_of(const net::Endpoint& peer) noexcept {
  constexpr std::size_t network_bytes = 8;
  net::Endpoint client{peer.address, 0};
  if (!is_ipv4(peer)) std::fill(client.address.begin() + network_bytes, client.address.end(), 0);
  return client;
}

bool is_loopback(const net::Endpoint& peer) noexcept {
  if (is_ipv4(peer)) return peer.address[mapped_prefix.size()] == 127;
  return std::ranges::count(peer.address, 0) == 15 && peer.address.back() == 1;
}

// ---- Clients

Clients::Clients(const AdmissionLimits& limits, unsigned thread_count, std::uint64_t seed)
    : limits_(limits),
      thread_count_(thread_count),
      seed_(seed),
      buckets_(std::bit_ceil(limits.connections_max), no_index),
      clients_(std::make_unique_for_overwrite<Client[]>(limits.connections_max)),
      waiting_(std::make_unique_for_overwrite<std::byte[]>(limits.connections_max * thread_count *
                                                           sizeof(Link<Of::client>))) {}

Clients::Index& Clients::bucket_of(const net::Endpoint& who) noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, who.address.data(), sizeof halves);
  return buckets_[mix(mix(halves[0] ^ seed_) ^ halves[1]) & (buckets_.size() - 1)];
}

Clients::Index Clients::find(const net::Endpoint& who) noexcept {
  Index at = bucket_of(who);
  while (at != no_index && clients_[at].who != who) at = clients_[at].next;
  return at;
}

// There is one left: a client has a connection, and these are fewer than clients.
Clients::Index Clients::make(const net::Endpoint& who) noexcept {
  const Index at = free_ != no_index ? free_ : used_count_;
  if (at == free_) {
    free_ = clients_[at].next;
  } else {
    std::uninitialized_default_construct_n(waiting_lists_of(used_count_++), thread_count_);
  }
  Index& bucket = bucket_of(who);
  clients_[at] = {who, bucket, 0};
  bucket = at;
  return at;
}

Clients::Verdict Clients::enter(const net::Endpoint& peer, Index& client) noexcept {
  const net::Endpoint who = client_of(peer);
  const std::lock_guard lock(mutex_);
  Index at = find(who);
  if (at != no_index) {
    client = at;
    const bool is_full = clients_[at].connection_count >= limits_.connections_per_client_max;
    if (is_full && !is_loopback(peer)) return Verdict::client_is_full;
  }
  if (connection_count_ >= limits_.connections_max) return Verdict::all_is_full;
  if (at == no_index) at = make(who);
  client = at;
  ++clients_[at].connection_count;
  ++connection_count_;
  return Verdict::admitted;
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

// ---- Admission

Place* Admission::first_waiting(Clients::Index client) noexcept {
  constexpr int looked_at_max = 16;
  Link<Of::client>& waiting = clients_.waiting(client, thread_index_);
  Link<Of::client>* each = waiting.after;
  for (int i = 0; i < looked_at_max && each != &waiting; ++i, each = each->after) {
    auto* place = static_cast<Place*>(each);
    if (place->state_ == &idle_ || place->is_older_than(begun_grace)) return place;
  }
  return nullptr;
}

Place* Admission::first_of_all(bool with_idle) const noexcept {
  Place* first = nullptr;
  base::Instant first_end = loop_.now();
  auto look = [&](const Link<Of::thread>& list, base::Duration grace) {
    if (list.after == &list) return;
    auto* place = static_cast<Place*>(list.after);
    const base::Instant end = place->since_ + grace;
    if (end > first_end || (end == first_end && first != nullptr)) return;
    first = place;
    first_end = end;
  };
  if (with_idle) look(idle_, base::Duration::zero());
  look(begun_, begun_grace);
  look(busy_, stalled_grace);
  return first;
}

void Admission::end(Place& place) noexcept {
  place.step_out();
  place.give_way();
}

bool Admission::take_request() noexcept {
  if (request_count_ >= requests_max_ - requests_max_ / 8) {
    if (Place* place = first_of_all(false)) end(*place);
  }
  if (request_count_ >= requests_max_) return false;
  ++request_count_;
  return true;
}

Ticket Admission::admit(const net::Endpoint& peer, bool& made_room) noexcept {
  Clients::Index client = 0;
  Clients::Verdict verdict = clients_.enter(peer, client);
  if (verdict != Clients::Verdict::admitted) {
    Place* place =
        verdict == Clients::Verdict::client_is_full ? first_waiting(client) : first_of_all(true);
    if (place == nullptr) return {};
    end(*place);
    made_room = true;
    verdict = clients_.enter(peer, client);
  }
  if (verdict != Clients::Verdict::admitted) return {};  // another thread was faster
  return {clients_, client};
}

}  // namespace http
