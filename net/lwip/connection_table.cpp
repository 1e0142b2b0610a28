// SPDX-License-Identifier: ISC
#include "net/lwip/connection_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "base/check.hpp"
#include "net/lwip/ext_args.hpp"
#include "net/lwip/memory.hpp"

namespace net::lwip {

namespace {

using Record = ConnectionTable::Record;

constexpr std::size_t buckets_min = 64;

Record* record_of(const tcp_pcb& pcb) {
  return static_cast<Record*>(tcp_ext_arg_get(&pcb, record_arg));
}

void gone(u8_t, void* data) {
  if (data == nullptr) return;
  auto& record = *static_cast<Record*>(data);
  record.owner->remove(record);
}

constexpr tcp_ext_arg_callbacks of_connection{.destroy = gone, .passive_open = nullptr};

Tuple tuple_of(const tcp_pcb& pcb) {
  return {pcb.local_ip, pcb.remote_ip, pcb.local_port, pcb.remote_port};
}

bool is_of(const tcp_pcb& pcb, const Tuple& tuple) {
  return pcb.remote_port == tuple.remote_port && pcb.local_port == tuple.local_port &&
         ip_addr_eq(&pcb.remote_ip, &tuple.remote_ip) && ip_addr_eq(&pcb.local_ip, &tuple.local_ip);
}

}  // namespace

ConnectionTable::ConnectionTable(std::size_t connections, const HashKey& key)
    : key_(key), buckets_(std::bit_ceil(std::max(connections / 2, buckets_min)), nullptr) {}

std::size_t ConnectionTable::bucket_of(const Tuple& tuple) const noexcept {
  std::array<std::byte, 36> bytes{};
  std::size_t count = 0;
  auto put = [&](const void* from, std::size_t size) {
    std::memcpy(&bytes[count], from, size);
    count += size;
  };
  const std::size_t address_bytes = IP_IS_V6_VAL(tuple.remote_ip) ? 16 : 4;
  put(&tuple.local_ip.u_addr, address_bytes);
  put(&tuple.remote_ip.u_addr, address_bytes);
  put(&tuple.local_port, sizeof tuple.local_port);
  put(&tuple.remote_port, sizeof tuple.remote_port);
  return siphash(key_, base::Bytes(bytes).first(count)) & (buckets_.size() - 1);
}

bool ConnectionTable::add(tcp_pcb& pcb) noexcept {
  CHECK(tcp_active_pcbs == &pcb);
  void* memory = Memory::allocate(sizeof(Record));
  if (memory == nullptr) return false;
  const std::size_t bucket = bucket_of(tuple_of(pcb));
  auto& record =
      *new (memory) Record{.owner = this, .pcb = &pcb, .bucket = bucket, .next = buckets_[bucket]};
  buckets_[bucket] = &record;
  ++count_;
  join_front(record);
  tcp_ext_arg_set_callbacks(&pcb, record_arg, &of_connection);
  tcp_ext_arg_set(&pcb, record_arg, &record);
  return true;
}

void ConnectionTable::remove(Record& record) noexcept {
  if (record.is_active) leave_order(record);
  Record** place = &buckets_[record.bucket];
  while (*place != &record) place = &(*place)->next;
  *place = record.next;
  if (shown_ == &record) shown_ = nullptr;
  --count_;
  Memory::free_again(&record);
}

tcp_pcb* ConnectionTable::find(const Tuple& tuple) const noexcept {
  tcp_pcb* in_time_wait = nullptr;
  for (const Record* each = buckets_[bucket_of(tuple)]; each != nullptr; each = each->next) {
    ++steps_;
    if (!is_of(*each->pcb, tuple)) continue;
    if (each->pcb->state != TIME_WAIT) return each->pcb;
    in_time_wait = each->pcb;
  }
  return in_time_wait;
}

// ---- The order

void ConnectionTable::join_front(Record& record) noexcept {
  record.before = nullptr;
  record.after = front_;
  if (front_ != nullptr) front_->before = &record;
  front_ = &record;
}

void ConnectionTable::leave_order(Record& record) noexcept {
  (record.before != nullptr ? record.before->after : front_) = record.after;
  if (record.after != nullptr) record.after->before = record.before;
}

void ConnectionTable::to_front(tcp_pcb& pcb) noexcept {
  Record* record = record_of(pcb);
  if (record == nullptr || !record->is_active || record->before == nullptr) return;
  tcp_pcb& before = *record->before->pcb;
  CHECK(before.next == &pcb);
  before.next = pcb.next;
  pcb.next = tcp_active_pcbs;
  tcp_active_pcbs = &pcb;
  record->owner->leave_order(*record);
  record->owner->join_front(*record);
}

bool ConnectionTable::has_order_of_lwip() const noexcept {
  const Record* record = front_;
  for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (record == nullptr || record->pcb != pcb || record_of(*pcb) != record) return false;
    record = record->after;
  }
  return record == nullptr;
}

// ---- lwIP's search

void ConnectionTable::show_only(const Tuple& tuple) noexcept {
  tcp_pcb* found = find(tuple);
  shown_ = found != nullptr ? record_of(*found) : nullptr;
  const bool is_active = found != nullptr && found->state != TIME_WAIT;
  hidden_active_ = std::exchange(tcp_active_pcbs, is_active ? found : nullptr);
  hidden_time_wait_ = std::exchange(tcp_tw_pcbs, is_active ? nullptr : found);
  is_hiding_ = true;
}

void ConnectionTable::show_all() noexcept {
  if (!is_hiding_) return;
  tcp_active_pcbs = hidden_active_;
  tcp_tw_pcbs = hidden_time_wait_;
  is_hiding_ = false;
}

void ConnectionTable::settle() noexcept {
  show_all();
  Record* record = std::exchange(shown_, nullptr);
  if (record == nullptr || !record->is_active || record->pcb->state != TIME_WAIT) return;
  leave_order(*record);
  record->is_active = false;
}

}  // namespace net::lwip
