// SPDX-License-Identifier: ISC
#include "crunch/embed/walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>

#include "crunch/failure.hpp"
#include "http/site/plan.hpp"

namespace crunch::embed {
namespace {

struct Identity {
  dev_t device;
  ino_t inode;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};
Identity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

struct CloseDirectory {
  void operator()(DIR* entries) const { ::closedir(entries); }
};

// The absolute path of `path`, every link followed; empty with errno.
std::string real_path(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : std::string();
}

std::string joined(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && !path.ends_with('/')) path += '/';
  return path += name;
}

std::string target_of(const std::string& link) {
  std::string target(PATH_MAX, '\0');
  ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  target.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return target;
}

// What is about the site, or about a host's folder.
bool is_about_site(std::string_view key, const std::vector<std::string>& roots) {
  return http::site::is_about_site(key) ||
         std::ranges::any_of(roots, [key](const std::string& root) {
           return key.starts_with(root) && key.substr(root.size()).starts_with('/') &&
                  http::site::is_about_site(key.substr(root.size() + 1));
         });
}

}  // namespace

bool is_backup(std::string_view name) {
  constexpr std::array suffixes{"~",    ".bak", ".orig", ".rej",    ".swp",
                                ".swo", ".old", ".save", ".backup", ".~lock"};
  constexpr std::array names{"Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", "__MACOSX"};
  auto is = [name](const char* one) { return name == one; };
  auto ends = [name](const char* one) { return name.size() > 1 && name.ends_with(one); };
  return std::ranges::any_of(suffixes, ends) || std::ranges::any_of(names, is) ||
         name.starts_with("~$") ||
         (name.size() > 2 && name.starts_with('#') && name.ends_with('#'));
}

// Walks without recursion, so that no depth overflows the stack.
class Walk {
 public:
  Walk(Tree& tree, const WalkOptions& options) : tree_(tree), options_(options) {
    real_root_ = real_path(tree.root_);
    if (real_root_.empty()) fail("read the directory", tree.root_);
    for (const std::string& output : options.outputs) {
      struct stat status {};
      if (::stat(output.c_str(), &status) == 0) outputs_.insert(identity_of(status));
    }
  }

  void run(const struct stat& root) {
    pending_.push_back(std::make_shared<Directory>(Directory{"", "", identity_of(root), nullptr}));
    while (!pending_.empty()) {
      std::shared_ptr<const Directory> directory = std::move(pending_.back());
      pending_.pop_back();
      list(directory);
    }
    refuse_links();
    std::ranges::sort(tree_.files_, {}, &Source::key);
    std::ranges::sort(tree_.directories_);
  }

 private:
  // A directory still to be listed, and the way by which it was reached.
  struct Directory {
    std::string key;
    std::string path;
    Identity identity;
    std::shared_ptr<const Directory> above;
  };

