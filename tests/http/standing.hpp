// SPDX-License-Identifier: ISC
// tests/http/standing.hpp: places of connections without sessions, in simulated time.
//
// States:  Standing, AdmissionWorld.   Used by: tests of http/admission.hpp.

#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/loop.hpp"
#include "http/admission.hpp"
#include "tests/base/simulated_time.hpp"

namespace http_test {

struct Standing final : http::Place {
  using Place::become_begun;
  using Place::become_busy;
  using Place::become_idle;
  Standing(http::Admission& admission, http::Ticket ticket) : Place(admission, std::move(ticket)) {}
  void give_way() noexcept override { gave_way = true; }
  bool gave_way = false;
};

struct AdmissionWorld {
  explicit AdmissionWorld(const http::AdmissionLimits& limits) : clients(limits, 1, 7) {}

  // Null: refused.
  std::unique_ptr<Standing> come(const net::Endpoint& from) {
    http::Ticket ticket = admission.admit(from, made_room);
    if (!ticket) return nullptr;
    auto place = std::make_unique<Standing>(admission, std::move(ticket));
    place->become_idle();
    return place;
  }
  std::unique_ptr<Standing> come(std::uint8_t last) { return come(net::ipv4(192, 0, 2, last, 1)); }
  void pass(base::Duration time_passed) {
    time.advance(time_passed);
    loop.turn(time.now());
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  http::Clients clients;
  http::Admission admission{clients, loop};
  bool made_room = false;
};

}  // namespace http_test
