// SPDX-License-Identifier: ISC
// crunch/embed/emit.hpp: what `crunch embed` writes: content, index, manifest and C++.
//
// States:  Content, FileRecord, Site, and a text for each output.   Used by: crunch/embed/embed.
// Output:  <name>.content and <name>.index as kv/crunched/table.hpp says; <name>.manifest.json;
//          <name>.cpp, which defines `crunched_<name>` and pulls the others in by .incbin (or, when
//          it is portable, holds them as string literals).

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crunch/files.hpp"
#include "kv/digest.hpp"

namespace crunch::embed {

// A representation that is in the content.
struct Placed {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  crypto::Sha256Bytes sha256{};
};

// One file of the site, with all its representations placed.
struct FileRecord {
  std::string key;
  std::int64_t modified_s = 0;
  std::array<std::optional<Placed>, kv::encoding_count> forms{};
  std::string type;                              // Content-Type
  std::string caching;                           // Cache-Control; empty: as the key says
  kv::Encoding stored = kv::Encoding::identity;  // what forms[0] is coded in, for everyone

  [[nodiscard]] const Placed& identity() const { return *forms[0]; }
};

// What the bytes are that are placed.
struct Label {
  std::string name;
  std::int64_t modified_s = 0;
  bool is_file = true;  // of the site; false: a form or a plan that crunch has made
};

// What stands between representations.
class Layout {
 public:
  virtual ~Layout() = default;
  virtual void begin(NewFile& file, const Label& label, std::uint64_t size_bytes) = 0;
  virtual void end(NewFile& file, std::uint64_t size_bytes) = 0;
  // In place of bytes that are there already, as `first`.
  virtual void repeat(NewFile& file, const Label& label, const std::string& first) = 0;
};

// Each begins at its alignment (kv/crunched/table.hpp).
class AlignedLayout final : public Layout {
 public:
  void begin(NewFile& file, const Label& label, std::uint64_t size_bytes) override;
  void end(NewFile&, std::uint64_t) override {}
  void repeat(NewFile&, const Label&, const std::string&) override {}
};

// The content being written: equal representations are there once.
class Content {
 public:
  Content(NewFile& file, Layout& layout) : file_(file), layout_(layout) {}

  // Adds `bytes`, of which `sha256` is the digest. They may be empty if they were placed before.
  Placed place(const Label& label, const crypto::Sha256Bytes& sha256, std::uint64_t size_bytes,
               base::Bytes bytes);

  // The same for bytes that come in pieces: begin, any number of pieces, end.
  void begin_pieces(const Label& label, std::uint64_t size_bytes);
  void add_piece(base::Bytes bytes);
  Placed end_pieces(const Label& label);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return file_.size_bytes(); }

  // After the last: what was only there to find equal ones is freed.
  void finish() { placed_.clear(); }

 private:
  struct Known {
    Placed placed;
    std::string name;
  };

  NewFile& file_;
  Layout& layout_;
  std::map<crypto::Sha256Bytes, Known> placed_;
  crypto::Sha256 piece_digest_;
  std::uint64_t pieces_before_ = 0;  // the size before their padding
  std::uint64_t pieces_begin_ = 0;
};

struct Site {
  std::string name;
  std::vector<FileRecord> files;  // sorted by key
  std::uint64_t content_bytes = 0;
};

// Hexadecimal SHA-256 over every path, time and content.
[[nodiscard]] std::string digest_of(const Site& site);

// As table.hpp says, with heads by http/head.hpp.
void write_index(const Site& site, const std::string& digest, NewFile& out);
// In one piece: for a site of limited size.
[[nodiscard]] std::vector<std::byte> index_of(const Site& site, const std::string& digest);

// One object; "files" is sorted, one file on each line.
void write_manifest(const Site& site, const std::string& digest, NewFile& out);

// C++ that pulls in the files beside it. `apart`: but not the content, in whose place it has
// placeholder_bytes that begin with placeholder_mark (crunch/build/appended.hpp).
[[nodiscard]] std::string source_of(const Site& site, const std::string& digest,
                                    std::uint64_t index_bytes, std::uint64_t manifest_bytes,
                                    bool apart);
inline constexpr std::size_t placeholder_bytes = 4096;
inline constexpr std::string_view placeholder_mark = "crunch: the content of the site goes here";

// C++ of string literals, for any compiler: written to `out`, for it is as long as four times the
// content, which is read from `content_path`.
inline constexpr std::uint64_t portable_bytes_max = std::uint64_t{256} << 20U;
void write_portable_source(const Site& site, const std::string& digest, base::Bytes index,
                           const std::string& content_path, NewFile& out);

// What a `name` must be: a C identifier.
[[nodiscard]] bool is_name(std::string_view name);

// Appends `text` as a JSON string. `text` must be UTF-8.
void append_json(std::string& out, std::string_view text);

}  // namespace crunch::embed
