// SPDX-License-Identifier: ISC
// tests/kv/rw_stores.hpp: every store that is changed, as a fixture of tests/kv/rw_laws.hpp and of
// tests/kv/laws.hpp; and the least that models kv::KvRw, which can break a law on purpose.

#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "block/memory/memory.hpp"
#include "kv/directory/writable.hpp"
#include "kv/memory/memory.hpp"
#include "kv/rw.hpp"
#include "kv/vault/vault.hpp"
#include "tests/block/archetype.hpp"
#include "tests/kv/laws.hpp"
#include "tests/kv/tree.hpp"

namespace kv {

enum class RwFlaw {
  none,
  forgets_at_restart,      // law 10
  appends,                 // law 10
  keeps_slash,             // law 10
  remove_keeps,            // law 11
  removes_dictionaries,    // law 11
  removes_nothing_gladly,  // law 11
  takes_any_key,           // law 12
  takes_any_size,          // law 12
  overwrites_dictionaries  // law 12
};

// Nothing that the concept does not ask for.
class RwArchetype {
 public:
  using Value = Memory::Value;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = 1000;

  explicit RwArchetype(RwFlaw flaw = RwFlaw::none) : flaw_(flaw) {}

  auto exists(Key key) { return memory_.exists(key); }
  auto stat(Key key) { return memory_.stat(key); }
  auto get(Key key, Encoding encoding) { return memory_.get(key, encoding); }
  auto get_partial(Key key, Encoding encoding, std::uint64_t offset, std::uint64_t length) {
    return memory_.get_partial(key, encoding, offset, length);
  }
  auto list(Key key) { return memory_.list(key); }

  base::Ready<ChangeResult<void>> set(Key key, Bytes value) {
    key = without_slash(key);
    if (flaw_ == RwFlaw::keeps_slash && key == "b/c" && has("b/c")) return {{}};
    if (!is_vault_key(key) && flaw_ != RwFlaw::takes_any_key) {
      return {base::failure(ChangeError::bad_key)};
    }
    if (value.size() > vault_value_bytes_max && flaw_ != RwFlaw::takes_any_size) {
      return {base::failure(ChangeError::too_large)};
    }
    if (!is_vault_key(key)) return {{}};
    if (has_conflict(key)) {
      if (flaw_ == RwFlaw::overwrites_dictionaries) return {{}};
      return {base::failure(ChangeError::conflict)};
    }
    std::string bytes(base::text_of(value));
    if (flaw_ == RwFlaw::appends && has(key)) bytes += "!";
    memory_.put(key, bytes);
    keys_.insert(std::string(key));
    return {{}};
  }
  base::Ready<ChangeResult<void>> remove(Key key) {
    key = without_slash(key);
    if (memory_.exists(key).value == Kind::dictionary) {
      if (flaw_ == RwFlaw::removes_dictionaries) return {{}};
      return {base::failure(ChangeError::conflict)};
    }
    if (!has(key)) {
      if (flaw_ == RwFlaw::removes_nothing_gladly) return {{}};
      return {base::failure(ChangeError::not_found)};
    }
    if (flaw_ == RwFlaw::remove_keeps) return {{}};
    memory_.remove(key);
    keys_.erase(std::string(key));
    return {{}};
  }

  void restart() {
    if (flaw_ != RwFlaw::forgets_at_restart) return;
    for (const std::string& key : keys_) memory_.remove(key);
  }

 private:
  bool has(Key key) const { return keys_.contains(std::string(key)); }
  bool has_conflict(Key key) const {
    if (memory_.exists(key).value == Kind::dictionary) return true;
    for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
      if (has(key.substr(0, end))) return true;
    }
    return false;
  }
  RwFlaw flaw_;
  Memory memory_;
  std::set<std::string> keys_;
};
static_assert(KvRw<RwArchetype>);
static_assert(KvRw<Vault<block::Archetype>>);

template <RwFlaw flaw>
class RwArchetypeFixture {
 public:
  explicit RwArchetypeFixture(base::Loop&) : store_(flaw) {}
  RwArchetype& store() { return store_; }
  void restart() { store_.restart(); }

 private:
  RwArchetype store_;
};

// A device whose calls wait a moment, so that calls overlap.
template <block::BlockDevice D>
class Slow {
 public:
  Slow(D& device, base::Loop& loop) : device_(device), loop_(loop) {}
  [[nodiscard]] block::Info info() const { return device_.info(); }
  base::Task<block::Result<void>> read(std::uint64_t sector, base::MutableBytes to) {
    co_await loop_.sleep_for(moment);
    const block::Result<void> result = co_await device_.read(sector, to);
    co_return result;
  }
  base::Task<block::Result<void>> write(std::uint64_t sector, Bytes from) {
    co_await loop_.sleep_for(moment);
    const block::Result<void> result = co_await device_.write(sector, from);
    co_return result;
  }
  base::Task<block::Result<void>> flush() {
    co_await loop_.sleep_for(moment);
    const block::Result<void> result = co_await device_.flush();
    co_return result;
  }

 private:
  static constexpr base::Duration moment = std::chrono::microseconds(1);
  D& device_;
  base::Loop& loop_;
};

inline constexpr block::Info vault_info{512, 8192, false};  // 4 MiB
inline constexpr block::Info vault_info_4k{4096, 1024, false};

// On a device that needs no loop to turn, or one that waits.
template <const block::Info& info, bool waits>
class VaultFixture {
 public:
  explicit VaultFixture(base::Loop& loop) : loop_(loop), slow_(device_, loop) {
    CHECK(answer(loop_, Vault<block::Archetype>::format(device_)).has_value());
    restart();
  }
  // For the laws of KvRo: what of the content a vault can hold.
  VaultFixture(const Content& content, base::Loop& loop) : VaultFixture(loop) {
    for (const auto& [key, item] : content) {
      if (!is_vault_key(key)) continue;
      content_[key].identity = item.identity;
      CHECK(answer(loop_, store().set(key, base::bytes_of(item.identity))).has_value());
    }
    restart();
  }
  auto& store() { return *vault_; }
  const Content& content() const { return content_; }
  void restart() {
    if constexpr (waits) {
      vault_.emplace(slow_, loop_);
    } else {
      vault_.emplace(device_, loop_);
    }
    CHECK(answer(loop_, vault_->connect()).has_value());
  }

 private:
  using Device = std::conditional_t<waits, Slow<block::Archetype>, block::Archetype>;
  base::Loop& loop_;
  Content content_;
  block::Archetype device_{info};
  Slow<block::Archetype> slow_;
  std::optional<Vault<Device>> vault_;
};

// A directory that is a vault; its files may have come by other ways.
class WritableFixture {
 public:
  explicit WritableFixture(base::Loop&) { restart(); }
  WritableFixture(const Content& content, base::Loop& loop) : WritableFixture(loop) {
    for (const auto& [key, item] : content) {
      tree_.write(key, item.identity);
      if (is_vault_key(key)) content_[key].identity = item.identity;
    }
  }
  WritableDirectory& store() { return *store_; }
  const Content& content() const { return content_; }
  void restart() {
    store_.reset();  // the lock is one process's
    store_.emplace(tree_.path());
  }
  [[nodiscard]] const Tree& tree() const { return tree_; }

 private:
  Tree tree_;
  Content content_;
  std::optional<WritableDirectory> store_;
};

using QuickVault = VaultFixture<vault_info, false>;
using SlowVault = VaultFixture<vault_info_4k, true>;

}  // namespace kv
