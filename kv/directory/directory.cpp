// SPDX-License-Identifier: ISC
#include "kv/directory/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <span>
#include <stdexcept>
#include <system_error>

#include "kv/digest.hpp"

namespace kv {

namespace {

// How a failed open is answered: what cannot be there by this key, or what may be there later.
Error error_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
      return Error::not_found;
    default:
      return Error::unavailable;
  }
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::unique_ptr<char, void (*)(void*)> here(getcwd(nullptr, 0), std::free);
  if (here == nullptr) throw std::runtime_error("the working directory is gone");
  return std::string(here.get()) + '/' + path;
}

// The bytes [offset, offset + size) of a file, fewer at its end.
Result<std::size_t> read_at(int fd, std::byte* out, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    ssize_t got = pread(fd, out + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::failure(Error::unavailable);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

// Which kind of thing a mode is, if it is one that is shown.
Result<Kind> kind_of(mode_t mode) {
  if (S_ISREG(mode)) return Kind::value;
  if (S_ISDIR(mode)) return Kind::dictionary;
  return base::failure(Error::not_found);
}

}  // namespace

std::size_t Directory::IdentityHash::operator()(const Identity& identity) const noexcept {
  std::uint64_t hash = 0;
  for (std::uint64_t part : {identity.device, identity.inode, identity.size_bytes,
                             static_cast<std::uint64_t>(identity.modified_ns),
                             static_cast<std::uint64_t>(identity.changed_ns)}) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32U;
  }
  return hash;
}

Directory::Identity Directory::identity_of(const struct stat& meta) noexcept {
  return {meta.st_dev, meta.st_ino, static_cast<std::uint64_t>(meta.st_size),
          nanoseconds(meta.st_mtim), nanoseconds(meta.st_ctim)};
}

bool Directory::is_settled(const Identity& identity) const noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now) - identity.changed_ns > options_.settling.count();
}

Directory::Directory(const std::string& path, Options options)
    : path_(absolute(path)), options_(options) {
  Descriptor fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    int error = errno;
    throw std::runtime_error("cannot read the directory " + path + ": " +
                             std::generic_category().message(error));
  }
}

bool Directory::is_shown(Key key) const noexcept {
  if (!is_normal(key) || !is_utf8(key)) return false;
  if (options_.dotfiles) return true;
  while (!key.empty()) {
    Key segment = take_segment(key);
    if (segment.starts_with('.') && segment != ".well-known") return false;
  }
  return true;
}

// The directory that has the path now.
Result<std::shared_ptr<const Descriptor>> Directory::root() {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0) return base::failure(Error::unavailable);
  std::lock_guard lock(mutex_);
  struct stat held {};
  if (root_ != nullptr && fstat(root_->get(), &held) == 0 && held.st_dev == now.st_dev &&
      held.st_ino == now.st_ino && held.st_nlink > 0) {
    return root_;
  }
  Descriptor fd(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::failure(Error::unavailable);
  root_ = std::make_shared<const Descriptor>(std::move(fd));
  return root_;
}

// What has this key, opened by O_PATH only: nothing is done to it yet.
Result<Directory::Opened> Directory::find(int root, Key key) const {
  if (!is_shown(key)) return base::failure(Error::not_found);
  auto fd = open_beneath(root, std::string(key), O_PATH, options_.resolver);
  if (!fd) return base::failure(error_of(fd.error()));
  struct stat meta {};
  if (fstat(fd->get(), &meta) != 0) return base::failure(Error::unavailable);
  Result<Kind> kind = kind_of(meta.st_mode);
  if (!kind) return base::failure(kind.error());
  return Opened{std::move(*fd), *kind, identity_of(meta), meta.st_mtim.tv_sec};
}

