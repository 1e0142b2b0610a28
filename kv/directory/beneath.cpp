// SPDX-License-Identifier: ISC
#include "kv/directory/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <vector>

namespace kv {

namespace {

constexpr int links_max = 40;    // as the kernel's own limit, path_resolution(7)
constexpr int retries_max = 16;  // of a resolution that raced with a rename

using Opened = base::Result<Descriptor, int>;

Opened opened(long fd) {
  if (fd < 0) return base::failure(errno);
  return Descriptor(static_cast<int>(fd));
}

Opened open_by_openat2(int root, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int left = retries_max;; --left) {
    Opened fd = opened(syscall(SYS_openat2, root, path, &how, sizeof how));
    bool again = !fd && (fd.error() == EINTR || fd.error() == EAGAIN) && left > 0;
    if (!again) return fd;
  }
}

// Walks from the root, keeping every directory on the way open, so that ".." in a link is a step
// back on that way, whatever was renamed meanwhile.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  Opened open(const std::string& path, int flags) {
    todo_ = path;
    while (true) {
      std::string name = next_name();
      if (name.empty()) return here_with(flags);
      if (name == ".") continue;
      if (name == "..") {
        if (way_.empty()) return base::failure(EXDEV);
        way_.pop_back();
        continue;
      }
      Opened found = again(name.c_str(), O_PATH | O_NOFOLLOW);
      if (!found) return found;
      struct stat meta {};
      if (fstat(found->get(), &meta) != 0) return base::failure(errno);
      if (S_ISLNK(meta.st_mode)) {
        int error = follow(found->get());
        if (error != 0) return base::failure(error);
      } else if (S_ISDIR(meta.st_mode)) {
        way_.push_back(std::move(*found));
      } else {
        if (!todo_.empty()) return base::failure(ENOTDIR);
        if ((flags & O_DIRECTORY) != 0) return base::failure(ENOTDIR);
        // Whatever has this name by now, it is in this directory and no link is followed.
        return again(name.c_str(), flags | O_NOFOLLOW);
      }
    }
  }

 private:
  [[nodiscard]] Opened again(const char* name, int flags) const {
    int here = way_.empty() ? root_ : way_.back().get();
    return opened(openat(here, name, flags | O_CLOEXEC));
  }

  // The directory that the walk has come to. By its own descriptor where that is enough: "." in it
  // would want the permission to search it.
  Opened here_with(int flags) {
    if ((flags & O_PATH) == 0 || way_.empty()) return again(".", flags);
    return std::move(way_.back());
  }

  std::string next_name() {
    std::size_t start = todo_.find_first_not_of('/');
    if (start == std::string::npos) return {};
    std::size_t end = todo_.find('/', start);
    std::string name = todo_.substr(start, end - start);
    todo_.erase(0, end);
    return name;
  }

  int follow(int link) {
    if (++links_ > links_max) return ELOOP;
    std::array<char, PATH_MAX> target;
    ssize_t length = readlinkat(link, "", target.data(), target.size());
    if (length < 0) return errno;
    std::string_view text(target.data(), static_cast<std::size_t>(length));
    if (text.empty()) return ENOENT;
    if (text.front() == '/') return EXDEV;
    if (text.size() + todo_.size() > std::size_t{links_max} * PATH_MAX) return ENAMETOOLONG;
    todo_ = std::string(text) + todo_;
    return 0;
  }

  int root_;
  int links_ = 0;
  std::string todo_;             // what is left of the path; starts with '/' or is a new one
  std::vector<Descriptor> way_;  // the directories from the root to here, O_PATH
};

}  // namespace

Resolver best_resolver() noexcept {
  Opened here = open_by_openat2(AT_FDCWD, ".", O_PATH);
  // ENOSYS from an old kernel, EPERM from a sandbox that does not know the call.
  bool missing = !here && (here.error() == ENOSYS || here.error() == EPERM);
  return missing ? Resolver::walk : Resolver::openat2;
}

Opened open_beneath(int root, const std::string& path, int flags, Resolver resolver) {
  // The kernel takes no longer path at once, but a tree can be deeper.
  if (resolver == Resolver::walk || path.size() >= PATH_MAX) return Walk(root).open(path, flags);
  return open_by_openat2(root, path.empty() ? "." : path.c_str(), flags);
}

}  // namespace kv
