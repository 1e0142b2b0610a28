// SPDX-License-Identifier: ISC
#include "crunch/disk/disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/wipe.hpp"
#include "block/file/file.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/source_date.hpp"
#include "kv/vault/vault.hpp"

namespace crunch::disk {
namespace {

using block::File;
using Vault = kv::Vault<File>;

// The tool's time. Files do not wait, so nothing ever sleeps.
class HostTime final : public base::Clock, public base::Idle {
 public:
  base::Instant now() noexcept override {
    return base::Instant(std::chrono::steady_clock::now().time_since_epoch());
  }
  std::int64_t wall_s() noexcept override { return std::time(nullptr); }
  void sleep(base::Instant) override {}
};

std::string name_of(const std::string& path) { return "the disk " + in_quotes(path); }

File open_disk(const std::string& path, File::Access access) {
  try {
    return {path, access};
  } catch (const std::runtime_error& error) {
    std::string sentence = error.what();
    if (sentence.find("is in use by another process") != std::string::npos) {
      sentence += "; stop the image that runs on it first";
    }
    throw Failure(sentence);
  }
}

// A disk with a vault, open.
class Open {
 public:
  Open(const std::string& path, File::Access access)
      : path_(path), file_(open_disk(path, access)), vault_(file_, loop_) {
    const auto connected = base::run_now(vault_.connect());
    if (!connected) throw Failure(name_of(path_) + " " + connected.error());
  }
  Vault& vault() { return vault_; }

  // What the value of `key` is; a Failure where there is none.
  Vault::Value value(const std::string& key) {
    auto value = base::run_now(vault_.get(key, kv::Encoding::identity));
    if (value) return std::move(*value);
    throw Failure(name_of(path_) + why_not(value.error(), key));
  }
  [[nodiscard]] std::string why_not(kv::Error error, const std::string& key) const {
    switch (error) {
      case kv::Error::value_expected:
        return ": " + in_quotes(key) + " is not a key, but the beginning of some; crunch disk " +
               "show " + path_ + " lists them";
      case kv::Error::unavailable:
        return ": the value of " + in_quotes(key) + " is damaged, or cannot be read";
      case kv::Error::not_found:
      case kv::Error::dictionary_expected:
        break;
    }
    return " has no key " + in_quotes(key) + "; crunch disk show " + path_ + " lists them";
  }
  [[nodiscard]] std::string why_not(kv::ChangeError error, const std::string& key) const {
    switch (error) {
      case kv::ChangeError::bad_key:
        return ": " + in_quotes(key) + " cannot be a key: " + std::string(kv::vault_key_rule);
      case kv::ChangeError::too_large:
        return ": a value has at most 1 MiB";
      case kv::ChangeError::conflict:
        return ": " + in_quotes(key) + " begins other keys, or another key begins it; crunch disk" +
               " show " + path_ + " lists them";
      case kv::ChangeError::not_found:
        return " has no key " + in_quotes(key);
      case kv::ChangeError::full:
        return " is full: there is no room for the new value beside what it holds, and the old "
               "value stays; make a larger one by crunch disk format --vault --size";
      case kv::ChangeError::unavailable:
        break;
    }
    return " cannot be written, and the old value stays";
  }
  void expect(const kv::ChangeResult<void>& result, const std::string& key) const {
    if (!result) throw Failure(name_of(path_) + why_not(result.error(), key));
  }

  // Every key, in order.
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    collect("", keys);
    return keys;
  }

 private:
  void collect(const std::string& key, std::vector<std::string>& keys) {
    const auto entries = base::run_now(vault_.list(key));
    if (!entries) throw Failure(name_of(path_) + why_not(entries.error(), key));
    for (const kv::Entry& entry : *entries) {
      const std::string below = key.empty() ? entry.name : key + '/' + entry.name;
      if (entry.kind == kv::Kind::dictionary) {
        collect(below, keys);
      } else {
        keys.push_back(below);
      }
    }
  }