// What has this key, open for reading, if it is of the wanted kind.
Result<Directory::Opened> Directory::open(Key key, Kind wanted) {
  auto top = root();
  if (!top) return base::failure(top.error());
  Result<Opened> found = find((*top)->get(), key);
  if (!found) return found;
  if (found->kind != wanted) {
    return base::failure(wanted == Kind::value ? Error::value_expected
                                               : Error::dictionary_expected);
  }
  int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (wanted == Kind::dictionary ? O_DIRECTORY : 0);
  auto fd = open_beneath((*top)->get(), std::string(key), flags, options_.resolver);
  if (!fd) return base::failure(error_of(fd.error()));
  // Another thing may have come by that name between the two calls.
  struct stat meta {};
  if (fstat(fd->get(), &meta) != 0) return base::failure(Error::unavailable);
  Identity identity = identity_of(meta);
  if (identity.device != found->identity.device || identity.inode != found->identity.inode) {
    return base::failure(Error::unavailable);
  }
  return Opened{std::move(*fd), wanted, identity, meta.st_mtim.tv_sec};
}

base::Ready<Result<Kind>> Directory::exists(Key key) {
  key = without_slash(key);
  auto top = root();
  if (!top) return {base::failure(top.error())};
  Result<Opened> found = find((*top)->get(), key);
  if (!found) return {base::failure(found.error())};
  // Law 2: a file that may not be read is not a value.
  Result<Opened> opened = open(key, found->kind);
  if (!opened) return {base::failure(opened.error())};
  return {opened->kind};
}

// Law 7: no other content has it, though nothing was read. A young file's is never made again.
Digest Directory::digest_of_identity(const Identity& identity) {
  std::array<std::uint64_t, 7> words{identity.device, identity.inode, identity.size_bytes,
                                     static_cast<std::uint64_t>(identity.modified_ns),
                                     static_cast<std::uint64_t>(identity.changed_ns)};
  if (!is_settled(identity)) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    words[5] = static_cast<std::uint64_t>(nanoseconds(now));
    words[6] = ++young_count_;
  }
  return digest_of(std::as_bytes(std::span(words)));
}

Result<Digest> Directory::digest(const Opened& file) {
  if (file.identity.size_bytes > digested_bytes_max) return digest_of_identity(file.identity);
  {
    std::lock_guard lock(mutex_);
    if (auto known = digests_.find(file.identity)) return *known;
  }
  ++digested_count_;
  crypto::Sha256 sha256;
  auto buffer = std::make_unique_for_overwrite<std::byte[]>(piece_bytes_max);
  std::uint64_t done = 0;
  while (done < file.identity.size_bytes) {
    Result<std::size_t> got = read_at(file.fd.get(), buffer.get(), piece_bytes_max, done);
    if (!got || *got == 0) return base::failure(Error::unavailable);
    sha256.update({buffer.get(), *got});
    done += *got;
  }
  struct stat meta {};
  if (fstat(file.fd.get(), &meta) != 0 || identity_of(meta) != file.identity) {
    return base::failure(Error::unavailable);
  }
  Digest made = digest_of(sha256.finish());
  if (is_settled(file.identity)) {
    std::lock_guard lock(mutex_);
    digests_.put(file.identity, made);
  }
  return made;
}

void Directory::Reading::note(Key key, const Identity& identity) noexcept {
  const std::size_t hash = std::hash<Key>()(key);
  const std::size_t used = std::min(count_, files_max);
  for (std::size_t i = 0; i < used; ++i) {
    if (files_[i].key_hash == hash) {
      files_[i].identity = identity;
      return;
    }
  }
  files_[count_ % files_max] = {hash, identity};
  ++count_;
}

bool Directory::Reading::allows(Key key, const Identity& identity) const noexcept {
  const std::size_t hash = std::hash<Key>()(key);
  for (std::size_t i = 0; i < std::min(count_, files_max); ++i) {
    if (files_[i].key_hash == hash) return files_[i].identity == identity;
  }
  return count_ <= files_max;  // else it may be one of those that made room
}

base::Ready<Result<Stat>> Directory::stat(Key key) {
  Reading once;
  return stat(once, key);
}

