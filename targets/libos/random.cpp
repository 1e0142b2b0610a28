// SPDX-License-Identifier: ISC
#include "targets/libos/random.hpp"

#include "targets/libos/cpu.hpp"

namespace libos::random {

namespace {

constexpr std::size_t key_words = 8;
constexpr std::size_t block_words = 16;
constexpr std::size_t block_bytes = 64;
constexpr std::size_t key_bytes = 32;

std::uint32_t key[key_words];
bool seeded = false;
bool has_generator = false;  // CPUID is asked once: under a hypervisor it is slow

std::uint32_t turn(std::uint32_t value, unsigned by) { return value << by | value >> (32U - by); }

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
  a += b;
  d = turn(d ^ a, 16);
  c += d;
  b = turn(b ^ c, 12);
  a += b;
  d = turn(d ^ a, 8);
  c += d;
  b = turn(b ^ c, 7);
}

// RFC 8439 section 2.3, with a nonce of zero.
void chacha20_block(std::uint32_t counter, std::uint32_t* out) {
  std::uint32_t start[block_words];
  start[0] = 0x61707865;
  start[1] = 0x3320646e;
  start[2] = 0x79622d32;
  start[3] = 0x6b206574;
  for (std::size_t i = 0; i < key_words; ++i) start[4 + i] = key[i];
  start[12] = counter;
  start[13] = start[14] = start[15] = 0;
  for (std::size_t i = 0; i < block_words; ++i) out[i] = start[i];
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < 4; ++i) quarter_round(out[i], out[4 + i], out[8 + i], out[12 + i]);
    for (std::size_t i = 0; i < 4; ++i) {
      quarter_round(out[i], out[4 + (i + 1) % 4], out[8 + (i + 2) % 4], out[12 + (i + 3) % 4]);
    }
  }
  for (std::size_t i = 0; i < block_words; ++i) out[i] += start[i];
}

// The key becomes a function of itself and of what was mixed into it.
void stir() {
  std::uint32_t block[block_words];
  chacha20_block(0, block);
  for (std::size_t i = 0; i < key_words; ++i) key[i] = block[i];
}

bool rdrand(std::uint64_t& out) {
  unsigned char good = 0;
  for (int attempt = 0; attempt < 10 && good == 0; ++attempt) {
    asm volatile("rdrand %0; setc %1" : "=r"(out), "=qm"(good) : : "cc");
  }
  return good != 0;
}

bool rdseed(std::uint64_t& out) {
  unsigned char good = 0;
  for (int attempt = 0; attempt < 100 && good == 0; ++attempt) {
    asm volatile("rdseed %0; setc %1" : "=r"(out), "=qm"(good) : : "cc");
    if (good == 0) cpu::pause();
  }
  return good != 0;
}

bool has_rdseed() {
  constexpr std::uint32_t bit = 1U << 18U;
  return cpu::cpuid(0).eax >= 7 && (cpu::cpuid(7).ebx & bit) != 0;
}
bool has_rdrand() {
  constexpr std::uint32_t bit = 1U << 30U;
  return (cpu::cpuid(1).ecx & bit) != 0;
}

void mix(std::size_t word, std::uint64_t value) {
  key[word % key_words] ^= static_cast<std::uint32_t>(value);
  key[(word + 1) % key_words] ^= static_cast<std::uint32_t>(value >> 32U);
}

// 256 bits from the processor; false: it has none, or they are all the same, as broken ones are.
bool ask_processor() {
  const bool seeds = has_rdseed();
  const bool rands = has_rdrand();
  std::uint64_t first = 0;
  bool differ = false;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t value = 0;
    if (!(seeds && rdseed(value)) && !(rands && rdrand(value))) return false;
    if (i == 0) first = value;
    if (value != first) differ = true;
    mix(2 * i, value);
  }
  return differ;
}

// What no copy of this machine has: a machine that was saved may be restored twice, with the same
// key, and then two signatures with one nonce give the private key away. RDRAND, not RDSEED: it is
// several times quicker, and the key has its entropy already.
void stir_in_moment() {
  constexpr std::size_t values = 4;
  for (std::size_t i = 0; i < values; ++i) {
    std::uint64_t value = 0;
    if (has_generator && rdrand(value)) mix(2 * i, value);
  }
  // Where there is no generator, time at least has gone on.
  mix(0, cpu::rdtsc());
  stir();
}

}  // namespace

void begin() noexcept {
  has_generator = has_rdrand();
  for (std::size_t i = 0; i < 2 * key_words; ++i) {
    mix(i, cpu::rdtsc());
    stir();
  }
  if (ask_processor()) seeded = true;
  stir();
}

void go_on() noexcept { begin(); }

void seed(const std::uint8_t* from, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i) {
    key[i / 4 % key_words] ^= static_cast<std::uint32_t>(from[i]) << i % 4 * 8;
    if ((i + 1) % key_bytes == 0) stir();
  }
  stir();
  if (bytes >= key_bytes) seeded = true;
}

bool is_seeded() noexcept { return seeded; }

void fill(void* out, std::size_t bytes) noexcept {
  stir_in_moment();
  std::uint32_t block[block_words];
  std::uint32_t next_key[key_words];
  chacha20_block(0, block);
  for (std::size_t i = 0; i < key_words; ++i) next_key[i] = block[i];
  auto* at = static_cast<std::uint8_t*>(out);
  for (std::uint32_t counter = 1; bytes > 0; ++counter) {
    chacha20_block(counter, block);
    const std::size_t now = bytes < block_bytes ? bytes : block_bytes;
    cpu::copy(at, block, now);
    at += now;
    bytes -= now;
  }
  for (std::size_t i = 0; i < key_words; ++i) key[i] = next_key[i];
  cpu::zero(block, sizeof block);
  cpu::zero(next_key, sizeof next_key);
}

}  // namespace libos::random
