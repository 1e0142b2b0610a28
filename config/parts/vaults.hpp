// SPDX-License-Identifier: ISC
// config/parts/vaults.hpp: a vault: what must survive a restart, as the credentials read it and
// what renews them changes it.
//
// States:  choose_by_vault; the build key `vault`, and where it is: the boot key `vault`, the path
//          of a file or a directory, where images have files, else `vault-device`.
// Threads: the first thread has the vault; the others have none.
// Errors:  StartError, a sentence with the place, where it is damaged, foreign, in use or missing.

#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "block/file/file.hpp"
#include "config/choice.hpp"
#include "config/graph.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/disks.hpp"
#include "config/system_calls.hpp"
#include "kv/directory/writable.hpp"
#include "kv/vault/vault.hpp"

namespace config {

// any: what the target can have; with files, whichever a path leads to.
enum class VaultKind : std::uint8_t { none, any, block, directory };
inline constexpr std::string_view vault_words[] = {"none", "any", "block", "directory"};
inline constexpr std::string_view vault_section = "VAULT";

template <class Platform>
inline constexpr Key<VaultKind> vault_key{
    .name = "vault",
    .section = vault_section,
    .doc = "What keeps certificates and keys over a restart: a block device, or a directory",
    .fallback = VaultKind::none,
    .words = std::span(vault_words)
                 .first(HasFiles<Platform>          ? 4
                        : HasBlockDevices<Platform> ? 3
                                                    : 2),
    .stage = Stage::build};
// It shares its name with the key above, which no boot line can give.
inline constexpr Key<Path> vault_path{
    .name = "vault",
    .section = vault_section,
    .doc = "The vault: a file by crunch disk format, or a directory, as the image was built for",
    .fallback = "",
    .stage = Stage::boot};
inline constexpr Key<unsigned> vault_device{
    .name = "vault-device",
    .section = vault_section,
    .doc = "Number of the block device that is the vault, the first being 1; 0: there is none",
    .fallback = 1,
    .least = 0,
    .most = 64};

// A vault on a block device.
template <block::BlockDevice D>
class BlockVault {
 public:
  // `place` names it in sentences: "the vault on block device 1".
  BlockVault(std::unique_ptr<D> owned, D& device, base::Loop& loop, base::Log& log,
             const std::string& place)
      : owned_(std::move(owned)), loop_(loop), store_(device, loop) {
    const auto connected = detail::turn_until_done(loop_, store_.connect());
    if (!connected) throw StartError(place + " " + connected.error());
    if (!store_.had_both_copies()) {
      log.warning({place,
                   " had one whole copy of its index: power was lost during a change, or "
                   "the disk is failing (crunch disk check)"});
    }
  }
  // Others cannot change it: the device is this image's alone.
  static constexpr bool changes_outside = false;
  // Before the loop runs only.
  kv::Result<kv::SecretValue> read(kv::Key key) {
    return detail::turn_until_done(loop_, store_.get(key, kv::Encoding::identity));
  }
  base::Task<kv::ChangeResult<void>> set(kv::Key key, kv::Bytes value) {
    return store_.set(key, value);
  }

 private:
  std::unique_ptr<D> owned_;  // or null: the platform's
  base::Loop& loop_;
  kv::Vault<D> store_;
};

// Where the vault of a thread is, if it has one.
template <class Store>
class VaultPart {
 public:
  static constexpr bool changes_outside = Store::changes_outside;

  VaultPart() = default;
  VaultPart(std::unique_ptr<Store> store, std::string place)
      : store_(std::move(store)), place_(std::move(place)) {}

  [[nodiscard]] bool is_there() const noexcept { return store_ != nullptr; }
  // Whether others change this one. True of a thread that has none, but where none is of that kind.
  [[nodiscard]] bool is_changed_outside() const noexcept {
    if constexpr (requires { store_->is_changed_outside(); }) {
      return store_ == nullptr || store_->is_changed_outside();
    } else {
      return changes_outside;
    }
  }
  [[nodiscard]] const std::string& place() const noexcept { return place_; }
  // The value of `key`; it is_there(). Waits for the device.
  kv::Result<kv::SecretValue> read(kv::Key key) { return store_->read(key); }
  // Law 10 of kv::KvRw, while the loop runs; is_there(). Both arguments outlive the task.
  [[nodiscard]] base::Task<kv::ChangeResult<void>> set(kv::Key key, kv::Bytes value) {
    return store_->set(key, value);
  }

 private:
  std::unique_ptr<Store> store_;
  std::string place_;
};

class DirectoryVault {
 public:
  explicit DirectoryVault(const std::string& path) : store_(path) {}
  static constexpr bool changes_outside = true;
  kv::Result<kv::SecretValue> read(kv::Key key) {
    return store_.get(key, kv::Encoding::identity).value;
  }
  base::Task<kv::ChangeResult<void>> set(kv::Key key, kv::Bytes value) {
    co_return store_.set(key, value).value;
  }

 private:
  kv::WritableDirectory store_;
};

// One of the two.
class FileOrDirectoryVault {
 public:
  using File = VaultPart<BlockVault<block::File>>;
  using Directory = VaultPart<DirectoryVault>;
  static constexpr bool changes_outside = true;

  explicit FileOrDirectoryVault(File file) : file_(std::move(file)) {}
  explicit FileOrDirectoryVault(Directory directory) : directory_(std::move(directory)) {}
  [[nodiscard]] bool is_changed_outside() const noexcept { return directory_.is_there(); }
  kv::Result<kv::SecretValue> read(kv::Key key) {
    return directory_.is_there() ? directory_.read(key) : file_.read(key);
  }
  base::Task<kv::ChangeResult<void>> set(kv::Key key, kv::Bytes value) {
    return directory_.is_there() ? directory_.set(key, value) : file_.set(key, value);
  }

