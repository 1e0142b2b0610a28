// SPDX-License-Identifier: ISC
// tests/kv/fuzz/vault_fuzz.cpp: any bytes as the slots of a vault.
//
// Held:  read_slot ends, and an Index that it gives keeps every rule of kv/vault/format.hpp: it is
//        encoded to the bytes that were read, its Space has the right count, and a vault on such a
//        device answers, changes and restarts. Nothing is written to a device that is refused.
// Input: byte 0 is what to do about the checksums, which no fuzzer guesses: bit 0 makes slot A's
//        right, bit 1 slot B's. Then the items' and headers' bytes of slot A, as many for B.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "block/memory/memory.hpp"
#include "crypto/hash.hpp"
#include "kv/vault/vault.hpp"
#include "tests/base/simulated_time.hpp"

namespace {

using namespace kv;

constexpr block::Info info{512, 128, false};

std::uint32_t u32_at(base::Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = value << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

// Puts the right SHA-256 into the header.
void seal(base::MutableBytes slot) {
  constexpr std::size_t sha256_at = vault::header_bytes - 32;
  const std::uint32_t item_bytes = u32_at(slot, 28);
  if (item_bytes > vault::slot_bytes - vault::header_bytes) return;
  crypto::Sha256 sha256;
  sha256.update(slot.first(sha256_at));
  sha256.update(slot.subspan(vault::header_bytes, item_bytes));
  std::ranges::copy(sha256.finish(), slot.subspan(sha256_at).begin());
}

void check_slot(base::Bytes bytes) {
  const vault::Slot slot = vault::read_slot(bytes, info);
  if (slot.state != vault::SlotState::whole) return;
  const std::uint32_t size = slot.index.encoded_bytes();
  CHECK(size != 0);
  std::vector<std::byte> again(size);
  slot.index.encode(again);
  CHECK(std::ranges::equal(again, bytes.first(size)));
  std::uint32_t used = 0;
  for (const auto& [key, item] : slot.index.items) {
    CHECK(is_vault_key(key));
    used += slot.index.geometry.units_for(item.size_bytes);
  }
  CHECK(vault::Space(slot.index).free_count() == slot.index.geometry.unit_count - used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned seals = data[0];
  const std::size_t half = std::min<std::size_t>((size - 1) / 2, vault::slot_bytes);
  block::Memory device(info);
  const std::span slots(device.bytes());
  for (unsigned slot = 0; slot < 2; ++slot) {
    const auto* from = reinterpret_cast<const std::byte*>(data + 1 + slot * half);
    const auto bytes = slots.subspan(slot * vault::slot_bytes, vault::slot_bytes);
    std::copy_n(from, half, bytes.begin());
    if ((seals >> slot & 1U) != 0) seal(bytes);
    check_slot(bytes);
  }
  base::SimulatedTime time;
  base::Loop loop(time, time);
  const std::vector<std::byte> before = device.bytes();
  std::uint64_t generation = 0;
  {
    Vault<block::Memory> store(device, loop);
    const auto connected = base::run_now(store.connect());
    if (!connected) {
      CHECK(!connected.error().empty());
      CHECK(device.bytes() == before);
      return 0;
    }
    const auto entries = base::run_now(store.list(""));
    CHECK(entries.has_value());
    for (const Entry& entry : *entries) {
      const auto value = base::run_now(store.get(entry.name, Encoding::identity));
      CHECK(value.has_value() || value.error() != Error::not_found);
    }
    const auto was_set = base::run_now(store.set("new", base::bytes_of("value")));
    if (!was_set)
      CHECK(was_set.error() == ChangeError::full || was_set.error() == ChangeError::conflict);
    generation = store.generation();
  }
  Vault<block::Memory> later(device, loop);
  const auto connected = base::run_now(later.connect());
  CHECK(connected.has_value());
  CHECK(later.generation() == generation);
  return 0;
}