  std::string path_;
  HostTime time_;
  base::Loop loop_{time_, time_};
  File file_;
  Vault vault_;
};

constexpr std::size_t piece_bytes = 65'536;

// Whether the part of it that a vault would take holds nothing but zeros.
bool is_empty(File& file, const std::string& path) {
  const block::Info info = file.info();
  const std::uint64_t bytes = std::min(info.size_bytes(), size_bytes_max);
  std::vector<std::byte> piece(piece_bytes);
  for (std::uint64_t at = 0; at < bytes;) {
    check_stopped();
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), bytes - at));
    if (!base::run_now(file.read(at / info.sector_bytes, std::span(piece).first(now)))) {
      throw Failure(name_of(path) + " " + std::string(kv::vault::cannot_be_read));
    }
    const auto end = piece.begin() + static_cast<std::ptrdiff_t>(now);
    if (std::any_of(piece.begin(), end, [](std::byte b) { return b != std::byte{0}; })) {
      return false;
    }
    at += now;
  }
  return true;
}

// Old secrets do not stay behind the new vault.
void overwrite(File& file, const std::string& path) {
  const block::Info info = file.info();
  const std::uint64_t bytes = std::min(info.size_bytes(), size_bytes_max);
  const std::vector<std::byte> zeros(piece_bytes);
  for (std::uint64_t at = 0; at < bytes;) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes - at));
    if (!base::run_now(file.write(at / info.sector_bytes, std::span(zeros).first(now)))) {
      throw Failure(name_of(path) + " " + std::string(kv::vault::cannot_be_written));
    }
    at += now;
  }
}

void format_open(File& file, const std::string& path) {
  const auto formatted = base::run_now(Vault::format(file));
  if (!formatted) throw Failure(name_of(path) + " " + formatted.error());
}

void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) fail("write", folder);
}

void format_new(const Format& what) {
  const std::string obstacle = obstacle_to_file(what.path);
  if (!obstacle.empty()) throw Failure(obstacle);
  NewFile made(what.path, 0600);
  made.cut(what.size_bytes);
  {
    File file(made.duplicate(), what.path, File::Access::read_write);
    format_open(file, what.path);
  }
  // A file that appeared meanwhile is not replaced.
  if (::link(made.temporary_path().c_str(), what.path.c_str()) != 0) fail("make", what.path);
  sync_folder_of(what.path);
}

// What keeps a file from being formatted as it is.
std::string obstacle_in(File& file, const Format& what) {
  if (what.overwrites || is_empty(file, what.path)) return "";
  HostTime time;
  base::Loop loop(time, time);
  Vault vault(file, loop);
  const bool is_vault = base::run_now(vault.connect()).has_value();
  return name_of(what.path) +
         (is_vault ? " is a vault already; --force makes a new one of it and loses what it holds"
                   : " is not empty; --force overwrites what it holds");
}

// The value of a file, at most one byte more than a vault takes.
class InputValue {
 public:
  explicit InputValue(const std::string& path) : bytes_(kv::vault_value_bytes_max + 1) {
    const bool is_standard = path == "-";
    const Descriptor file(is_standard ? ::dup(STDIN_FILENO)
                                      : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) fail("open", path);
    while (size_ < bytes_.size()) {
      check_stopped();
      const base::MutableBytes rest = bytes_.all().subspan(size_);
      const ssize_t now = ::read(file.get(), rest.data(), rest.size());
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) fail("read", is_standard ? "standard input" : path);
      if (now == 0) return;
      size_ += static_cast<std::size_t>(now);
    }
  }
  [[nodiscard]] base::Bytes bytes() const { return base::Bytes(bytes_.all()).first(size_); }

 private:
  base::SecretBytes bytes_;
  std::size_t size_ = 0;
};

}  // namespace

