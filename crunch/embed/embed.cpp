// SPDX-License-Identifier: ISC
#include "crunch/embed/embed.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "crunch/embed/emit.hpp"
#include "crunch/embed/gather.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/walk.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::embed {
namespace {

// Two runs into one directory wait for each other.
Descriptor lock_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) fail("open the directory", path);
  while (::flock(directory.get(), LOCK_EX) != 0) {
    check_stopped();
    if (errno != EINTR) return directory;  // a file system without locks
  }
  return directory;
}

void check_size(std::uint64_t bytes, const Options& options) {
  if (bytes <= options.content_bytes_max) return;
  throw Failure("the site has " + bytes_text(bytes) +
                ", and an image for this target takes at most " +
                bytes_text(options.content_bytes_max) +
                "; leave files out by --exclude, or build for unix, which has no such limit");
}

// What is there once for sure: links to one file count once.
std::uint64_t bytes_at_least(const Tree& tree) {
  constexpr std::uint64_t large_bytes = std::uint64_t{1} << 20U;
  std::set<std::pair<dev_t, ino_t>> seen;
  std::uint64_t bytes = 0;
  for (const Source& source : tree.files()) {
    // Small ones may be alike; large ones are told apart by what they are.
    if (source.size_bytes < large_bytes) continue;
    if (seen.emplace(source.device, source.inode).second) bytes += source.size_bytes;
  }
  return bytes;
}

// Writes what was gathered, and puts all of it in place.
Summary write_all(const Options& options, const Gatherer& gatherer, NewFile& content_file,
                  const std::function<std::string(const std::string&)>& depfile_of) {
  const Site& site = gatherer.site();
  check_size(site.content_bytes, options);
  Summary summary = gatherer.summary();
  summary.is_apart = options.apart_bytes_min != 0 && !options.portable &&
                     site.content_bytes >= options.apart_bytes_min;
  summary.site_digest = digest_of(site);
  std::string stem = options.out + "/" + options.name;
  NewFile manifest_file(stem + ".manifest.json", 0644);
  write_manifest(site, summary.site_digest, manifest_file);
  NewFile source_file(stem + ".cpp", 0644);
  NewFile index_file(stem + ".index", 0644);
  // The C++ is last: what it names is there before it.
  std::vector<NewFile*> files{&content_file, &index_file, &manifest_file, &source_file};
  if (options.portable) {
    static_cast<void>(content_file.differs());  // writes out what is buffered
    write_portable_source(site, summary.site_digest, index_of(site, summary.site_digest),
                          content_file.temporary_path(), source_file);
    files = {&manifest_file, &source_file};
  } else {
    write_index(site, summary.site_digest, index_file);
    source_file.write(source_of(site, summary.site_digest, index_file.size_bytes(),
                                manifest_file.size_bytes(), summary.is_apart));
  }
  std::optional<NewFile> depfile;
  if (!options.depfile.empty()) {
    depfile.emplace(options.depfile, 0644);
    depfile->write(
        depfile_of(options.depfile_target.empty() ? stem + ".cpp" : options.depfile_target));
    files.push_back(&*depfile);
  }
  summary.changed_count = replace_changed(files);
  return summary;
}

}  // namespace

Summary embed(const Options& options) {
  auto begin = std::chrono::steady_clock::now();
  if (!is_name(options.name)) {
    throw Usage("the name " + in_quotes(options.name) +
                " is not a C++ name; take letters, digits and '_', at most 64");
  }
  // Before the output's directory is made, so that a wrong DIR leaves nothing behind.
  const SiteFile site_file = read_site_file(options.root);
  Tree tree(options.root, walk_options_of(options, site_file));
  check_size(bytes_at_least(tree), options);
  NewDirectory out(options.out);
  say_notes(tree);
  Descriptor lock = lock_directory(options.out);
  NewFile content_file(options.out + "/" + options.name + ".content", 0644);
  AlignedLayout layout;
  Gatherer gatherer(options, site_file, tree, content_file, layout, "embed");
  gatherer.gather();
  Summary summary = write_all(options, gatherer, content_file, [&](const std::string& target) {
    return depfile_text(options, site_file, tree, target);
  });
  out.keep();
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

std::string summary_text(const Summary& summary) {
  std::array<char, 32> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.1f s", summary.seconds);
  std::string text = std::to_string(summary.file_count) +
                     (summary.file_count == 1 ? " file, " : " files, ") +
                     bytes_text(summary.site_bytes);
  if (summary.compressed_bytes < summary.site_bytes) {
    text += " (" + bytes_text(summary.compressed_bytes) + " compressed)";
  }
  text += ", " + bytes_text(summary.stored_bytes) + " stored";
  if (summary.dotfile_count != 0) {
    text += ", " + std::to_string(summary.dotfile_count) +
            (summary.dotfile_count == 1 ? " dotfile left out" : " dotfiles left out");
  }
  if (summary.changed_count == 0) text += ", nothing changed";
  return text + ", " + seconds.data();
}

}  // namespace crunch::embed
