// SPDX-License-Identifier: ISC
// kv/directory/writable.hpp: a directory of a Unix file system as a vault.
//
// Models:  kv::KvRw.   Owns: a descriptor of the directory, and the lock on it.
// Shows:   what kv/directory.hpp shows, as far as its keys are is_vault_key().
// Writes:  beside its place, as ".NAME.new", and renames. The file is fsync(2)ed before, its
//          directory after: a crash leaves the old file or the new one. Files have mode 0600,
//          directories that are made 0700. remove() removes directories that become empty.
// Shared:  with no other process that has it as a vault: a lock (flock(2)) is held.
// Blocks:  as long as the file system does; nothing is awaited.
// Secrets: what is read is wiped when the Value goes. The file system may keep old values' bytes.

#pragma once

#include <string>

#include "kv/directory/directory.hpp"
#include "kv/rw.hpp"

namespace kv {

class WritableDirectory {
 public:
  using Value = SecretValue;
  static constexpr bool values_last = false;
  static constexpr std::uint64_t piece_bytes_max = vault_value_bytes_max;

  // Throws std::runtime_error, a sentence that names `path`: it is no readable directory, or is in
  // use by another process.
  explicit WritableDirectory(const std::string& path);

  [[nodiscard]] base::Ready<Result<Kind>> exists(Key key);
  [[nodiscard]] base::Ready<Result<Stat>> stat(Key key);
  [[nodiscard]] base::Ready<Result<std::vector<Entry>>> list(Key key);
  [[nodiscard]] base::Ready<Result<Value>> get(Key key, Encoding encoding);
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset, std::uint64_t length);
  [[nodiscard]] base::Ready<ChangeResult<void>> set(Key key, Bytes value);
  [[nodiscard]] base::Ready<ChangeResult<void>> remove(Key key);

 private:
  struct Whole {
    base::SecretBytes bytes;
    std::int64_t modified_s = 0;
  };
  [[nodiscard]] Result<Whole> read(Key key);

  Directory reader_;
  Resolver resolver_ = best_resolver();
  Descriptor root_;
};

static_assert(KvRw<WritableDirectory>);

}  // namespace kv
