// SPDX-License-Identifier: ISC
// config/parts/stores.hpp: kv_ro: a directory that `crunch embed` has written, one that is read
// while the appliance runs, or a tar archive beside it.
//
// States:  crunched, directory, choose_store; the keys `store`, `directory`, and `archive` or
//          `content-device`, with the name of a group before them where an appliance has several.
// Errors:  StartError, a sentence with the place, where there is nothing, or nothing that will do.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/log.hpp"
#include "base/loop.hpp"
#include "block/file/file.hpp"
#include "config/choice.hpp"
#include "config/graph.hpp"
#include "config/grouped.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/disks.hpp"
#include "config/parts/modules.hpp"
#include "config/parts/vaults.hpp"
#include "config/system_calls.hpp"
#include "kv/crunched/crunched.hpp"
#include "kv/directory/directory.hpp"
#include "kv/tar/tar.hpp"

namespace config {

enum class StoreKind : std::uint8_t { crunched, tar, directory };
inline constexpr std::string_view store_words[] = {"crunched", "tar", "directory"};
inline constexpr std::string_view store_section = "STORE";

template <Text group, class Platform>
inline constexpr Key<StoreKind> store_key{.name = grouped<group, "store">,
                                          .section = store_section,
                                          .doc =
                                              "Where the files are: crunched into the image, or in "
                                              "a tar archive or a directory beside it",
                                          .fallback = StoreKind::crunched,
                                          .words = std::span(store_words)
                                                       .first(HasFiles<Platform>          ? 3
                                                              : HasBlockDevices<Platform> ? 2
                                                                                          : 1),
                                          .stage = Stage::build};
// Only the first store serves the working directory unless another is named: that a second one did
// too would publish it twice.
template <Text group>
inline constexpr Key<Path> directory_key{.name = grouped<group, "directory">,
                                         .section = store_section,
                                         .doc = "The directory that is served, read live",
                                         .fallback = group.view().empty() ? "." : ""};
template <Text group>
inline constexpr Key<Path> archive_key{
    .name = grouped<group, "archive">,
    .section = store_section,
    .doc = "The tar archive that is served, by crunch pack or another tar",
    .fallback = ""};
template <Text group, class Platform>
inline constexpr Key<unsigned> content_device_key{
    .name = grouped<group, "content-device">,
    .section = store_section,
    .doc =
        "Number of the block device with the tar archive that is served; 0: 1, or 2 behind a vault",
    .fallback = 0,
    .least = 0,
    .most = 64};

template <const kv::crunched::Site& table>
struct ConnectCrunched {
  kv::Crunched operator()(auto& context) const {
    kv::Crunched store(table);
    if (context.platform.thread_index == 0) {
      context.platform.log.info({table.name, ": ", std::to_string(store.file_count()),
                                 store.file_count() == 1 ? " file, digest " : " files, digest ",
                                 store.site_digest().substr(0, 16)});
    }
    return store;
  }
};
template <Text group>
struct ConnectDirectory {
  static constexpr std::tuple keys{&directory_key<group>};
  static constexpr auto system_calls = reading_files;

  kv::Directory operator()(auto& context) const try {
    std::string path(context.boot.value(directory_key<group>).text);
    if (path.empty()) {
      throw StartError("this image serves a directory: name it by --" +
                       std::string(directory_key<group>.name) + "=DIR");
    }
    if constexpr (requires { context.platform.read_again; }) {
      context.platform.read_again.push_back(path);
    }
    return kv::Directory(path);
  } catch (const std::runtime_error& error) {
    throw StartError(error.what());
  }
};

// A tar archive, connected.
template <block::BlockDevice D>
class TarStore : public kv::Tar<D> {
 public:
  // `place` names it in sentences: "the archive on block device 1".
  TarStore(std::unique_ptr<D> owned, D& device, base::Loop& loop, base::Log& log,
           const std::string& place)
      : kv::Tar<D>(device), owned_(std::move(owned)) {
    try {
      const auto connected = detail::turn_until_done(loop, this->connect());
      if (!connected) throw StartError(place + " " + connected.error());
    } catch (const std::bad_alloc&) {
      throw StartError(place + " needs more memory than there is: more memory, or a smaller site");
    }
    const std::size_t left_out = this->is_packed() ? 0 : this->leave_out_dotfiles();
    log.info(
        {place, ": ", std::to_string(this->file_count()),
         this->file_count() == 1 ? " file" : " files",
         left_out == 0 ? "" : ", " + std::to_string(left_out) + " below names with a '.' left out",
         this->is_packed() ? "" : ", not by crunch pack: without compressed forms and rules"});
    if (!this->is_packed()) warn_of_rules(log, place);
  }