  void list(const std::shared_ptr<const Directory>& directory) {
    check_stopped();
    tree_.directories_.push_back(directory->path);
    Descriptor file = tree_.open_beneath(directory->path, O_RDONLY | O_DIRECTORY);
    std::string name = tree_.name_of(directory->path);
    if (!file) fail("read the directory", name);
    int fd = ::dup(file.get());
    std::unique_ptr<DIR, CloseDirectory> entries(::fdopendir(fd));
    if (!entries) fail("read the directory", name);
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(entries.get());
      if (entry == nullptr && errno != 0) fail("read the directory", name);
      if (entry == nullptr) return;
      std::string_view segment = entry->d_name;
      if (segment != "." && segment != "..") visit(directory, file.get(), segment);
    }
  }

  void visit(const std::shared_ptr<const Directory>& directory, int fd, std::string_view segment) {
    if (is_temporary_name(segment)) return;
    std::string key = joined(directory->key, segment);
    std::string path = joined(directory->path, segment);
    if (segment.starts_with('.') && segment != ".well-known" && !options_.dotfiles) {
      ++tree_.dotfile_count_;
      return;
    }
    struct stat status {};
    if (::fstatat(fd, std::string(segment).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      fail("look at", tree_.name_of(path));
    }
    bool is_link = S_ISLNK(status.st_mode);
    // What is left out need not be in order; of a link, that is asked before it is followed.
    if (is_excluded(key, S_ISDIR(status.st_mode)) || is_about_site(key, options_.roots)) return;
    if (!options_.backups && is_backup(segment)) {
      tree_.left_out_backups_.push_back(std::move(key));
      return;
    }
    if (is_link) {
      path = follow(path, status);
      if (path.empty()) return;  // refused at the end
      if (is_excluded(key, S_ISDIR(status.st_mode))) return;
    }
    if (outputs_.contains(identity_of(status))) {
      tree_.left_out_outputs_.push_back(tree_.name_of(path));
      return;
    }
    check_name(key, segment);
    if (key == ".crunch") {
      throw Failure(in_quotes(tree_.name_of(key)) +
                    " has the name of the server's own folder; rename it, or leave it out by"
                    " --exclude");
    }
    if (S_ISDIR(status.st_mode)) {
      check_loop(*directory, key, path, identity_of(status), is_link);
      pending_.push_back(std::make_shared<Directory>(
          Directory{std::move(key), std::move(path), identity_of(status), directory}));
    } else if (S_ISREG(status.st_mode)) {
      if (tree_.files_.size() >= files_max) {
        throw Failure("there are more than " + std::to_string(files_max) + " files in " +
                      in_quotes(tree_.root_) + "; do links to directories multiply them?");
      }
      tree_.files_.push_back({std::move(key), std::move(path), status.st_dev, status.st_ino,
                              static_cast<std::uint64_t>(status.st_size), status.st_mtim});
    } else {
      throw Failure(in_quotes(tree_.name_of(path)) +
                    " is neither a file nor a directory; remove it, or leave it out by --exclude");
    }
  }

  [[nodiscard]] bool is_excluded(std::string_view key, bool is_directory) const {
    return std::ranges::any_of(options_.excludes,
                               [&](const Glob& glob) { return glob.excludes(key, is_directory); });
  }

  void check_name(const std::string& key, std::string_view segment) const {
    if (!is_utf8(segment)) {
      throw Failure("the name " + in_quotes(tree_.name_of(key)) +
                    " is not UTF-8, so no address can name it; rename it, or leave it out by"
                    " --exclude");
    }
    if (key.size() > key_bytes_max) {
      throw Failure("the path " + in_quotes(tree_.name_of(key)) + " has more than " +
                    std::to_string(key_bytes_max) + " bytes, too long for a request");
    }
  }

  void check_loop(const Directory& directory, const std::string& key, const std::string& path,
                  Identity identity, bool is_link) const {
    for (const Directory* above = &directory; above != nullptr; above = above->above.get()) {
      if (above->identity != identity) continue;
      throw Failure((is_link ? "the link " : "the directory ") + in_quotes(tree_.name_of(key)) +
                    " leads back to " + in_quotes(tree_.name_of(path)) +
                    ", which it lies in: a loop; remove it, or leave it out by --exclude");
    }
  }

  // The path of what the link at `path` leads to, and what that is; empty: it is one to refuse.
  std::string follow(const std::string& path, struct stat& status) {
    const std::string link = path.starts_with('/') ? path : joined(real_root_, path);
    const std::string name = in_quotes(tree_.name_of(path)) + " to " + in_quotes(target_of(link));
    std::string real = real_path(link);
    if (real.empty() && errno != ELOOP && errno != ENOENT) {
      fail("follow the link", tree_.name_of(path));
    }
    if (real.empty() || real == real_root_) {
      const char* why = !real.empty()    ? " leads back to the root: a loop"
                        : errno == ELOOP ? " is a loop"
                                         : " leads to nothing";
      refused_links_.push_back("the link " + name + why);
      return {};
    }
    std::string inside = joined(real_root_, "");
    if (!inside.ends_with('/')) inside += '/';
    if (real.starts_with(inside)) {
      real.erase(0, inside.size());
    } else if (!options_.follow_links) {
      refused_links_.push_back("the link " + name + " leaves the tree");
      has_outside_ = true;
      return {};
    }
    Descriptor target = tree_.open_beneath(real, O_PATH);
    if (!target || ::fstat(target.get(), &status) != 0) {
      fail("follow the link", tree_.name_of(path));
    }
    return real;
  }

  // All at once, so that they can be mended in one go.
  void refuse_links() {
    if (refused_links_.empty()) return;
    std::ranges::sort(refused_links_);
    std::string sentence;
    for (std::size_t i = 0; i < std::min(refused_links_.size(), links_named_max); ++i) {
      sentence += (i == 0 ? "" : ", ") + refused_links_[i];
    }
    const std::size_t count = refused_links_.size();
    if (count > links_named_max) {
      sentence += " and " + std::to_string(count - links_named_max) + " more are like that";
    }
    sentence += count == 1 ? "; remove it, or leave it out by --exclude"
                           : "; remove them, or leave them out by --exclude";
    if (has_outside_) sentence += "; --follow-links takes in what lies outside";
    throw Failure(sentence);
  }

  static constexpr std::size_t links_named_max = 50;

  Tree& tree_;
  const WalkOptions& options_;
  std::vector<std::string> refused_links_;  // what is wrong with each
  bool has_outside_ = false;
  std::string real_root_;
  std::set<Identity> outputs_;
  std::vector<std::shared_ptr<const Directory>> pending_;
};

