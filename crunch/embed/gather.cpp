// SPDX-License-Identifier: ISC
#include "crunch/embed/gather.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "crunch/embed/notes.hpp"
#include "crunch/embed/pipeline.hpp"
#include "crunch/embed/site_rules.hpp"
#include "crunch/failure.hpp"
#include "crunch/source_date.hpp"
#include "http/mime.hpp"
#include "http/site/plan.hpp"

namespace crunch::embed {
namespace {

constexpr std::uint64_t in_flight_bytes_max = std::uint64_t{256} << 20U;
constexpr std::size_t piece_bytes = std::size_t{1} << 20U;

std::uint64_t total_bytes(const Tree& tree) {
  std::uint64_t total = 0;
  for (const Source& source : tree.files()) total += source.size_bytes;
  return total;
}

// What a form that crunch made is called in an archive.
std::string made_name(kv::Encoding encoding, const std::string& key) {
  return std::string(http::site::own_folder) + '/' + std::string(kv::name_of(encoding)) + '/' + key;
}

}  // namespace

Gatherer::Gatherer(const Options& options, const SiteFile& site_file, const Tree& tree,
                   NewFile& file, Layout& layout, const char* what)
    : options_(options),
      site_file_(site_file),
      tree_(tree),
      fingerprints_(tree),
      epoch_(source_date_epoch()),
      cache_(options.cache, options.effort),
      content_(file, layout),
      progress_(what, total_bytes(tree)) {
  site_.name = options.name;
}

void Gatherer::gather() {
  place_all();
  link_siblings();
  place_plan();
  known_.clear();
  content_.finish();
  cache_.trim();
  if (std::string trouble = cache_.trouble(); !trouble.empty()) {
    progress_.say("crunch: warning: " + trouble);
  }
}

Summary Gatherer::summary() const {
  Summary summary;
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

void Gatherer::place_all() {
  Pipeline<Prepared> pipeline;
  pipeline.count = tree_.files().size();
  pipeline.threads =
      options_.threads != 0 ? options_.threads : std::max(1U, std::thread::hardware_concurrency());
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

void Gatherer::place(std::size_t i, Prepared prepared) {
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
  const Label label{record.key, record.modified_s};
  if (prepared.is_held) {
    record.forms[0] = content_.place(label, prepared.sha256, prepared.bytes.size(), prepared.bytes);
    for (kv::Encoding encoding : compressed_encodings) {
      const MadeForm& form = prepared.forms[kv::index_of(encoding)];
      if (form.state != MadeForm::State::made) continue;
      record.forms[kv::index_of(encoding)] =
          content_.place({made_name(encoding, record.key), record.modified_s, false}, form.sha256,
                         form.size_bytes, form.bytes);
    }
    known_.add(prepared.sha256, std::move(prepared.forms));
  } else {
    record.forms[0] = place_in_pieces(source, label);
  }
  done_bytes_ += source.size_bytes;
  site_.files.push_back(std::move(record));
  siblings_.push_back(prepared.siblings);
  progress_.show(done_bytes_,
                 std::to_string(i + 1) + "/" + std::to_string(tree_.files().size()) + " files");
}

Placed Gatherer::place_in_pieces(const Source& source, const Label& label) {
  Reading reading(tree_, source);
  std::vector<std::byte> piece(piece_bytes);
  content_.begin_pieces(label, source.size_bytes);
  std::uint64_t done = 0;
  while (std::size_t count = reading.read(piece)) {
    check_stopped();
    content_.add_piece(base::Bytes(piece).first(count));
    done += count;
    progress_.show(done_bytes_ + done, source.key);
  }
  reading.finish();
  return content_.end_pieces(label);
}

// What the site's rules files come to, under the key that no request can name.
void Gatherer::place_plan() {
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
      content_.place({record.key, record.modified_s, false}, crypto::sha256_of(compiled.plan),
                     compiled.plan.size(), compiled.plan);
  const auto at = std::ranges::lower_bound(site_.files, record.key, {}, &FileRecord::key);
  site_.files.insert(at, std::move(record));
  site_.content_bytes = content_.size_bytes();
  has_plan_ = true;
}

// A sibling's bytes are in the content under its own key.
void Gatherer::link_siblings() {
  for (std::size_t i = 0; i < siblings_.size(); ++i) {
    for (std::size_t encoding = 0; encoding < kv::encoding_count; ++encoding) {
      if (!siblings_[i][encoding]) continue;
      site_.files[i].forms[encoding] = site_.files[*siblings_[i][encoding]].identity();
    }
  }
  site_.content_bytes = content_.size_bytes();
}

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

void say_notes(const Tree& tree) {
  for (const std::string& output : tree.left_out_outputs()) {
    Progress("", 0).say("crunch: note: left out " + in_quotes(output) + ", where the output goes");
  }
  for (const std::string& note : notes_on(tree)) Progress("", 0).say("crunch: note: " + note);
}

std::string depfile_text(const Options& options, const SiteFile& site_file, const Tree& tree,
                         const std::string& target) {
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
  for (const std::string& path : tree.directories()) add(tree.name_of(path));
  for (const Source& source : tree.files()) add(tree.name_of(source.path));
  if (!site_file.path.empty()) add(site_file.path);
  for (const std::string& name : rules_files_of(site_file)) {
    if (std::filesystem::exists(std::filesystem::path(options.root) / name)) {
      add(tree.name_of(name));
    }
  }
  for (const std::string& path : options.also_read) add(path);
  return text + "\n";
}

}  // namespace crunch::embed