void format(const Format& what) {
  struct stat status {};
  if (::stat(what.path.c_str(), &status) != 0) {
    if (errno != ENOENT) fail("look at", what.path);
    Format made = what;
    if (made.size_bytes == 0) made.size_bytes = default_bytes;
    return format_new(made);
  }
  if (S_ISREG(status.st_mode) && status.st_size == 0) {
    // It may have just been made, by `mktemp` for example.
    const auto size = static_cast<off_t>(what.size_bytes != 0 ? what.size_bytes : default_bytes);
    if (::truncate(what.path.c_str(), size) != 0) fail("write", what.path);
  }
  File file = open_disk(what.path, File::Access::read_write);
  if (what.size_bytes != 0 && what.size_bytes != file.info().size_bytes()) {
    throw Failure(name_of(what.path) + " has " + std::to_string(file.info().size_bytes()) +
                  " bytes, and formatting keeps them; leave --size out, or name a new file");
  }
  if (const std::string obstacle = obstacle_in(file, what); !obstacle.empty()) {
    throw Failure(obstacle);
  }
  if (S_ISREG(status.st_mode) && ::chmod(what.path.c_str(), 0600) != 0) {
    fail("set the mode of", what.path);
  }
  if (what.overwrites) overwrite(file, what.path);
  format_open(file, what.path);
}

void set(const std::string& path, const std::string& key, const std::string& value_path) {
  const InputValue value(value_path);
  Open disk(path, File::Access::read_write);
  disk.expect(base::run_now(disk.vault().set(key, value.bytes())), key);
}

void get(const std::string& path, const std::string& key) {
  Open disk(path, File::Access::read);
  const Vault::Value value = disk.value(key);
  for (base::Bytes rest = value; !rest.empty();) {
    const ssize_t now = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (now < 0 && errno == EINTR) continue;
    if (now < 0 && errno == EPIPE) return;
    if (now < 0) fail("write to", "standard output");
    rest = rest.subspan(static_cast<std::size_t>(now));
  }
}

void remove(const std::string& path, const std::string& key) {
  Open disk(path, File::Access::read_write);
  disk.expect(base::run_now(disk.vault().remove(key)), key);
}

void show(const std::string& path) {
  Open disk(path, File::Access::read);
  std::string text;
  std::uint64_t count = 0;
  for (const std::string& key : disk.keys()) {
    const auto stat = base::run_now(disk.vault().stat(key));
    if (!stat) throw Failure(name_of(path) + disk.why_not(stat.error(), key));
    char line[64];
    std::snprintf(line, sizeof line, "%8llu  %s  ",
                  static_cast<unsigned long long>(stat->form(kv::Encoding::identity).size_bytes),
                  utc_text(stat->modified_s).c_str());
    text += line + key + '\n';
    ++count;
  }
  text += std::to_string(count) + (count == 1 ? " key, " : " keys, ") +
          std::to_string(disk.vault().free_bytes()) + " bytes free, its index was written " +
          std::to_string(disk.vault().generation()) + " times\n";
  if (!disk.vault().had_both_copies()) {
    text +=
        "One copy of its index is not whole, by a loss of power or by damage; the next change, "
        "or start of an image, mends it.\n";
  }
  print(text);
}

void check(const std::string& path) {
  Open disk(path, File::Access::read);
  std::string damaged;
  std::uint64_t count = 0;
  for (const std::string& key : disk.keys()) {
    check_stopped();
    ++count;
    const auto value = base::run_now(disk.vault().get(key, kv::Encoding::identity));
    if (!value) damaged += (damaged.empty() ? "" : ", ") + key;
  }
  if (!damaged.empty()) {
    throw Failure(name_of(path) + " has values that are damaged: " + damaged +
                  "; set them again, by crunch disk set, or put a backup in its place");
  }
  print(path + ": " + std::to_string(count) +
        (count == 1 ? " value is whole" : " values are whole") +
        (disk.vault().had_both_copies() ? ""
                                        : "; one copy of the index is not, the next change "
                                          "mends it") +
        "\n");
}

}  // namespace crunch::disk
