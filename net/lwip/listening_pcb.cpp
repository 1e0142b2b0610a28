// SPDX-License-Identifier: ISC
#include "net/lwip/listening_pcb.hpp"

#include <utility>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "net/lwip/clockwork.hpp"
#include "net/lwip/half_open.hpp"

namespace net::lwip {

namespace {

err_t arrived(void* argument, tcp_pcb* pcb, err_t error) {
  if (error != ERR_OK || pcb == nullptr || argument == nullptr) return ERR_VAL;
  return static_cast<ListeningPcb*>(argument)->on_arrived(pcb) ? ERR_OK : ERR_MEM;
}

}  // namespace

ListeningPcb::~ListeningPcb() {
  close();
  CHECK(waiting_ == nullptr);
}

ListenResult<void> ListeningPcb::open(std::uint16_t port) {
  const std::string number = std::to_string(port);
  pool_.clockwork_.enter();
  tcp_pcb* bound = tcp_new_ip_type(IPADDR_TYPE_ANY);
  if (bound == nullptr) return base::failure("there is no memory to listen on port " + number);
  // So that connections which are still open do not keep their port from being listened on again;
  // two listeners on one port are refused even so.
  ip_set_option(bound, SOF_REUSEADDR);
  ip_set_option(bound, SOF_KEEPALIVE);
  HalfOpen::watch(bound);
  tcp_pcb* listening = nullptr;
  if (tcp_bind(bound, IP_ANY_TYPE, port) == ERR_OK) {
    listening = tcp_listen(bound);
  }
  if (listening == nullptr) {
    tcp_close(bound);
    return base::failure("port " + number + " is taken: choose another");
  }
  pcb_ = listening;
  port_ = listening->local_port;
  tcp_arg(pcb_, this);
  tcp_accept(pcb_, arrived);
  return {};
}

bool ListeningPcb::on_arrived(tcp_pcb* pcb) noexcept {
  HalfOpen::established(pcb);
  if (arrived_count_ >= arrived_max) return false;
  Connection* connection = pool_.take(pcb);
  if (connection == nullptr) return false;
  connection->is_connected_ = true;
  connection->next_ = nullptr;
  (first_ == nullptr ? first_ : last_->next_) = connection;
  last_ = connection;
  ++arrived_count_;
  if (waiting_ != nullptr) loop_.schedule(*this);
  return true;
}

void ListeningPcb::cancel() noexcept {
  if (waiting_ == nullptr) return;
  waiting_->cancelled_ = true;
  loop_.schedule(*this);
}

void ListeningPcb::close() noexcept {
  if (pcb_ == nullptr) return;
  pool_.clockwork_.enter();
  tcp_arg(pcb_, nullptr);
  tcp_close(std::exchange(pcb_, nullptr));
  while (first_ != nullptr) {
    Connection& connection = *first_;
    first_ = std::exchange(connection.next_, nullptr);
    connection.release();
  }
  arrived_count_ = 0;
  cancel();
}

void ListeningPcb::run() {
  Accept* accept = waiting_;
  if (accept == nullptr || !accept->attempt()) return;
  waiting_ = nullptr;
  std::exchange(accept->waiting_, {}).resume();
}

// ---- Accept

bool Accept::attempt() noexcept {
  ListeningPcb& listening = *listening_;
  if (cancelled_ || listening.pcb_ == nullptr) return true;
  if (listening.first_ == nullptr) return false;
  connection_ = listening.first_;
  listening.first_ = std::exchange(connection_->next_, nullptr);
  --listening.arrived_count_;
  return true;
}

void Accept::await_suspend(std::coroutine_handle<> waiting) noexcept {
  CHECK(listening_->waiting_ == nullptr);
  waiting_ = waiting;
  listening_->waiting_ = this;
}

// The coroutine is destroyed while it waits.
Accept::~Accept() {
  if (waiting_ && listening_ != nullptr) listening_->waiting_ = nullptr;
}

}  // namespace net::lwip
