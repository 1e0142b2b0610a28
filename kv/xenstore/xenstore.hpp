// SPDX-License-Identifier: ISC
// kv/xenstore/xenstore.hpp: a directory of xenstore as a store: what the operator of a Xen host
// gives a guest besides its image, such as `vm-data/tls`.
//
// Models:  kv::KvRo, over any client of xenstore.   Owns: nothing; the client outlives it.
// Used by: targets/xen/vm_data.cpp, for boot keys and certificates that stay outside the image.
// Shows:   a node with nodes below it as a dictionary (what is written in the node itself is not
//          shown), one without as a value. Names are of the letters that xenstore allows, A-Z a-z
//          0-9 - _ @: there is no dot, so `vm-data/tls/cert` and not `cert.pem`. A missing root is
//          an empty store.
// Sizes:   a value is at most what one message of xenstore carries, value_bytes_max.
// Trust:   what the client answers is the host's word, and is checked all the same: names that are
//          none are not shown, twins are one, and what is too long is `unavailable`.
// Changes: each call asks anew; the host may write between a stat and a get.
// Cost:    exists is one request, get two, list one more than it has names.
// Source:  Xen's docs/misc/xenstore.txt.

#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <memory>
#include <utility>

#include "kv/digest.hpp"
#include "kv/key.hpp"
#include "kv/kv.hpp"

namespace kv {

// A client of xenstore: what XS_READ and XS_DIRECTORY answer. `Error::not_found` is ENOENT, every
// other is a failure. A path that does not begin with '/' is below the domain's own directory.
template <class T>
concept XenstoreTransport = requires(T& transport, std::string_view path) {
  { T::Error::not_found } -> std::convertible_to<typename T::Error>;
  { transport.read(path) } -> base::AwaitableOf<base::Result<std::string, typename T::Error>>;
  {
    transport.directory(path)
    } -> base::AwaitableOf<base::Result<std::vector<std::string>, typename T::Error>>;
};

// One name of xenstore.
[[nodiscard]] constexpr bool is_xenstore_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '@';
  });
}

template <XenstoreTransport Transport>
class Xenstore {
 public:
  class Value {
   public:
    Value() = default;
    operator Bytes() const noexcept { return part_; }
    // The whole value, for who keeps it: of a key there is no copy that nobody wipes.
    [[nodiscard]] std::string take() && {
      part_ = {};
      return std::move(*whole_);
    }

   private:
    friend class Xenstore;
    Value(std::string whole, std::uint64_t offset, std::uint64_t length)
        : whole_(std::make_unique<std::string>(std::move(whole))),
          part_(part_of(base::bytes_of(*whole_), offset, length)) {}
    std::unique_ptr<std::string> whole_;  // on the heap: moving a Value moves no byte
    Bytes part_;
  };
  static constexpr std::size_t value_bytes_max = 4096;  // XENSTORE_PAYLOAD_MAX
  static constexpr std::size_t names_max = 2048;        // of two bytes each in such a message
  static constexpr std::size_t path_bytes_max = 2048;   // XENSTORE_REL_PATH_MAX
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = value_bytes_max;

  // `root`: a path of xenstore, without '/' at its end. xenstore keeps no times: every value is as
  // old as `modified_s` says.
  Xenstore(Transport& transport, std::string root, std::int64_t modified_s = 0)
      : transport_(transport), root_(std::move(root)), modified_s_(modified_s) {}

  [[nodiscard]] base::Task<Result<Kind>> exists(Key key) {
    Result<std::vector<std::string>> names = co_await names_in(without_slash(key));
    if (!names) co_return base::failure(names.error());
    co_return kind_of(key, *names);
  }

  [[nodiscard]] base::Task<Result<Stat>> stat(Key key) {
    Result<std::string> bytes = co_await read(key);
    if (!bytes) co_return base::failure(bytes.error());
    Stat stat;
    stat.modified_s = modified_s_;
    stat.set(Encoding::identity, {bytes->size(), digest_of(base::bytes_of(*bytes)), {}});
    co_return stat;
  }

