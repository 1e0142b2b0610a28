// SPDX-License-Identifier: ISC
#include "crunch/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>

#include "crunch/failure.hpp"

namespace crunch {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::string_view temporary_prefix = ".crunch-";
// In a work folder: the folder itself is locked by whoever writes into it.
constexpr std::string_view lock_name = "/.lock";

volatile std::sig_atomic_t stop_signal = 0;

std::string directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// Whoever makes something holds a lock on it until it is done: that tells what a killed crunch left
// from what a live one works on, in whichever container it runs.
// Removes what a killed crunch left in `directory`.
void sweep(const std::string& directory) {
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    if (!is_temporary_name(entry->d_name)) continue;
    const std::string path = directory + "/" + entry->d_name;
    std::string locked = path;
    struct stat meta {};
    if (::lstat(path.c_str(), &meta) == 0 && S_ISDIR(meta.st_mode)) locked += lock_name;
    const Descriptor left(::open(locked.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    // A folder without the file: whoever makes it comes too late, and makes another.
    if (!left && errno != ENOENT) continue;
    if (left && ::flock(left.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;  // it may be another's
    std::filesystem::remove_all(path, ignored);
  }
  ::closedir(entries);
}

// A name that nobody has: processes of several containers may have the same number.
std::string temporary_name() {
  std::random_device chance;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x%08x", chance(), chance());
  return std::string(temporary_prefix) + std::to_string(::getpid()) + "-" + digits.data();
}

// Holds what is at `path` for this process. False: a sweep has just taken it for a dead one's.
bool hold(const Descriptor& file, const std::string& path) {
  // Waits for a sweep that has it. Where a file system has no locks, nothing is swept either.
  while (::flock(file.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  struct stat ours {};
  struct stat there {};
  return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

constexpr int attempts_max = 100;

bool is_zero(base::Bytes bytes) {
  return bytes.front() == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Have two open files the same bytes from their start on?
bool same_bytes(int a, int b, const std::string& path) {
  std::vector<std::byte> of_a(buffer_bytes);
  std::vector<std::byte> of_b(buffer_bytes);
  for (std::uint64_t offset = 0;;) {
    check_stopped();
    std::size_t count_a = read_at(a, offset, of_a, path);
    std::size_t count_b = read_at(b, offset, of_b, path);
    if (count_a != count_b || std::memcmp(of_a.data(), of_b.data(), count_a) != 0) return false;
    if (count_a == 0) return true;
    offset += count_a;
  }
}

// Is what stands at `path` something else than the open file with this mode?
bool is_other_file(int fd, const std::string& path, mode_t mode) {
  struct stat old {};
  struct stat ours {};
  if (::fstat(fd, &ours) != 0) fail("look at", path);
  Descriptor present(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!present || ::fstat(present.get(), &old) != 0 || !S_ISREG(old.st_mode)) return true;
  if (old.st_size != ours.st_size || (old.st_mode & 07777U) != mode) return true;
  return !same_bytes(present.get(), fd, path);
}

}  // namespace

std::size_t read_at(int fd, std::uint64_t offset, base::MutableBytes out, std::string_view path) {
  std::size_t done = 0;
  while (done < out.size()) {
    ssize_t count =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::string read_file(const std::string& path, std::uint64_t bytes_max) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) fail("open", path);
  std::string text;
  std::vector<std::byte> piece(buffer_bytes);
  while (std::size_t count = read_at(file.get(), text.size(), piece, path)) {
    text += base::text_of(base::Bytes(piece).first(count));
    if (text.size() > bytes_max) {
      throw Failure(in_quotes(path) + " has more than " + std::to_string(bytes_max) +
                    " bytes; is it the right file?");
    }
  }
  return text;
}

void check_directory(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail("read the directory", path);
  if (!S_ISDIR(status.st_mode)) {
    throw Failure(in_quotes(path) + " is not a directory; give the directory that holds the site");
  }
}

void note_missing_index(const std::string& directory) {
  std::error_code ignored;
  const std::filesystem::path root = directory;
  if (std::filesystem::exists(root / "index.html", ignored)) return;
  std::string note = "crunch: note: there is no index.html in " + in_quotes(directory) +
                     ": / will be answered with 404";
  for (const char* known : {"public", "_site", "book", "book/html", "site", "_build/html",
                            "_build/dirhtml", "build/html", "dist"}) {
    if (!std::filesystem::exists(root / known / "index.html", ignored)) continue;
    note += "; did you mean " + in_quotes((root / known).lexically_normal().string()) + "?";
    break;
  }
  std::fprintf(stderr, "%s\n", note.c_str());
}

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(temporary_prefix)) return false;
  name.remove_prefix(temporary_prefix.size());
  const std::size_t digits = name.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && name[digits] == '-';
}

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
  if (errno != EPIPE) fail("write to", "standard output");
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (std::filesystem::is_directory(path)) return;
  if (std::filesystem::exists(path)) {
    throw Failure(in_quotes(path) + " is not a directory; give the name of one, or a new name");
  }
  if (!error) error = std::make_error_code(std::errc::not_a_directory);
  fail("make the directory", path, error.value());
}

NewDirectory::NewDirectory(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) path_ = path;
  make_directories(path);
}

NewDirectory::~NewDirectory() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

std::string obstacle_to_file(const std::string& path) {
  struct stat status {};
  if (path.empty()) return "the name of the file to write is empty";
  bool is_there = ::stat(path.c_str(), &status) == 0;
  if (path.ends_with('/') || (is_there && S_ISDIR(status.st_mode))) {
    return in_quotes(path) + " is a directory; give the name of a file to write";
  }
  if (is_there && !S_ISREG(status.st_mode)) {
    return in_quotes(path) + " is not an ordinary file; give another name";
  }
  std::string directory = directory_of(path);
  if (::stat(directory.c_str(), &status) != 0) {
    return sentence_of("write into", directory, errno) + "; make the directory first";
  }
  if (!S_ISDIR(status.st_mode)) return sentence_of("write into", directory, ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return sentence_of("write into", directory, errno);
  }
  return "";
}

bool put_in_place(const std::string& from, const std::string& to, mode_t mode) {
  Descriptor ours(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!ours) fail("read", from);
  if (!is_other_file(ours.get(), to, mode)) return false;
  if (::fchmod(ours.get(), mode) != 0) fail("set the mode of", from);
  check_stopped();
  if (::rename(from.c_str(), to.c_str()) != 0) fail("put in place", to);
  return true;
}

WorkFolder::WorkFolder(const std::string& beside) {
  std::string directory = directory_of(beside);
  sweep(directory);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const std::string path =
        std::filesystem::absolute(directory + "/" + temporary_name()).lexically_normal().string();
    if (::mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      fail("make a folder in", directory);
    }
    const std::string lock = path + std::string(lock_name);
    held_ = Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!held_ || !hold(held_, lock)) continue;
    path_ = path;
    return;
  }
  throw Failure("cannot make a folder in " + in_quotes(directory) + " that stays");
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

NewFile::NewFile(std::string path, mode_t mode) : path_(std::move(path)), mode_(mode) {
  std::string directory = directory_of(path_);
  sweep(directory);
  buffer_.reserve(buffer_bytes);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const std::string place = directory + "/" + temporary_name();
    file_ =
        Descriptor(::open(place.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file_ && errno != EEXIST) fail("write a file into", directory);
    if (!file_ || !hold(file_, place)) continue;
    temporary_ = place;
    return;
  }
  throw Failure("cannot write a file into " + in_quotes(directory) + " that stays");
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Descriptor NewFile::duplicate() const {
  Descriptor same(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!same) fail("open", temporary_);
  return same;
}

void NewFile::flush() {
  base::Bytes rest = buffer_;
  if (buffer_.size() == buffer_bytes && is_zero(rest)) {
    // A hole, as it may have been where the bytes come from.
    const off_t end = ::lseek(file_.get(), static_cast<off_t>(rest.size()), SEEK_CUR);
    if (end < 0 || ::ftruncate(file_.get(), end) != 0) fail("write", path_);
    rest = {};
  }
  while (!rest.empty()) {
    ssize_t count = ::write(file_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("write", path_);
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

void NewFile::write(base::Bytes bytes) {
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    std::size_t count = std::min(bytes.size(), buffer_bytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (buffer_.size() == buffer_bytes) {
      check_stopped();
      flush();
    }
  }
}

void NewFile::cut(std::uint64_t size_bytes) {
  flush();
  auto size = static_cast<off_t>(size_bytes);
  if (::ftruncate(file_.get(), size) != 0) fail("write", path_);
  if (::lseek(file_.get(), size, SEEK_SET) != size) fail("write", path_);
  size_bytes_ = size_bytes;
}

bool NewFile::differs() {
  flush();
  return is_other_file(file_.get(), path_, mode_);
}

void NewFile::replace() {
  flush();
  if (::fchmod(file_.get(), mode_) != 0) fail("set the mode of", path_);
  // Some file systems (NFS) say only now that there is no room.
  if (::close(file_.release()) != 0) fail("write", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("put in place", path_);
  temporary_.clear();
}

std::size_t replace_changed(std::vector<NewFile*> files) {
  // Every comparison comes before the first rename, so that what can fail fails first.
  std::erase_if(files, [](NewFile* file) { return !file->differs(); });
  check_stopped();
  for (NewFile* file : files) file->replace();
  return files.size();
}

void write_file(const std::string& path, std::string_view text) {
  NewFile file(path, 0600);
  file.write(text);
  static_cast<void>(replace_changed({&file}));
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal_number) { stop_signal = signal_number; };
  for (int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    // Someone who starts us with SIGHUP ignored (nohup) means it.
    if (::sigaction(signal_number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    ::sigaction(signal_number, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &action, nullptr);
  ::sigaction(SIGPIPE, &action, nullptr);
}

void check_stopped() {
  if (stop_signal != 0) throw Interrupted(stop_signal);
}

}  // namespace crunch
