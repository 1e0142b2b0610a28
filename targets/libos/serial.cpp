// SPDX-License-Identifier: ISC
#include "targets/libos/serial.hpp"

#include "targets/libos/cpu.hpp"

namespace libos::serial {

namespace {

constexpr std::uint16_t data = 0x3f8;
constexpr std::uint16_t interrupts = data + 1;
constexpr std::uint16_t queue_control = data + 2;
constexpr std::uint16_t line_control = data + 3;
constexpr std::uint16_t modem_control = data + 4;
constexpr std::uint16_t line_status = data + 5;
constexpr std::uint8_t queue_is_empty = 0x20;
constexpr unsigned queue_bytes = 16;
// 10 to 100 ms, as each leaves the guest; a line of 115200 baud sends its queue in 1.4 ms.
constexpr unsigned tries_max = 20'000;

bool is_there = false;
unsigned room = 0;  // bytes that the queue takes without being asked
// The host did not read last time: it is not waited for until it does.
bool is_stuck = false;

// False: the host does not read.
bool put(char c) {
  if (room == 0) {
    unsigned tries = 0;
    while ((cpu::in8(line_status) & queue_is_empty) == 0) {
      if (is_stuck || ++tries == tries_max) {
        is_stuck = true;
        return false;
      }
      cpu::pause();
    }
    is_stuck = false;
    room = queue_bytes;
  }
  --room;
  cpu::out8(data, static_cast<std::uint8_t>(c));
  return true;
}

}  // namespace

void begin() noexcept {
  constexpr std::uint8_t none = 0xff;
  is_there = cpu::in8(line_status) != none;
  cpu::out8(interrupts, 0);
  cpu::out8(line_control, 0x80);  // the next two are the divisor
  cpu::out8(data, 1);
  cpu::out8(interrupts, 0);
  cpu::out8(line_control, 3);   // 8N1
  cpu::out8(queue_control, 7);  // queues on, and empty
  cpu::out8(modem_control, 3);
}

bool write(const char* text, std::size_t bytes) noexcept {
  if (!is_there) return true;  // nobody can ever read it
  for (std::size_t i = 0; i < bytes; ++i) {
    if (text[i] == '\n' && !put('\r')) return false;
    if (!put(text[i])) return false;
  }
  return true;
}

}  // namespace libos::serial
