// SPDX-License-Identifier: ISC
#include "kv/directory/writable.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "kv/digest.hpp"
#include "kv/key.hpp"

namespace kv {

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY;

ChangeError error_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ChangeError::full;
    case ENOTDIR:
    case EISDIR:
      return ChangeError::conflict;
    default:
      return ChangeError::unavailable;
  }
}
base::Failure<ChangeError> failure_now() { return base::failure(error_of(errno)); }

bool write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t now = ::write(fd, bytes.data(), bytes.size());
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(now));
  }
  return true;
}

// The directories from the root to a key's last one, and those of them that were made.
class Way {
 public:
  Way(int root, Resolver resolver) : root_(root), resolver_(resolver) {}

  // Opens the directories of `key` but its last segment, which it answers; makes those that are
  // missing if `makes`.
  ChangeResult<std::string> follow(Key key, bool makes) {
    while (true) {
      const std::string name(take_segment(key));
      if (key.empty()) return name;
      if (makes && ::mkdirat(here(), name.c_str(), 0700) == 0) {
        // The new name must last, or what is below it does not.
        if (::fsync(here()) != 0) return failure_now();
      } else if (makes && errno != EEXIST) {
        return failure_now();
      }
      auto next = open_beneath(here(), name, directory_flags, resolver_);
      if (!next) return base::failure(error_of(next.error()));
      names_.push_back(name);
      directories_.push_back(std::move(*next));
    }
  }
  [[nodiscard]] int here() const {
    return directories_.empty() ? root_ : directories_.back().get();
  }

  // Removes the directories at its end that are empty.
  void prune() {
    while (!directories_.empty()) {
      directories_.pop_back();
      if (::unlinkat(here(), names_.back().c_str(), AT_REMOVEDIR) != 0) return;
      names_.pop_back();
    }
  }

 private:
  int root_;
  Resolver resolver_;
  std::vector<std::string> names_;
  std::vector<Descriptor> directories_;
};

// Writes the file and puts it in its place.
ChangeResult<void> put(int directory, const std::string& name, Bytes value) {
  const std::string temporary = '.' + name + ".new";
  // A crash may have left one; no other process writes here.
  if (::unlinkat(directory, temporary.c_str(), 0) != 0 && errno != ENOENT) return failure_now();
  const Descriptor file(::openat(directory, temporary.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failure_now();
  const bool is_in_place = write_all(file.get(), value) && ::fsync(file.get()) == 0 &&
                           ::renameat(directory, temporary.c_str(), directory, name.c_str()) == 0;
  if (!is_in_place) {
    const auto failure = failure_now();
    ::unlinkat(directory, temporary.c_str(), 0);
    return failure;
  }
  if (::fsync(directory) != 0) return base::failure(ChangeError::unavailable);
  return {};
}

}  // namespace

WritableDirectory::WritableDirectory(const std::string& path) : reader_(path) {
  root_ = Descriptor(::open(path.c_str(), directory_flags | O_CLOEXEC));
  if (!root_) {
    throw std::runtime_error("the vault " + path + " cannot be opened: " + std::strerror(errno));
  }
  if (::flock(root_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error(
        "the vault " + path +
        (errno == EWOULDBLOCK ? " is in use by another process" : " cannot be locked"));
  }
}

base::Ready<Result<Kind>> WritableDirectory::exists(Key key) {
  key = without_slash(key);
  if (!key.empty() && !is_vault_key(key)) return {base::failure(Error::not_found)};
  return reader_.exists(key);
}

base::Ready<Result<std::vector<Entry>>> WritableDirectory::list(Key key) {
  key = without_slash(key);
  if (!key.empty() && !is_vault_key(key)) return {base::failure(Error::not_found)};
  base::Ready<Result<std::vector<Entry>>> entries = reader_.list(key);
  if (!entries.value) return entries;
  const std::string prefix = key.empty() ? "" : std::string(key) + '/';
  std::erase_if(*entries.value,
                [&](const Entry& entry) { return !is_vault_key(prefix + entry.name); });
  return entries;
}

Result<WritableDirectory::Whole> WritableDirectory::read(Key key) {
  const Result<Kind> kind = exists(key).value;
  if (!kind) return base::failure(kind.error());
  if (*kind == Kind::dictionary) return base::failure(Error::value_expected);
  const std::string path(without_slash(key));
  const auto file = open_beneath(root_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY, resolver_);
  struct stat meta {};
  if (!file || ::fstat(file->get(), &meta) != 0 || !S_ISREG(meta.st_mode) ||
      meta.st_size > static_cast<off_t>(vault_value_bytes_max)) {
    return base::failure(Error::unavailable);
  }
  Whole whole{base::SecretBytes(static_cast<std::size_t>(meta.st_size)), meta.st_mtim.tv_sec};
  if (!whole.bytes.has_memory()) return base::failure(Error::unavailable);
  for (base::MutableBytes rest = whole.bytes.all(); !rest.empty();) {
    const ssize_t now = ::read(file->get(), rest.data(), rest.size());
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return base::failure(Error::unavailable);  // it became shorter
    rest = rest.subspan(static_cast<std::size_t>(now));
  }
  return whole;
}

base::Ready<Result<Stat>> WritableDirectory::stat(Key key) {
  const Result<Whole> whole = read(key);
  if (!whole) return {base::failure(whole.error())};
  Stat stat;
  stat.modified_s = whole->modified_s;
  stat.set(Encoding::identity, {whole->bytes.size(), digest_of(whole->bytes.all()), {}});
  return {stat};
}

base::Ready<Result<WritableDirectory::Value>> WritableDirectory::get(Key key, Encoding encoding) {
  return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
}

base::Ready<Result<WritableDirectory::Value>> WritableDirectory::get_partial(Key key,
                                                                             Encoding encoding,
                                                                             std::uint64_t offset,
                                                                             std::uint64_t length) {
  Result<Whole> whole = read(key);
  if (!whole) return {base::failure(whole.error())};
  if (encoding != Encoding::identity) return {base::failure(Error::not_found)};
  const Bytes part = part_of(whole->bytes.all(), offset, length);
  return {Value(std::move(whole->bytes), part)};
}

base::Ready<ChangeResult<void>> WritableDirectory::set(Key key, Bytes value) {
  key = without_slash(key);
  if (!is_vault_key(key)) return {base::failure(ChangeError::bad_key)};
  if (value.size() > vault_value_bytes_max) return {base::failure(ChangeError::too_large)};
  Way way(root_.get(), resolver_);
  const ChangeResult<std::string> name = way.follow(key, true);
  if (!name) {
    way.prune();
    return {base::failure(name.error())};
  }
  const ChangeResult<void> result = put(way.here(), *name, value);
  if (!result) way.prune();
  return {result};
}

base::Ready<ChangeResult<void>> WritableDirectory::remove(Key key) {
  key = without_slash(key);
  const Result<Kind> kind = exists(key).value;
  if (!kind && kind.error() == Error::unavailable) {
    return {base::failure(ChangeError::unavailable)};
  }
  if (!kind) return {base::failure(ChangeError::not_found)};
  if (*kind == Kind::dictionary) return {base::failure(ChangeError::conflict)};
  Way way(root_.get(), resolver_);
  const ChangeResult<std::string> name = way.follow(key, false);
  if (!name) return {base::failure(name.error())};
  if (::unlinkat(way.here(), name->c_str(), 0) != 0) return {failure_now()};
  if (::fsync(way.here()) != 0) return {base::failure(ChangeError::unavailable)};
  way.prune();
  return {{}};
}

}  // namespace kv
