// SPDX-License-Identifier: ISC
// kv/directory/directory.hpp: a directory of a Unix file system, read live.
//
// Models:  kv::KvRo.   Owns: a descriptor of the directory, a bounded cache of digests.
// Blocks:  as long as the file system does; nothing is awaited. So no call reads much: the digest
//          of a file up to digested_bytes_max, if it was not seen before, costs reading it once;
//          that of a larger one is made of what tells its content from another (device, inode,
//          size, both times), and while it is too young for that, it is one that nothing else has.
// Shows:   regular files and directories, by names that are valid UTF-8; of names that start with
//          '.' only ".well-known" (Options::dotfiles shows all). Everything else is
//          not_found and is not listed: sockets, devices and FIFOs (they are not even opened, which
//          could act on them), and links that are broken, loop, are absolute or leave the
//          directory. Links that stay inside are followed.
// Fails:   `unavailable` for a file that may not be read, when descriptors run out, on I/O errors,
//          while the directory itself is missing, and for a file that changes each time it is read.
// Changes: the directory is looked up by its path for each call, so a site generator may delete and
//          make it anew. Within a reading (kv/reading.hpp) get_partial of a file that is not the
//          one that stat described is `unavailable`: a head is never followed by another file's
//          bytes. Between readings nothing is kept of what was asked.
// Threads: may share one.

#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "kv/directory/beneath.hpp"
#include "kv/directory/recent.hpp"
#include "kv/kv.hpp"
#include "kv/reading.hpp"

struct stat;

namespace kv {

class Directory {
 private:
  // A file's content, as far as its metadata can tell one from another.
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

 public:
  // The files that the last stats of a reading described (kv/reading.hpp).
  class Reading {
   public:
    // A request asks for few: a page, an index of that name, an error page.
    static constexpr std::size_t files_max = 4;

   private:
    friend class Directory;
    struct File {
      std::size_t key_hash = 0;
      Identity identity;
    };
    void note(Key key, const Identity& identity) noexcept;
    // Whether a file of this identity may be read by this key.
    [[nodiscard]] bool allows(Key key, const Identity& identity) const noexcept;
    std::array<File, files_max> files_{};
    std::size_t count_ = 0;  // stats so far
  };

  // Bytes read from a file; owned.
  class Value {
   public:
    Value() = default;
    operator Bytes() const noexcept { return {bytes_.get(), size_}; }

   private:
    friend class Directory;
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_ = 0;
  };
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = std::uint64_t{256} * 1024;

  struct Options {
    bool dotfiles = false;
    Resolver resolver = best_resolver();
    // How long after a change a file's times may still hide another one: they advance by kernel
    // ticks (10 ms at most), on some file systems by seconds. Until then its digest is neither
    // cached nor made of them.
    base::Duration settling = std::chrono::seconds(2);
  };

  // Throws std::runtime_error, a sentence that names the path, if it is no readable directory.
  explicit Directory(const std::string& path) : Directory(path, Options{}) {}
  Directory(const std::string& path, Options options);

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key);
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key);
  // Reads the whole file into memory: for large ones call get_partial.
  [[nodiscard]] base::Ready<Result<Value>> get(Key key, Encoding encoding);
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset, std::uint64_t length);
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key);

  [[nodiscard]] Reading reading() const noexcept { return {}; }
  [[nodiscard]] base::Ready<Result<Stat>> stat(Reading& reading, Key key);
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Reading& reading, Key key, Encoding encoding,
                                                       std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // How many files were read to digest them.
  [[nodiscard]] std::uint64_t digested_count() const noexcept { return digested_count_; }

  static constexpr std::uint64_t digested_bytes_max = std::uint64_t{1} << 20U;
  static constexpr std::size_t digests_max = 65'536;
  static constexpr std::size_t entries_max = 1'000'000;  // in one dictionary; more: unavailable

 private:
  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const noexcept;
  };
  struct Opened {
    Descriptor fd;
    Kind kind = Kind::value;
    Identity identity;
    std::int64_t modified_s = 0;
  };
  static Identity identity_of(const struct stat& meta) noexcept;
  [[nodiscard]] bool is_settled(const Identity& identity) const noexcept;

  [[nodiscard]] bool is_shown(Key key) const noexcept;
  [[nodiscard]] Result<std::shared_ptr<const Descriptor>> root();
  [[nodiscard]] Result<Opened> find(int root, Key key) const;
  [[nodiscard]] Result<Opened> open(Key key, Kind wanted);
  [[nodiscard]] Digest digest_of_identity(const Identity& identity);
  [[nodiscard]] Result<Digest> digest(const Opened& file);
  [[nodiscard]] Result<Stat> stat_once(Key key, Reading& reading);
  [[nodiscard]] Result<Value> read(Key key, std::uint64_t offset, std::uint64_t length,
                                   const Reading& reading);
  [[nodiscard]] Result<std::vector<Entry>> names(int root, Key key, Descriptor directory) const;

  const std::string path_;
  const Options options_;
  std::atomic<std::uint64_t> digested_count_ = 0;
  std::atomic<std::uint64_t> young_count_ = 0;  // digests of large files that nothing else has
  std::mutex mutex_;                            // guards what follows
  std::shared_ptr<const Descriptor> root_;
  Recent<Identity, Digest, IdentityHash> digests_{digests_max};
};

static_assert(KvRo<Directory> && Versioned<Directory>);

}  // namespace kv