base::Ready<Result<Stat>> Directory::stat(Reading& reading, Key key) {
  key = without_slash(key);
  // A file that is being written is soon done.
  for (int attempts = 3;; --attempts) {
    Result<Stat> known = stat_once(key, reading);
    if (known || known.error() != Error::unavailable || attempts == 1) return {known};
  }
}

Result<Stat> Directory::stat_once(Key key, Reading& reading) {
  Result<Opened> file = open(key, Kind::value);
  if (!file) return base::failure(file.error());
  Result<Digest> made = digest(*file);
  if (!made) return base::failure(made.error());
  Stat stat;
  stat.modified_s = file->modified_s;
  stat.set(Encoding::identity, {file->identity.size_bytes, *made, {}});
  reading.note(key, file->identity);
  return stat;
}

Result<Directory::Value> Directory::read(Key key, std::uint64_t offset, std::uint64_t length,
                                         const Reading& reading) {
  Result<Opened> file = open(key, Kind::value);
  if (!file) return base::failure(file.error());
  if (!reading.allows(key, file->identity)) return base::failure(Error::unavailable);
  Value value;
  const std::uint64_t whole = file->identity.size_bytes;
  if (offset >= whole || length == 0) return value;
  value.size_ = static_cast<std::size_t>(std::min(length, whole - offset));
  value.bytes_ = std::make_unique_for_overwrite<std::byte[]>(value.size_);
  Result<std::size_t> got = read_at(file->fd.get(), value.bytes_.get(), value.size_, offset);
  struct stat meta {};
  if (!got || *got != value.size_ || fstat(file->fd.get(), &meta) != 0 ||
      identity_of(meta) != file->identity) {
    return base::failure(Error::unavailable);
  }
  return value;
}

base::Ready<Result<Directory::Value>> Directory::get(Key key, Encoding encoding) {
  return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
}

base::Ready<Result<Directory::Value>> Directory::get_partial(Key key, Encoding encoding,
                                                             std::uint64_t offset,
                                                             std::uint64_t length) {
  Reading once;
  return get_partial(once, key, encoding, offset, length);
}

base::Ready<Result<Directory::Value>> Directory::get_partial(Reading& reading, Key key,
                                                             Encoding encoding,
                                                             std::uint64_t offset,
                                                             std::uint64_t length) {
  key = without_slash(key);
  if (encoding == Encoding::identity) return {read(key, offset, length, reading)};
  Result<Opened> file = open(key, Kind::value);
  return {base::failure(file ? Error::not_found : file.error())};
}

Result<std::vector<Entry>> Directory::names(int root, Key key, Descriptor directory) const {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
  if (stream == nullptr) return base::failure(Error::unavailable);
  static_cast<void>(directory.release());  // the stream's now
  std::vector<Entry> entries;
  const std::string prefix = key.empty() ? "" : std::string(key) + '/';
  while (true) {
    errno = 0;
    const dirent* next = readdir(stream.get());
    if (next == nullptr) break;
    std::string name = next->d_name;
    if (!is_segment(name) || !is_shown(prefix + name)) continue;
    if (entries.size() == entries_max) return base::failure(Error::unavailable);
    if (next->d_type == DT_REG || next->d_type == DT_DIR) {
      entries.push_back({name, next->d_type == DT_REG ? Kind::value : Kind::dictionary});
    } else if (next->d_type == DT_LNK || next->d_type == DT_UNKNOWN) {
      Result<Opened> found = find(root, prefix + name);
      if (found) entries.push_back({name, found->kind});
    }
  }
  if (errno != 0) return base::failure(Error::unavailable);
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

base::Ready<Result<std::vector<Entry>>> Directory::list(Key key) {
  key = without_slash(key);
  auto top = root();
  if (!top) return {base::failure(top.error())};
  Result<Opened> directory = open(key, Kind::dictionary);
  if (!directory) return {base::failure(directory.error())};
  return {names((*top)->get(), key, std::move(directory->fd))};
}

}  // namespace kv
