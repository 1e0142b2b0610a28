// SPDX-License-Identifier: ISC
// targets/libos/random.hpp: unpredictable bytes: ChaCha20 over what the processor and devices give.
//
// States:  unseeded (bytes are only hard to guess: what glibc needs for its canary before there are
//          devices) -> seeded, once `seed` had enough.
// Shape:   fast key erasure: each request first replaces the key, so earlier bytes cannot be
//          computed from what is in memory later.
// Source:  RFC 8439 (ChaCha20); blog.cr.yp.to/20170723-random.html; Intel's DRNG guide for retries.
// Rule:    who serves refuses to start while is_seeded() is false.

#pragma once

#include <cstddef>
#include <cstdint>

namespace libos::random {

// Mixes in time stamps, and RDSEED or RDRAND where the processor has one that works.
void begin() noexcept;
// The same, after the machine was put away and taken up again, maybe on another processor.
void go_on() noexcept;
// Mixes in `bytes` that a device gave; 32 of them or more are enough to be seeded.
void seed(const std::uint8_t* from, std::size_t bytes) noexcept;
[[nodiscard]] bool is_seeded() noexcept;
// Any number of bytes. Each call stirs in RDRAND's, where there is one, and the time stamp counter,
// so that a machine which was restored or copied does not repeat what another one drew.
void fill(void* out, std::size_t bytes) noexcept;

}  // namespace libos::random
