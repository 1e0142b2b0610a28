// SPDX-License-Identifier: ISC
// net/lwip/engine.hpp: all of lwIP, as one object: its device, its frames, its time and its
// addresses. Each stack has one.
//
// Owns:    a set of lwIP's globals.
// Frames:  in: copied into a pbuf, handed to lwIP, at most `frames_per_turn_max` a turn. Out: the
//          pbuf's pieces as they are; the device's Release gives up the reference that it was sent
//          with, so bytes of a Piece that is lasting are never copied. A frame for which the device
//          has no room is not sent; TCP tries again on `on_space`. For a device that cuts segments
//          itself those that follow one another are joined (Burst).

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <lwip/netif.h>

#include "base/entropy.hpp"
#include "base/log.hpp"
#include "base/loop.hpp"
#include "base/token_bucket.hpp"
#include "net/lwip/any_device.hpp"
#include "net/lwip/burst.hpp"
#include "net/lwip/checksum.hpp"
#include "net/lwip/clockwork.hpp"
#include "net/lwip/connection.hpp"
#include "net/lwip/connection_table.hpp"
#include "net/lwip/datagrams.hpp"
#include "net/lwip/globals.hpp"
#include "net/lwip/half_open.hpp"
#include "net/lwip/interface.hpp"
#include "net/lwip/options.hpp"
#include "net/lwip/orphans.hpp"
#include "net/lwip/paths.hpp"
#include "net/lwip/unknown_neighbours.hpp"
#include "net/name_servers.hpp"

namespace net::lwip {

class Engine {
 public:
  Engine(base::Loop& loop, base::Entropy& entropy, base::Log& log,
         std::unique_ptr<AnyDevice> device, const Options& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The one that was entered last: by it lwIP's C functions are answered.
  static Engine& current() { return Globals::owner(); }

  base::Loop& loop;
  Globals globals{*this};
  Clockwork clockwork;
  Pool pool;
  HalfOpen half_open;
  ConnectionTable connections;
  Orphans orphans;
  Interface interface;
  Paths paths;

  // ---- What lwIP asks (port.cpp).
  std::uint32_t random();
  [[nodiscard]] std::uint32_t now_ms() const;
  // The first sequence number of a connection, by what is given of it.
  [[nodiscard]] std::uint32_t sequence(base::Bytes connection) const;
  err_t send(const netif& from, pbuf* frame);
  // What came of IPv6 in pieces, and whether what lwIP works on did.
  Fragments fragments;
  bool is_put_together = false;
  unsigned dhcp_refusals = 0;  // in a row
  // Of the DHCP message that lwIP reads now; name_servers has them once it is a lease's.
  NameServers::List dhcp_name_servers;
  NameServers name_servers;
  // Of all ICMP errors to all hosts, as many as Linux sends (icmp_msgs_burst, icmp_msgs_per_sec):
  // who sends what cannot be delivered must not get one for each packet, nor have them sent to
  // others by a forged address (RFC 4443 section 2.4 (f), RFC 1812 section 4.3.2.8).
  base::TokenBucket icmp_errors{50, std::chrono::milliseconds(1)};
  // What the SYN announces that lwIP is about to make a connection of.
  std::optional<std::uint16_t> announced_segment;
  // For the next connection: its first sequence number is to be above this one.
  std::optional<std::uint32_t> sequence_above;
  // lwIP has made it, and has not answered yet. False: no memory; it is to be forgotten.
  [[nodiscard]] bool adopt(tcp_pcb& pcb);
  bool admit_stranger(const ip_addr_t& sender) {
    return unknown_neighbours_.admit(interface.lwip_netif(), sender, loop.now());
  }

  static constexpr int frames_per_turn_max = 256;
  // Connections in TIME_WAIT: above it the oldest is forgotten, so that lists stay short.
  static constexpr std::size_t time_wait_max = 512;

 private:
  class Frames final : public base::Work {
   public:
    explicit Frames(Engine& engine) noexcept : engine_(engine) {}
    void run() override { engine_.receive(); }

   private:
    Engine& engine_;
  };
  class BurstEnd final : public base::Work {
   public:
    explicit BurstEnd(Engine& engine) noexcept : engine_(engine) {}
    void run() override { static_cast<void>(engine_.send_burst()); }

   private:
    Engine& engine_;
  };
  class Space final : public base::Work {
   public:
    explicit Space(Engine& engine) noexcept : engine_(engine) {}
    void run() override { engine_.send_again(); }

   private:
    Engine& engine_;
  };

  void receive();
  void take(const FrameIn& frame);
  bool hold(pbuf& frame);
  err_t send(pbuf* frame);
  void forget_old_time_waits();
  bool send_burst();
  bool put(pbuf& frame);
  void send_again();

  base::Entropy& entropy_;
  std::unique_ptr<AnyDevice> device_;
  Mac mac_;
  std::size_t frame_bytes_max_;
  Offload offload_;
  UnknownNeighbours unknown_neighbours_;
  HashKey sequence_key_;
  std::array<std::uint32_t, 64> random_{};
  std::size_t random_left_ = 0;
  const tcp_pcb* last_time_wait_ = nullptr;  // that was counted
  Frames frames_{*this};
  Space space_{*this};
  // Segments that wait for more of the same, at most until what is due in this turn has run.
  std::unique_ptr<Burst> burst_;
  BurstEnd burst_end_{*this};
};

}  // namespace net::lwip