 private:
  // What another tar has packed of the site's rules is text that nothing reads.
  void warn_of_rules(base::Log& log, const std::string& place) {
    for (const char* name : {"_headers", "_redirects", "crunch.toml"}) {
      if (!this->exists(name).value) continue;
      log.warning(
          {place, " has ", name, ", whose rules are not in force: pack the site by crunch pack"});
    }
  }

  std::unique_ptr<D> owned_;  // or null: the platform's
};

// The archive that the threads of a process share: they read one file.
class SharedTar {
 public:
  using Store = TarStore<block::File>;
  using Value = Store::Value;
  static constexpr bool values_last = Store::values_last;
  static constexpr std::uint64_t piece_bytes_max = Store::piece_bytes_max;

  explicit SharedTar(Store& store) : store_(store) {}

  [[nodiscard]] auto exists(kv::Key key) const { return store_.exists(key); }
  [[nodiscard]] auto stat(kv::Key key) const { return store_.stat(key); }
  [[nodiscard]] auto list(kv::Key key) const { return store_.list(key); }
  [[nodiscard]] auto get(kv::Key key, kv::Encoding encoding) { return store_.get(key, encoding); }
  [[nodiscard]] auto get_partial(kv::Key key, kv::Encoding encoding, std::uint64_t offset,
                                 std::uint64_t length) {
    return store_.get_partial(key, encoding, offset, length);
  }

 private:
  Store& store_;
};

template <Text group>
struct ConnectArchive {
  static constexpr std::tuple keys{&archive_key<group>};
  static constexpr std::array system_calls{SYS_pread64};

  SharedTar operator()(auto& context) const {
    return SharedTar(
        context.of_appliance.template get<Archive>([&] { return make(context); }).store);
  }

 private:
  struct Archive {
    SharedTar::Store store;
  };
  static std::unique_ptr<Archive> make(auto& context) {
    auto& platform = context.platform;
    const std::string name(archive_key<group>.name);
    const std::string path(context.boot.value(archive_key<group>).text);
    if (path.empty()) {
      throw StartError("this image serves a tar archive: name it by --" + name +
                       "=FILE (crunch pack DIR -o FILE makes one)");
    }
    try {
      auto file = std::make_unique<block::File>(path, block::File::Access::read);
      block::File& device = *file;
      return std::unique_ptr<Archive>(new Archive{
          {std::move(file), device, platform.loop, platform.log, "the archive " + path}});
    } catch (const StartError&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw StartError(std::string(error.what()) + "; --" + name + " takes a whole tar archive");
    }
  }
};

template <Text group, class Platform>
struct ConnectContentDevice {
  static constexpr std::tuple keys{&content_device_key<group, Platform>};
  static constexpr std::size_t block_devices = 1;
  using Device = std::remove_pointer_t<std::remove_cvref_t<
      decltype(*std::declval<Platform&>().block_devices.find(1, "").operator->())>>;

  TarStore<Device> operator()(auto& context) const {
    auto& platform = context.platform;
    unsigned number = context.boot.value(content_device_key<group, Platform>);
    if (number == 0) number = context.boot.has_key(vault_device.name) ? 2 : 1;
    auto found = platform.block_devices.find(number, content_device_key<group, Platform>.name);
    if (!found) throw StartError(found.error());
    return {nullptr, **found, platform.loop, platform.log,
            "the archive on block device " + std::to_string(number)};
  }
};

template <const kv::crunched::Site& table>
constexpr auto crunched(std::string_view name) {
  return impl<kv::Crunched>(name, kv_ro, ConnectCrunched<table>{});
}
template <Text group = "">
constexpr auto directory(std::string_view name) {
  return impl<kv::Directory>(name, kv_ro, ConnectDirectory<group>{});
}

// One of them, by the build key `store`.
template <const kv::crunched::Site& table, Text group, class Platform>
constexpr auto choose_store(std::string_view name) {
  constexpr auto kind = value<store_key<group, Platform>>();
  if constexpr (HasFiles<Platform>) {
    return match(kind, when<StoreKind::directory>(directory<group>(name)),
                 when<StoreKind::tar>(impl<SharedTar>(name, kv_ro, ConnectArchive<group>{})),
                 otherwise(crunched<table>(name)));
  } else if constexpr (HasBlockDevices<Platform>) {
    using Connect = ConnectContentDevice<group, Platform>;
    return match(
        kind,
        when<StoreKind::tar>(impl<TarStore<typename Connect::Device>>(name, kv_ro, Connect{})),
        otherwise(crunched<table>(name)));
  } else {
    return match(kind, otherwise(crunched<table>(name)));
  }
}

}  // namespace config
