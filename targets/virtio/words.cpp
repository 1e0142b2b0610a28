// SPDX-License-Identifier: ISC
#include "targets/virtio/words.hpp"

#include "targets/libos/report.hpp"

namespace virtio_target::words {

namespace {

constinit MmioPlaces found;

bool skip(const char*& at, const char* text) {
  const char* rest = at;
  for (; *text != '\0'; ++text, ++rest) {
    if (*rest != *text) return false;
  }
  at = rest;
  return true;
}

unsigned digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 99;
}

// Decimal, or hexadecimal after 0x; false: no digit.
bool number(const char*& at, std::uint64_t& out) {
  const unsigned base = skip(at, "0x") ? 16 : 10;
  const char* const begin = at;
  for (out = 0; digit(*at) < base; ++at) out = out * base + digit(*at);
  return at != begin;
}

}  // namespace

bool take(const char* word) noexcept {
  const char* at = word;
  if (!skip(at, "virtio_mmio.device=")) return false;
  std::uint64_t size = 0;
  std::uint64_t base = 0;
  std::uint64_t interrupt = 0;
  bool good = number(at, size);
  if (good && (*at == 'K' || *at == 'k' || *at == 'M')) ++at;
  good = good && skip(at, "@") && number(at, base) && skip(at, ":") && number(at, interrupt) &&
         (*at == '\0' || *at == ':');
  if (!good) libos::refuse({"the command line has '", word, "', which names no device"});
  if (found.count == mmio_places_max) libos::refuse({"the command line names over 32 devices"});
  found.at[found.count].base = base;
  found.at[found.count].interrupt = static_cast<std::uint32_t>(interrupt);
  ++found.count;
  return true;
}

const MmioPlaces& places() noexcept { return found; }

}  // namespace virtio_target::words
