// SPDX-License-Identifier: ISC
#include "crunch/pack/pack.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crunch/check/check.hpp"
#include "crunch/embed/gather.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "crunch/tar.hpp"
#include "kv/tar/packed.hpp"

namespace crunch::pack {
namespace {

using embed::Label;

// An archive made on a device is made of whole sectors.
constexpr std::size_t archive_alignment = 4096;

void write_zeros(NewFile& file, std::size_t count) { file.write(std::string(count, '\0')); }

// Each representation is a member of the archive.
class TarLayout final : public embed::Layout {
 public:
  void begin(NewFile& file, const Label& label, std::uint64_t size_bytes) override {
    file.write(tar_header({.name = label.name,
                           .size_bytes = size_bytes,
                           .modified_s = label.modified_s,
                           .mode = 0644}));
  }
  void end(NewFile& file, std::uint64_t size_bytes) override {
    write_zeros(file, tar_padding(size_bytes));
  }
  // So that `tar -x` makes every file of the site.
  void repeat(NewFile& file, const Label& label, const std::string& first) override {
    if (!label.is_file) return;
    file.write(tar_header(
        {.name = label.name, .modified_s = label.modified_s, .mode = 0644, .link = first}));
  }
};

void begin_archive(NewFile& archive) {
  archive.write(tar_header(
      {.name = kv::tar::packed_name, .size_bytes = kv::tar::packed_bytes, .mode = 0644}));
  write_zeros(archive, tar_block_bytes);
}

// The index, the end, and the first member, which says where they are.
void end_archive(NewFile& archive, embed::Site site, const std::string& digest) {
  const auto header = [](std::uint64_t size_bytes) {
    return tar_header({.name = kv::tar::index_name, .size_bytes = size_bytes, .mode = 0644});
  };
  kv::tar::Packed packed;
  packed.index_offset = archive.size_bytes() + header(0).size();
  site.content_bytes = packed.index_offset;
  const std::vector<std::byte> index = embed::index_of(site, digest);
  if (index.size() > kv::tar::index_bytes_max) {
    throw Failure("the index of the site would have " + bytes_text(index.size()) +
                  "; an archive takes at most " + bytes_text(kv::tar::index_bytes_max));
  }
  archive.write(header(index.size()));
  archive.write(index);
  write_zeros(archive, tar_padding(index.size()));
  packed.index_bytes = index.size();
  packed.index_sha256 = crypto::sha256_of(index);
  packed.end_offset = archive.size_bytes();
  write_zeros(archive, tar_end_bytes);
  write_zeros(archive,
              (archive_alignment - archive.size_bytes() % archive_alignment) % archive_alignment);
  archive.patch(tar_block_bytes, base::bytes_of(packed.encode()));
}

// An archive takes the place of an archive, or of nothing: never of a page, say, that was named by
// mistake.
void check_replaceable(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size_bytes = std::filesystem::file_size(path, none);
  if (none || size_bytes == 0) return;
  constexpr std::size_t magic_offset = 257;
  std::array<char, magic_offset + 5> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  if (std::string_view(begin.data(), begin.size()).substr(magic_offset) == "ustar") return;
  throw Failure("cannot write the archive: " + in_quotes(path) +
                " is there and is no tar archive; remove it, or give another name");
}

}  // namespace

embed::Summary pack(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const embed::Options& embedding = options.embed;
  if (const std::string obstacle = obstacle_to_file(embedding.out); !obstacle.empty()) {
    throw Failure("cannot write the archive: " + obstacle);
  }
  check_replaceable(embedding.out);
  check_directory(embedding.root);
  note_missing_index(embedding.root);
  const embed::SiteFile site_file = embed::read_site_file(embedding.root);
  const embed::Tree tree(embedding.root, embed::walk_options_of(embedding, site_file));
  embed::say_notes(tree);
  NewFile archive(embedding.out, 0644);
  begin_archive(archive);
  TarLayout layout;
  embed::Gatherer gatherer(embedding, site_file, tree, archive, layout, "pack");
  gatherer.gather();
  embed::Summary summary = gatherer.summary();
  summary.site_digest = embed::digest_of(gatherer.site());
  end_archive(archive, gatherer.site(), summary.site_digest);
  summary.stored_bytes = archive.size_bytes();
  std::vector<NewFile*> files{&archive};
  std::optional<NewFile> depfile;
  if (!embedding.depfile.empty()) {
    depfile.emplace(embedding.depfile, 0644);
    depfile->write(embed::depfile_text(
        embedding, site_file, tree,
        embedding.depfile_target.empty() ? embedding.out : embedding.depfile_target));
    files.push_back(&*depfile);
  }
  summary.changed_count = replace_changed(files);
  if (options.checks_links) check::warn_of_links(embedding);
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

}  // namespace crunch::pack
