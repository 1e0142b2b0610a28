// SPDX-License-Identifier: ISC
// tests/net/resolver/world.hpp: a stack whose peers are functions of the test, in simulated time.
//
// Models:  net::ClientStack, net::DatagramStack.   Used by: tests/net/resolver.

#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.hpp"
#include "base/loop.hpp"
#include "net/datagrams.hpp"
#include "net/stack.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/net/memory_flow.hpp"

namespace net::dns {

class Entropy final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& each : out) each = static_cast<std::byte>((state_ = state_ * 77 + 5) >> 8U);
  }

 private:
  std::uint32_t state_ = 1;
};

// A socket of the stack's: what came for it, and who waits.
struct Mailbox {
  std::deque<std::string> arrived;
  MemoryWait* waiting = nullptr;
  bool is_refused = false;
  bool is_open = true;
  void put(std::string datagram) {
    arrived.push_back(std::move(datagram));
    if (waiting != nullptr) waiting->wake();
  }
  void refuse() {
    is_refused = true;
    if (waiting != nullptr) waiting->wake();
  }
};

class MemoryDatagrams {
 public:
  using Send = std::function<void(const std::shared_ptr<Mailbox>&, std::string)>;
  MemoryDatagrams(base::Loop& loop, Send send)
      : loop_(&loop), send_(std::move(send)), box_(std::make_shared<Mailbox>()) {}
  MemoryDatagrams(MemoryDatagrams&&) = default;
  MemoryDatagrams& operator=(MemoryDatagrams&&) = default;
  ~MemoryDatagrams() {
    if (box_ != nullptr) box_->is_open = false;
  }

  class Receive final : public MemoryWait {
   public:
    Receive(base::Loop& loop, Mailbox& box, base::Duration within)
        : MemoryWait(loop, within), box_(box) {}
    [[nodiscard]] bool await_ready() { return is_settled(); }
    void await_suspend(std::coroutine_handle<> waiting) { start(box_.waiting, waiting); }
    Result<Bytes> await_resume() {
      if (cancelled_) return base::failure(Error::cancelled);
      if (!box_.arrived.empty()) {
        kept_ = std::move(box_.arrived.front());
        box_.arrived.pop_front();
        return base::bytes_of(kept());
      }
      return base::failure(std::exchange(box_.is_refused, false) ? Error::reset : Error::timed_out);
    }

   private:
    bool is_settled() override { return !box_.arrived.empty() || box_.is_refused; }
    // The bytes outlive the awaiter.
    std::string_view kept() {
      static std::string last;
      last = std::move(kept_);
      return last;
    }
    Mailbox& box_;
    std::string kept_;
  };

  Result<void> send(Bytes bytes) {
    send_(box_, std::string(base::text_of(bytes)));
    return {};
  }
  Receive receive(base::Duration within) { return {*loop_, *box_, within}; }
  void cancel() {
    if (box_->waiting != nullptr) box_->waiting->cancel();
  }

 private:
  base::Loop* loop_;
  Send send_;
  std::shared_ptr<Mailbox> box_;
};
static_assert(Datagrams<MemoryDatagrams>);

// What a host does with a SYN.
struct Host {
  base::Duration answers_after{};
  bool refuses = false;
  bool is_silent = false;
};

class ScriptedStack {
 public:
  using Flow = MemoryFlow;
  using Datagrams = MemoryDatagrams;
  explicit ScriptedStack(base::Loop& loop) : loop_(loop) {}

  base::Task<Result<Flow>> connect(const Endpoint& to, base::Duration within) {
    struct Attempt {
      explicit Attempt(std::size_t& its_count) : count(its_count) { ++count; }
      ~Attempt() { --count; }
      std::size_t& count;
    };
    const Attempt attempt(under_way);
    const std::string name = address_text(to);
    connects.emplace_back(name, loop_.now());
    const Host host = hosts[name];
    if (host.is_silent || host.answers_after > within) {
      co_await loop_.sleep_for(within);
      co_return base::failure(Error::timed_out);
    }
    if (host.answers_after > base::Duration(0)) co_await loop_.sleep_for(host.answers_after);
    if (host.refuses) co_return base::failure(Error::reset);
    wires.push_back(std::make_shared<MemoryWire>(loop_, faults_));
    if (on_connect) on_connect(*wires.back(), name);
    co_return Flow(wires.back(), 0);
  }
  Result<Datagrams> open_datagrams(const Endpoint& peer) {
    if (!can_open) return base::failure(Error::reset);
    return Datagrams(loop_, [this, name = address_text(peer)](const auto& box, std::string sent) {
      questions.emplace_back(name, loop_.now());
      if (on_question) on_question(name, std::move(sent), box);
    });
  }
  [[nodiscard]] std::size_t open_flows() const {
    std::size_t open = 0;
    for (const auto& wire : wires) open += wire->is_closed() ? 0 : 1;
    return open;
  }

  std::map<std::string, Host> hosts;
  std::vector<std::shared_ptr<MemoryWire>> wires;  // the test has their other ends
  std::vector<std::pair<std::string, base::Instant>> connects;
  std::vector<std::pair<std::string, base::Instant>> questions;
  std::size_t under_way = 0;
  bool can_open = true;
  std::function<void(MemoryWire&, const std::string& peer)> on_connect;
  std::function<void(const std::string& server, std::string sent, std::shared_ptr<Mailbox>)>
      on_question;

 private:
  base::Loop& loop_;
  MemoryFaults faults_;
};
static_assert(ClientStack<ScriptedStack> && DatagramStack<ScriptedStack>);

struct World {
  base::SimulatedTime time;
  base::Loop loop{time, time};
  Entropy entropy;
  ScriptedStack stack{loop};

  base::Instant done{};  // when the last answer came

  [[nodiscard]] base::Duration now() const { return done - base::Instant{}; }
  // Until `is_over`, or for a long time. The loop sleeps a little after that.
  template <class IsOver>
  void run_until(const IsOver& is_over) {
    const base::Instant end = loop.now() + std::chrono::hours(1);
    while (!is_over() && loop.now() < end) loop.turn(loop.now() + std::chrono::milliseconds(1));
  }
};

}  // namespace net::dns
