// SPDX-License-Identifier: ISC
#include "crunch/embed/embed.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "crunch/embed/cache.hpp"
#include "crunch/embed/emit.hpp"
#include "crunch/embed/fingerprints.hpp"
#include "crunch/embed/notes.hpp"
#include "crunch/embed/pipeline.hpp"
#include "crunch/embed/prepare.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/site_rules.hpp"
#include "crunch/embed/walk.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/progress.hpp"
#include "crunch/source_date.hpp"
#include "http/mime.hpp"

namespace crunch::embed {
namespace {

constexpr std::uint64_t in_flight_bytes_max = std::uint64_t{256} << 20U;
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

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
  std::set<std::pair<dev_t, ino_t>> seen;
  std::uint64_t bytes = 0;
  for (const Source& source : tree.files()) {
    // Small ones may be alike; large ones are told apart by what they are.
    if (source.size_bytes < piece_bytes) continue;
    if (seen.emplace(source.device, source.inode).second) bytes += source.size_bytes;
  }
  return bytes;
}

// The files of one run, from the tree to what is written.
class Run {
 public:
  Run(const Options& options, const SiteFile& site_file, const Tree& tree)
      : options_(options),
        site_file_(site_file),
        tree_(tree),
        fingerprints_(tree),
        epoch_(source_date_epoch()),
        cache_(options.cache, options.effort),
        content_file_(options.out + "/" + options.name + ".content", 0644),
        content_(content_file_),
        progress_("embed", total_bytes(tree)) {
    site_.name = options.name;
  }

  Summary run() {
    place_all();
    link_siblings();
    place_plan();
    cache_.trim();
    if (std::string trouble = cache_.trouble(); !trouble.empty()) {
      progress_.say("crunch: warning: " + trouble);
    }
    Summary summary = write_all();
    summary.file_count = site_.files.size() - (has_plan_ ? 1 : 0);
    summary.dotfile_count = tree_.dotfile_count();
    for (const FileRecord& file : site_.files) {
      std::uint64_t least = file.identity().size_bytes;
      for (const auto& form : file.forms) least = form ? std::min(least, form->size_bytes) : least;
      summary.site_bytes += file.identity().size_bytes;
      summary.compressed_bytes += least;
    }
    summary.stored_bytes = site_.content_bytes;
    return summary;
  }

 private:
  static std::uint64_t total_bytes(const Tree& tree) {
    std::uint64_t total = 0;
    for (const Source& source : tree.files()) total += source.size_bytes;
    return total;
  }

  void place_all() {
    Pipeline<Prepared> pipeline;
    pipeline.count = tree_.files().size();
    pipeline.threads = options_.threads != 0 ? options_.threads
                                             : std::max(1U, std::thread::hardware_concurrency());
    pipeline.threads = std::min(pipeline.threads, pipeline.count);
    pipeline.weight_max = in_flight_bytes_max;
    pipeline.weigh = [this](std::size_t i) {
      std::uint64_t size = tree_.files()[i].size_bytes;
      return size <= held_bytes_max ? size : 0;
    };
    pipeline.make_worker = [this] {
      auto preparer = std::make_shared<Preparer>(tree_, site_file_, fingerprints_, options_.effort,
                                                 options_.encodings, cache_, known_);
      return [preparer](std::size_t i) { return preparer->prepare(i); };
    };
    pipeline.take = [this](std::size_t i, Prepared prepared) { place(i, std::move(prepared)); };
    pipeline.while_waiting = [] { check_stopped(); };
    pipeline.run();
  }

  void place(std::size_t i, Prepared prepared) {
    check_stopped();
    const Source& source = tree_.files()[i];
    for (const std::string& warning : prepared.warnings) {
      progress_.say("crunch: warning: " + warning);
    }
    FileRecord record;
    record.key = source.key;
    record.type = std::move(prepared.type);
    record.caching = std::move(prepared.caching);
    record.stored = prepared.stored;
    record.modified_s = epoch_.value_or(
        std::clamp(std::int64_t{source.modified.tv_sec}, std::int64_t{0}, modified_s_max));
    if (prepared.is_held) {
      record.forms[0] = content_.place(prepared.sha256, prepared.bytes.size(), prepared.bytes);
      for (kv::Encoding encoding : compressed_encodings) {
        const MadeForm& form = prepared.forms[kv::index_of(encoding)];
        if (form.state != MadeForm::State::made) continue;
        record.forms[kv::index_of(encoding)] =
            content_.place(form.sha256, form.size_bytes, form.bytes);
      }
      known_.add(prepared.sha256, std::move(prepared.forms));
    } else {
      record.forms[0] = place_in_pieces(source);
    }
    done_bytes_ += source.size_bytes;
    site_.files.push_back(std::move(record));
    siblings_.push_back(prepared.siblings);
    progress_.show(done_bytes_,
                   std::to_string(i + 1) + "/" + std::to_string(tree_.files().size()) + " files");
  }

  Placed place_in_pieces(const Source& source) {
    Reading reading(tree_, source);
    std::vector<std::byte> piece(piece_bytes);
    content_.begin_pieces();
    std::uint64_t done = 0;
    while (std::size_t count = reading.read(piece)) {
      check_stopped();
      content_.add_piece(base::Bytes(piece).first(count));
      done += count;
      progress_.show(done_bytes_ + done, source.key);
    }
    reading.finish();
    return content_.end_pieces();
  }

