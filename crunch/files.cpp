// SPDX-License-Identifier: ISC
#include "crunch/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "crunch/failure.hpp"

namespace crunch {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::string_view temporary_prefix = ".crunch-";

volatile std::sig_atomic_t stop_signal = 0;

std::string directory_of(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// The process that a temporary name says it is of; 0: it is no such name.
pid_t process_of(std::string_view name) {
  if (!name.starts_with(temporary_prefix)) return 0;
  name.remove_prefix(temporary_prefix.size());
  const char* const last = name.data() + name.size();
  pid_t process = 0;
  auto [end, error] = std::from_chars(name.data(), last, process);
  return error == std::errc() && process > 0 && end != last && *end == '-' ? process : 0;
}

// Removes what a killed crunch left in `directory`.
void sweep(const std::string& directory) {
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    std::string_view name = entry->d_name;
    pid_t process = process_of(name);
    if (process != 0 && ::kill(process, 0) != 0 && errno == ESRCH) {
      std::error_code ignored;  // it may be another's
      std::filesystem::remove_all(directory + "/" + std::string(name), ignored);
    }
  }
  ::closedir(entries);
}

// Two of one process cannot meet: the name of what they become is part of it. A hash keeps it short
// enough for a name of 255 bytes.
std::string temporary_name(const std::string& path) {
  return std::string(temporary_prefix) + std::to_string(::getpid()) + "-" +
         std::to_string(std::hash<std::string>()(path));
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

bool is_temporary_name(std::string_view name) { return process_of(name) != 0; }

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
  path_ = std::filesystem::absolute(directory + "/" + temporary_name(beside + "/"))
              .lexically_normal()
              .string();
  if (::mkdir(path_.c_str(), 0700) != 0) {
    int error = errno;
    std::exchange(path_, "");
    fail("make a folder in", directory, error);
  }
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

NewFile::NewFile(std::string path, mode_t mode) : path_(std::move(path)), mode_(mode) {
  std::string directory = directory_of(path_);
  sweep(directory);
  temporary_ = directory + "/" + temporary_name(path_);
  file_ = Descriptor(
      ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_) {
    int error = std::exchange(errno, 0);
    std::exchange(temporary_, "");
    fail("write a file into", directory, error);
  }
  buffer_.reserve(buffer_bytes);
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::flush() {
  base::Bytes rest = buffer_;
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