 private:
  File file_;
  Directory directory_;
};

// A module that holds what a vault is to others.
struct VaultModule {
  static constexpr std::string_view name = "vault";
  static constexpr bool is_job = false;
  template <class T>
  static constexpr bool holds = requires(T& vault, kv::Key key, kv::Bytes value) {
    { vault.is_there() } -> std::same_as<bool>;
    { vault.place() } -> std::convertible_to<std::string_view>;
    { vault.read(key) } -> std::same_as<kv::Result<kv::SecretValue>>;
    { vault.set(key, value) } -> base::AwaitableOf<kv::ChangeResult<void>>;
  };
};
inline constexpr Typ<VaultModule> vault;

struct ConnectDirectoryVault {
  static constexpr std::tuple keys{&vault_path};
  static constexpr auto system_calls = [] {
    std::array<int, reading_files.size() + changing_files.size()> calls{};
    std::ranges::copy(changing_files, std::ranges::copy(reading_files, calls.begin()).out);
    return calls;
  }();

  VaultPart<DirectoryVault> operator()(auto& context) const try {
    auto& platform = context.platform;
    const std::string path(context.boot.value(vault_path).text);
    if (platform.thread_index != 0 || path.empty()) return {};
    platform.read_again.push_back(path);
    platform.change_beneath.push_back(path);
    return {std::make_unique<DirectoryVault>(path), "the vault " + path};
  } catch (const StartError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw StartError(error.what());
  }
};

struct ConnectFileVault {
  static constexpr std::tuple keys{&vault_path};
  static constexpr auto system_calls = block_file_calls;
  using Store = BlockVault<block::File>;

  VaultPart<Store> operator()(auto& context) const try {
    auto& platform = context.platform;
    const std::string path(context.boot.value(vault_path).text);
    if (platform.thread_index != 0 || path.empty()) return {};
    const std::string place = "the vault " + path;
    auto file = std::make_unique<block::File>(path, block::File::Access::read_write);
    block::File& device = *file;
    return {std::make_unique<Store>(std::move(file), device, platform.loop, platform.log, place),
            place};
  } catch (const StartError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw StartError(error.what());
  }
};

struct ConnectAnyVault {
  static constexpr std::tuple keys{&vault_path};
  static constexpr auto system_calls = [] {
    constexpr auto& of_directory = ConnectDirectoryVault::system_calls;
    std::array<int, of_directory.size() + block_file_calls.size()> calls{};
    std::ranges::copy(block_file_calls, std::ranges::copy(of_directory, calls.begin()).out);
    return calls;
  }();

  VaultPart<FileOrDirectoryVault> operator()(auto& context) const {
    std::error_code none;
    const std::string path(context.boot.value(vault_path).text);
    return std::filesystem::is_directory(path, none) ? as_any(ConnectDirectoryVault{}(context))
                                                     : as_any(ConnectFileVault{}(context));
  }

 private:
  static VaultPart<FileOrDirectoryVault> as_any(auto part) {
    if (!part.is_there()) return {};
    std::string place = part.place();
    return {std::make_unique<FileOrDirectoryVault>(std::move(part)), std::move(place)};
  }
};

template <class Platform>
struct ConnectDeviceVault {
  static constexpr std::tuple keys{&vault_device};
  static constexpr std::size_t block_devices = 1;
  using Device = std::remove_pointer_t<std::remove_cvref_t<
      decltype(*std::declval<Platform&>().block_devices.find(1, "").operator->())>>;
  using Store = BlockVault<Device>;

  VaultPart<Store> operator()(auto& context) const {
    auto& platform = context.platform;
    const unsigned number = context.boot.value(vault_device);
    if (number == 0) return {};
    auto found = platform.block_devices.find(number, vault_device.name);
    if (!found) throw StartError(found.error());
    const std::string place = "the vault on block device " + std::to_string(number);
    return {std::make_unique<Store>(nullptr, **found, platform.loop, platform.log, place), place};
  }
};

// Whichever of two devices fits the build key `vault`: `with` is a functor over a vault, applied to
// the one that was chosen; `without` is what is used where there is none.
template <class Platform, class With, class Without>
constexpr auto choose_by_vault(const With& with, const Without& without) {
  constexpr auto kind = value<vault_key<Platform>>();
  if constexpr (HasFiles<Platform>) {
    constexpr auto file =
        impl<VaultPart<ConnectFileVault::Store>>("kv::Vault", vault, ConnectFileVault{});
    constexpr auto directory =
        impl<VaultPart<DirectoryVault>>("kv::WritableDirectory", vault, ConnectDirectoryVault{});
    constexpr auto any = impl<VaultPart<FileOrDirectoryVault>>("kv::Vault or kv::WritableDirectory",
                                                               vault, ConnectAnyVault{});
    return match(kind, when<VaultKind::block>(with(file)),
                 when<VaultKind::directory>(with(directory)), when<VaultKind::any>(with(any)),
                 otherwise(without));
  } else if constexpr (HasBlockDevices<Platform>) {
    using Connect = ConnectDeviceVault<Platform>;
    constexpr auto device = impl<VaultPart<typename Connect::Store>>("kv::Vault", vault, Connect{});
    return match(kind, when<VaultKind::block>(with(device)), when<VaultKind::any>(with(device)),
                 otherwise(without));
  } else {
    return match(kind, otherwise(without));
  }
}

}  // namespace config