Tree::Tree(std::string root, const WalkOptions& options) : root_(std::move(root)) {
  check_directory(root_);
  descriptor_ = Descriptor(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!descriptor_ || ::fstat(descriptor_.get(), &status) != 0) fail("read the directory", root_);
  Walk(*this, options).run(status);
}

std::string Tree::name_of(std::string_view path) const {
  if (path.starts_with('/')) return std::string(path);
  return path.empty() ? root_ : joined(root_, path);
}

Descriptor Tree::open_beneath(std::string_view path, int flags) const {
  flags |= O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  if (path.empty()) return Descriptor(::openat(descriptor_.get(), ".", flags));
  // The kernel takes at most PATH_MAX bytes at a time.
  Descriptor above;
  int from = descriptor_.get();
  while (path.size() >= PATH_MAX) {
    std::size_t cut = path.rfind('/', PATH_MAX - 2);
    if (cut == std::string_view::npos) {
      errno = ENAMETOOLONG;
      return {};
    }
    Descriptor next(::openat(from, std::string(path.substr(0, cut)).c_str(),
                             O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!next) return {};
    above = std::move(next);
    from = above.get();
    path.remove_prefix(cut + 1);
  }
  return Descriptor(::openat(from, std::string(path).c_str(), flags));
}

Reading::Reading(const Tree& tree, const Source& source)
    : source_(source),
      name_(tree.name_of(source.key)),
      file_(tree.open_beneath(source.path, O_RDONLY)) {
  if (!file_ && (errno == ENOENT || errno == ENOTDIR)) {
    throw Failure(in_quotes(name_) + " vanished while it was being embedded; run crunch again");
  }
  if (!file_) fail("read", name_);
  check();
}

std::size_t Reading::read(base::MutableBytes out) {
  std::size_t count = read_at(file_.get(), offset_, out, name_);
  offset_ += count;
  return count;
}

void Reading::finish() {
  std::byte more{};
  if (offset_ != source_.size_bytes || read_at(file_.get(), offset_, {&more, 1}, name_) != 0) {
    throw Failure(in_quotes(name_) + " changed while it was being read; run crunch again");
  }
  check();
}

void Reading::check() const {
  struct stat now {};
  if (::fstat(file_.get(), &now) != 0) fail("look at", name_);
  bool same = now.st_dev == source_.device && now.st_ino == source_.inode &&
              static_cast<std::uint64_t>(now.st_size) == source_.size_bytes &&
              now.st_mtim.tv_sec == source_.modified.tv_sec &&
              now.st_mtim.tv_nsec == source_.modified.tv_nsec;
  if (!same) throw Failure(in_quotes(name_) + " changed while it was being read; run crunch again");
}

std::vector<std::byte> read_whole(const Tree& tree, const Source& source) {
  Reading reading(tree, source);
  std::vector<std::byte> bytes(source.size_bytes);
  if (reading.read(bytes) != bytes.size()) bytes.clear();
  reading.finish();
  return bytes;
}

}  // namespace crunch::embed
