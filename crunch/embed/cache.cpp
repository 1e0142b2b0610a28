// SPDX-License-Identifier: ISC
#include "crunch/embed/cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::embed {
namespace {

namespace fs = std::filesystem;
using State = MadeForm::State;

static_assert(std::endian::native == std::endian::little, "sizes are written as they are");

constexpr std::array<char, 8> magic{'c', 'r', 'c', 'a', 'c', 'h', 'e', '1'};
constexpr std::size_t record_bytes = 1 + 8 + sizeof(crypto::Sha256Bytes);
constexpr std::size_t told_bytes = magic.size() + (kv::encoding_count - 1) * record_bytes;
constexpr std::size_t header_bytes = told_bytes + sizeof(crypto::Sha256Bytes);
// A form is smaller than its content, and no content that is compressed is larger than this.
constexpr std::uint64_t form_bytes_max = std::uint64_t{1} << 30U;
constexpr std::string_view temporary_prefix = "new-";
constexpr auto temporary_age_max = std::chrono::hours(24);

std::vector<std::byte> header_of(const Forms& forms) {
  std::vector<std::byte> out(header_bytes);
  std::byte* at = out.data();
  auto put = [&at](const void* from, std::size_t size) {
    std::memcpy(at, from, size);
    at += size;
  };
  put(magic.data(), magic.size());
  for (std::size_t i = 1; i < kv::encoding_count; ++i) {
    std::uint64_t size = forms[i].bytes.size();
    put(&forms[i].state, 1);
    put(&size, sizeof size);
    put(forms[i].sha256.data(), forms[i].sha256.size());
  }
  crypto::Sha256Bytes digest = crypto::sha256_of(kv::Bytes(out).first(told_bytes));
  put(digest.data(), digest.size());
  return out;
}

// Rule 2: whatever is wrong with the file, it holds nothing.
bool read_forms(int fd, const std::string& path, Forms& forms) {
  std::array<std::byte, header_bytes> header{};
  if (read_at(fd, 0, header, path) != header_bytes) return false;
  crypto::Sha256Bytes digest = crypto::sha256_of(kv::Bytes(header).first(told_bytes));
  if (std::memcmp(header.data(), magic.data(), magic.size()) != 0) return false;
  if (std::memcmp(header.data() + told_bytes, digest.data(), digest.size()) != 0) return false;
  const std::byte* at = header.data() + magic.size();
  std::uint64_t offset = header_bytes;
  for (std::size_t i = 1; i < kv::encoding_count; ++i, at += record_bytes) {
    std::uint64_t size = 0;
    auto state = static_cast<std::uint8_t>(*at);
    std::memcpy(&size, at + 1, sizeof size);
    std::memcpy(forms[i].sha256.data(), at + 9, forms[i].sha256.size());
    if (state > static_cast<std::uint8_t>(State::made) || size > form_bytes_max) return false;
    forms[i].state = static_cast<State>(state);
    struct stat status {};
    if (::fstat(fd, &status) != 0 || size > static_cast<std::uint64_t>(status.st_size))
      return false;
    forms[i].size_bytes = size;
    forms[i].bytes.resize(size);
    if (read_at(fd, offset, forms[i].bytes, path) != size) return false;
    bool is_made = forms[i].state == State::made;
    if (is_made && crypto::sha256_of(forms[i].bytes) != forms[i].sha256) return false;
    offset += size;
  }
  return true;
}

bool write_all(int fd, kv::Bytes bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Cache::Cache(std::string directory, Effort effort, std::uint64_t bytes_max)
    : directory_(std::move(directory)), bytes_max_(bytes_max) {
  for (kv::Encoding encoding : {kv::Encoding::gzip, kv::Encoding::br, kv::Encoding::zstd}) {
    recipe_ += recipe_of(encoding, effort) + '\n';
  }
}

std::string Cache::default_directory() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/crunch";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.cache/crunch";
  return "";
}

std::string Cache::path_of(const crypto::Sha256Bytes& content) const {
  crypto::Sha256 digest;
  digest.update(base::bytes_of(recipe_));
  digest.update(content);
  std::string hex = kv::hex_of(digest.finish());
  return directory_ + "/" + hex.substr(0, 2) + "/" + hex.substr(2);
}

Forms Cache::find(const crypto::Sha256Bytes& content) const {
  if (directory_.empty()) return {};
  std::string path = path_of(content);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Forms forms;
  try {
    if (!file || !read_forms(file.get(), path, forms)) return {};
  } catch (const Failure&) {
    return {};  // an entry that cannot be read is one that is not there
  }
  // The time of the last use, for `trim`.
  ::futimens(file.get(), nullptr);
  return forms;
}

void Cache::keep(const crypto::Sha256Bytes& content, const Forms& forms) {
  if (directory_.empty() || error_ != 0) return;
  std::string path = path_of(content);
  std::uint64_t number = kept_count_++;
  std::string parent = path.substr(0, path.rfind('/'));
  std::string temporary = parent + "/" + std::string(temporary_prefix) +
                          std::to_string(::getpid()) + "-" + std::to_string(number);
  std::error_code ignored;
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(::open(temporary.c_str(), flags, 0600));
  if (!file && errno == ENOENT) {
    fs::create_directories(parent, ignored);
    file = Descriptor(::open(temporary.c_str(), flags, 0600));
  }
  bool is_written = file && write_all(file.get(), header_of(forms));
  for (const MadeForm& form : forms) is_written = is_written && write_all(file.get(), form.bytes);
  if (is_written && ::rename(temporary.c_str(), path.c_str()) == 0) return;
  error_ = errno;
  ::unlink(temporary.c_str());
}

std::string Cache::trouble() const {
  if (error_ == 0) return "";
  return sentence_of("write to the cache", directory_, error_);
}

void Cache::trim() const {
  if (directory_.empty() || kept_count_ == 0) return;
  struct Entry {
    fs::file_time_type used;
    std::uint64_t size_bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code error;
  auto now = fs::file_time_type::clock::now();
  fs::recursive_directory_iterator at(directory_, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;
    if (!at->is_regular_file(gone)) continue;
    Entry entry{at->last_write_time(gone), at->file_size(gone), at->path()};
    if (gone) continue;
    std::string name = entry.path.filename().string();
    if (name.starts_with(temporary_prefix) && now - entry.used > temporary_age_max) {
      fs::remove(entry.path, gone);
      continue;
    }
    total += entry.size_bytes;
    entries.push_back(std::move(entry));
  }
  if (total <= bytes_max_) return;
  std::ranges::sort(entries, {}, &Entry::used);
  // A tenth more than needed, so that not every run has to.
  for (const Entry& entry : entries) {
    if (total <= bytes_max_ / 10 * 9) return;
    std::error_code gone;
    fs::remove(entry.path, gone);
    total -= entry.size_bytes;
  }
}

}  // namespace crunch::embed