  // What the site's rules files come to, under the key that no request can name.
  void place_plan() {
    const http::site::Compiled compiled = compile_rules(site_file_, options_.root);
    say_findings(compiled.findings, [this](const std::string& line) { progress_.say(line); });
    if (compiled.has_errors()) {
      throw Failure("the rules of the site have errors; nothing was written");
    }
    if (options_.strict && compiled.has_warnings()) {
      throw Failure(
          "the rules of the site have warnings, and --strict makes them errors; nothing "
          "was written");
    }
    if (compiled.plan.empty()) return;
    FileRecord record;
    record.key = http::site::plan_key;
    record.type = http::unknown_type;
    record.modified_s = epoch_.value_or(0);
    record.forms[0] =
        content_.place(crypto::sha256_of(compiled.plan), compiled.plan.size(), compiled.plan);
    const auto at = std::ranges::lower_bound(site_.files, record.key, {}, &FileRecord::key);
    site_.files.insert(at, std::move(record));
    site_.content_bytes = content_.size_bytes();
    has_plan_ = true;
  }

  // A sibling's bytes are in the content under its own key.
  void link_siblings() {
    for (std::size_t i = 0; i < siblings_.size(); ++i) {
      for (std::size_t encoding = 0; encoding < kv::encoding_count; ++encoding) {
        if (!siblings_[i][encoding]) continue;
        site_.files[i].forms[encoding] = site_.files[*siblings_[i][encoding]].identity();
      }
    }
    site_.content_bytes = content_.size_bytes();
  }

  Summary write_all() {
    check_size(site_.content_bytes, options_);
    Summary summary;
    summary.is_apart = options_.apart_bytes_min != 0 && !options_.portable &&
                       site_.content_bytes >= options_.apart_bytes_min;
    summary.site_digest = digest_of(site_);
    std::vector<std::byte> index = index_of(site_, summary.site_digest);
    std::string manifest = manifest_of(site_, summary.site_digest);
    std::string stem = options_.out + "/" + options_.name;
    NewFile manifest_file(stem + ".manifest.json", 0644);
    manifest_file.write(manifest);
    NewFile source_file(stem + ".cpp", 0644);
    NewFile index_file(stem + ".index", 0644);
    index_file.write(index);
    // The C++ is last: what it names is there before it.
    std::vector<NewFile*> files{&content_file_, &index_file, &manifest_file, &source_file};
    if (options_.portable) {
      static_cast<void>(content_file_.differs());  // writes out what is buffered
      write_portable_source(site_, summary.site_digest, index, content_file_.temporary_path(),
                            source_file);
      files = {&manifest_file, &source_file};
    } else {
      source_file.write(
          source_of(site_, summary.site_digest, index.size(), manifest.size(), summary.is_apart));
    }
    std::optional<NewFile> depfile;
    if (!options_.depfile.empty()) {
      depfile.emplace(options_.depfile, 0644);
      depfile->write(
          depfile_text(options_.depfile_target.empty() ? stem + ".cpp" : options_.depfile_target));
      files.push_back(&*depfile);
    }
    summary.changed_count = replace_changed(files);
    return summary;
  }

  // Files and directories: a new file is a changed directory.
  [[nodiscard]] std::string depfile_text(const std::string& target) const {
    auto escaped = [](const std::string& path) {
      std::string out;
      for (char c : path) {
        if (c == ' ' || c == '#') out += '\\';
        if (c == '$') out += '$';
        out += c;
      }
      return out;
    };
    std::string text = escaped(target) + ":";
    auto add = [&](const std::string& path) {
      // A depfile has no way to say a newline.
      if (path.find('\n') == std::string::npos) text += " \\\n  " + escaped(path);
    };
    for (const std::string& path : tree_.directories()) add(tree_.name_of(path));
    for (const Source& source : tree_.files()) add(tree_.name_of(source.path));
    if (!site_file_.path.empty()) add(site_file_.path);
    for (const std::string& name : rules_files_of(site_file_)) {
      if (std::filesystem::exists(std::filesystem::path(options_.root) / name)) {
        add(tree_.name_of(name));
      }
    }
    for (const std::string& path : options_.also_read) add(path);
    return text + "\n";
  }

  const Options& options_;
  const SiteFile& site_file_;
  const Tree& tree_;
  Fingerprints fingerprints_;
  std::optional<std::int64_t> epoch_;
  Cache cache_;
  Known known_;
  NewFile content_file_;
  Content content_;
  Progress progress_;
  Site site_;
  std::vector<std::array<std::optional<std::size_t>, kv::encoding_count>> siblings_;
  std::uint64_t done_bytes_ = 0;
  bool has_plan_ = false;
};

}  // namespace

WalkOptions walk_options_of(const Options& options, const SiteFile& site_file) {
  WalkOptions walk;
  walk.dotfiles = options.dotfiles;
  walk.backups = options.backups;
  walk.follow_links = options.follow_links;
  for (const std::string& pattern : options.excludes) walk.excludes.emplace_back(pattern);
  walk.outputs = options.leave_out;
  if (!options.out.empty()) walk.outputs.push_back(options.out);
  for (const auto& host : site_file.hosts) {
    if (!host.root.empty()) walk.roots.push_back(host.root);
  }
  return walk;
}

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
  for (const std::string& output : tree.left_out_outputs()) {
    Progress("", 0).say("crunch: note: left out " + in_quotes(output) + ", where the output goes");
  }
  for (const std::string& note : notes_on(tree)) Progress("", 0).say("crunch: note: " + note);
  Descriptor lock = lock_directory(options.out);
  Summary summary = Run(options, site_file, tree).run();
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
