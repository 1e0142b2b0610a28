// SPDX-License-Identifier: ISC
// config/parts/stores.hpp: kv_ro: a directory that `crunch embed` has written, or one that is read
// while the appliance runs.
//
// States:  crunched, directory, choose_store; the keys `store` and `directory`, with the name of a
//          group before them where an appliance has several.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "config/choice.hpp"
#include "config/graph.hpp"
#include "config/grouped.hpp"
#include "config/instances.hpp"
#include "config/key.hpp"
#include "config/parts/modules.hpp"
#include "config/system_calls.hpp"
#include "kv/crunched/crunched.hpp"
#include "kv/directory/directory.hpp"

namespace config {

// A target says by its Platform's `has_files` that processes beside it have files.
template <class Platform>
concept HasFiles = Platform::has_files;

enum class StoreKind : std::uint8_t { crunched, directory };
inline constexpr std::string_view store_words[] = {"crunched", "directory"};
inline constexpr std::string_view store_section = "STORE";

template <Text group, class Platform>
inline constexpr Key<StoreKind> store_key{
    .name = grouped<group, "store">,
    .section = store_section,
    .doc = "Where the files are: crunched into the image, or in a directory beside it",
    .fallback = StoreKind::crunched,
    .words = std::span(store_words).first(HasFiles<Platform> ? 2 : 1),
    .stage = Stage::build};
template <Text group>
inline constexpr Key<Path> directory_key{.name = grouped<group, "directory">,
                                         .section = store_section,
                                         .doc = "The directory that is served, read live",
                                         .fallback = "."};

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
    if constexpr (requires { context.platform.read_again; }) {
      context.platform.read_again.push_back(path);
    }
    return kv::Directory(path);
  } catch (const std::runtime_error& error) {
    throw StartError(error.what());
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
                 otherwise(crunched<table>(name)));
  } else {
    return match(kind, otherwise(crunched<table>(name)));
  }
}

}  // namespace config