  [[nodiscard]] base::Task<Result<Value>> get(Key key, Encoding encoding) {
    return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
  }

  [[nodiscard]] base::Task<Result<Value>> get_partial(Key key, Encoding encoding,
                                                      std::uint64_t offset, std::uint64_t length) {
    Result<std::string> bytes = co_await read(key);
    if (!bytes) co_return base::failure(bytes.error());
    if (encoding != Encoding::identity) co_return base::failure(Error::not_found);
    co_return Value(std::move(*bytes), offset, length);
  }

  [[nodiscard]] base::Task<Result<std::vector<Entry>>> list(Key key) {
    key = without_slash(key);
    Result<std::vector<std::string>> names = co_await names_in(key);
    if (!names) co_return base::failure(names.error());
    if (kind_of(key, *names) == Kind::value) co_return base::failure(Error::dictionary_expected);
    std::vector<Entry> entries;
    for (std::string& name : *names) {
      std::string below = key.empty() ? name : std::string(key) + '/' + name;
      Result<std::vector<std::string>> inner = co_await names_in(below);
      if (!inner && inner.error() == Error::not_found) continue;  // gone meanwhile
      if (!inner) co_return base::failure(inner.error());
      entries.push_back({std::move(name), kind_of(below, *inner)});
    }
    co_return std::move(entries);
  }

 private:
  // `key` has no '/' in front.
  static Kind kind_of(Key key, const std::vector<std::string>& names) {
    return without_slash(key).empty() || !names.empty() ? Kind::dictionary : Kind::value;
  }

  [[nodiscard]] bool is_shown(Key key) const {
    if (root_.size() + 1 + key.size() > path_bytes_max || key.ends_with('/')) return false;
    while (!key.empty()) {
      if (!is_xenstore_name(take_segment(key))) return false;
    }
    return true;
  }

  [[nodiscard]] std::string path_of(Key key) const {
    return key.empty() ? root_ : root_ + '/' + std::string(key);
  }

  static Error error_of(typename Transport::Error error) {
    return error == Transport::Error::not_found ? Error::not_found : Error::unavailable;
  }

  // The names below `key`, sorted; none below a value, and below a root that is not there.
  base::Task<Result<std::vector<std::string>>> names_in(Key key) {
    if (!is_shown(key)) co_return base::failure(Error::not_found);
    const bool is_root = key.empty();
    const std::string path = path_of(key);
    base::Result<std::vector<std::string>, typename Transport::Error> said =
        co_await transport_.directory(path);
    if (!said) {
      const Error error = error_of(said.error());
      if (is_root && error == Error::not_found) co_return std::vector<std::string>();
      co_return base::failure(error);
    }
    if (said->size() > names_max) co_return base::failure(Error::unavailable);
    std::vector<std::string> names = std::move(*said);
    std::erase_if(names, [](const std::string& name) { return !is_xenstore_name(name); });
    std::ranges::sort(names);
    auto twins = std::ranges::unique(names);
    names.erase(twins.begin(), twins.end());
    co_return std::move(names);
  }

  base::Task<Result<std::string>> read(Key key) {
    key = without_slash(key);
    Result<std::vector<std::string>> names = co_await names_in(key);
    if (!names) co_return base::failure(names.error());
    if (kind_of(key, *names) == Kind::dictionary) co_return base::failure(Error::value_expected);
    const std::string path = path_of(key);
    base::Result<std::string, typename Transport::Error> bytes = co_await transport_.read(path);
    if (!bytes) co_return base::failure(error_of(bytes.error()));
    if (bytes->size() > value_bytes_max) co_return base::failure(Error::unavailable);
    co_return std::move(*bytes);
  }

  Transport& transport_;
  const std::string root_;
  const std::int64_t modified_s_;
};

}  // namespace kv
