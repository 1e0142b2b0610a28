// SPDX-License-Identifier: ISC
#include "crunch/embed/emit.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "crunch/failure.hpp"
#include "crunch/source_date.hpp"
#include "crunch/version.hpp"
#include "http/caching.hpp"
#include "http/head.hpp"
#include "http/site/plan.hpp"
#include "kv/crunched/table.hpp"
#include "kv/crunched/writer.hpp"

namespace crunch::embed {
namespace {

constexpr std::array encodings{kv::Encoding::identity, kv::Encoding::gzip, kv::Encoding::br,
                               kv::Encoding::zstd};

}  // namespace

void AlignedLayout::begin(NewFile& file, const Label&, std::uint64_t size_bytes) {
  static constexpr std::array<std::byte, kv::crunched::page_alignment> zeros{};
  const std::uint64_t alignment = kv::crunched::alignment_of(size_bytes);
  const std::uint64_t rest = file.size_bytes() % alignment;
  if (rest != 0) file.write(base::Bytes(zeros).first(alignment - rest));
}

Placed Content::place(const Label& label, const crypto::Sha256Bytes& sha256,
                      std::uint64_t size_bytes, base::Bytes bytes) {
  auto [at, is_new] = placed_.try_emplace(sha256);
  if (is_new) {
    layout_.begin(file_, label, size_bytes);
    at->second = {{file_.size_bytes(), size_bytes, sha256}, label.name};
    file_.write(bytes);
    layout_.end(file_, size_bytes);
  } else {
    layout_.repeat(file_, label, at->second.name);
  }
  return at->second.placed;
}

void Content::begin_pieces(const Label& label, std::uint64_t size_bytes) {
  pieces_before_ = file_.size_bytes();
  layout_.begin(file_, label, size_bytes);
  pieces_begin_ = file_.size_bytes();
  piece_digest_ = crypto::Sha256();
}

void Content::add_piece(base::Bytes bytes) {
  piece_digest_.update(bytes);
  file_.write(bytes);
}

Placed Content::end_pieces(const Label& label) {
  crypto::Sha256Bytes sha256 = piece_digest_.finish();
  const std::uint64_t size_bytes = file_.size_bytes() - pieces_begin_;
  auto [at, is_new] =
      placed_.try_emplace(sha256, Known{{pieces_begin_, size_bytes, sha256}, label.name});
  if (is_new) {
    layout_.end(file_, size_bytes);
  } else {
    file_.cut(pieces_before_);
    layout_.repeat(file_, label, at->second.name);
  }
  return at->second.placed;
}

std::string digest_of(const Site& site) {
  crypto::Sha256 digest;
  auto add_number = [&digest](std::uint64_t number) {
    digest.update(std::as_bytes(std::span(&number, 1)));  // little-endian, as the index is
  };
  for (const FileRecord& file : site.files) {
    add_number(file.key.size());
    digest.update(base::bytes_of(file.key));
    add_number(static_cast<std::uint64_t>(file.modified_s));
    digest.update(file.identity().sha256);
  }
  return kv::hex_of(digest.finish());
}

namespace {

void add_files(const Site& site, kv::crunched::Writer& writer) {
  for (const FileRecord& file : site.files) {
    auto form_count =
        std::ranges::count_if(file.forms, [](auto& form) { return form.has_value(); });
    std::vector<kv::crunched::WrittenForm> forms;
    for (kv::Encoding encoding : encodings) {
      std::size_t at = kv::index_of(encoding);
      if (!file.forms[at]) continue;
      const Placed& placed = *file.forms[at];
      kv::Digest form_digest = kv::digest_of(placed.sha256);
      forms.push_back({encoding, placed.size_bytes, form_digest,
                       http::make_head({.key = file.key,
                                        .encoding = at == 0 ? file.stored : encoding,
                                        .digest = form_digest,
                                        .size_bytes = placed.size_bytes,
                                        .modified_s = file.modified_s,
                                        .varies = form_count > 1,
                                        .type = file.type,
                                        .caching = file.caching}),
                       placed.offset});
    }
    writer.add(file.key, file.modified_s, forms);
  }
}

std::array<char, 64> array_of(const std::string& digest) {
  std::array<char, 64> array{};
  std::ranges::copy(digest, array.begin());
  return array;
}

}  // namespace

void write_index(const Site& site, const std::string& digest, NewFile& out) {
  kv::crunched::Writer writer;
  add_files(site, writer);
  writer.write(site.content_bytes, array_of(digest),
               [&out](base::Bytes piece) { out.write(piece); });
}

std::vector<std::byte> index_of(const Site& site, const std::string& digest) {
  kv::crunched::Writer writer;
  add_files(site, writer);
  return writer.index(site.content_bytes, array_of(digest));
}

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 15U];
    } else {
      out += c;
    }
  }
  out += '"';
}

void write_manifest(const Site& site, const std::string& digest, NewFile& out) {
  std::string line = "{\"format\": 1, \"crunch\": \"" CRUNCH_VERSION "\", \"name\": ";
  append_json(line, site.name);
  line += ", \"site_digest\": \"" + digest + "\", \"files\": [";
  auto append_form = [&line](const Placed& placed) {
    line += "\"size\": " + std::to_string(placed.size_bytes) + ", \"sha256\": \"";
    kv::append_hex(line, placed.sha256);
    line += '"';
  };
  const char* separator = "\n";
  for (const FileRecord& file : site.files) {
    if (file.key == http::site::plan_key) continue;  // no file of the site's
    line += separator;
    separator = ",\n";
    line += "{\"path\": ";
    append_json(line, file.key);
    line += ", \"type\": ";
    append_json(line, file.type);
    line += ", \"caching\": ";
    append_json(line, file.caching.empty() ? http::cache_control(file.key) : file.caching);
    if (file.stored != kv::Encoding::identity) {
      line += ", \"stored\": ";
      append_json(line, kv::name_of(file.stored));
    }
    line += ", ";
    append_form(file.identity());
    line += ", \"modified\": \"" + utc_text(file.modified_s) + "\", \"encodings\": {";
    const char* form_separator = "";
    for (kv::Encoding encoding : encodings) {
      const auto& form = file.forms[kv::index_of(encoding)];
      if (encoding == kv::Encoding::identity || !form) continue;
      line += form_separator;
      form_separator = ", ";
      append_json(line, kv::name_of(encoding));
      line += ": {";
      append_form(*form);
      line += '}';
    }
    line += "}}";
    out.write(line);
    line.clear();
  }
  out.write(line + "\n]}\n");
}

bool is_name(std::string_view name) {
  auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 64 && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace crunch::embed
