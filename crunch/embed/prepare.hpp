// SPDX-License-Identifier: ISC
// crunch/embed/prepare.hpp: prepares one file: its bytes, digest and compressed forms.
//
// States:  Prepared, Known, Preparer.   Used by: crunch/embed/embed, one Preparer for each thread.
// Siblings: "a.js.br" beside "a.js" is taken as the br form of "a.js" if it decodes to the same
//          bytes and is smaller; if it does not decode so, that is a warning, and it is only an
//          ordinary file. It keeps its own key either way.
// Without a plain file: "app.wasm.gz" is served as what is in it, with its Content-Encoding, to
//          everyone: clients of such a name rely on that.
// Bounds:  a file of more than `held_bytes_max` is not held, and so not compressed (its siblings
//          are still taken): it goes into the content in pieces.

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crunch/embed/cache.hpp"
#include "crunch/embed/compress.hpp"
#include "crunch/embed/fingerprints.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/walk.hpp"
#include "kv/digest.hpp"

namespace crunch::embed {

inline constexpr std::uint64_t held_bytes_max = std::uint64_t{128} << 20U;

inline constexpr std::array compressed_encodings{kv::Encoding::gzip, kv::Encoding::br,
                                                 kv::Encoding::zstd};

// What a file is called that holds `encoding` of its neighbour.
[[nodiscard]] constexpr std::string_view suffix_of(kv::Encoding encoding) {
  switch (encoding) {
    case kv::Encoding::gzip:
      return ".gz";
    case kv::Encoding::br:
      return ".br";
    case kv::Encoding::zstd:
      return ".zst";
    case kv::Encoding::identity:
      break;
  }
  return "";
}

struct Prepared {
  std::string type;                              // Content-Type
  std::string caching;                           // Cache-Control; empty: as its name says
  kv::Encoding stored = kv::Encoding::identity;  // what the file's own bytes are coded in
  bool is_held = false;                          // false: `bytes` and `sha256` are still to be read
  std::vector<std::byte> bytes;
  crypto::Sha256Bytes sha256{};
  Forms forms{};
  std::array<std::optional<std::size_t>, kv::encoding_count> siblings{};  // numbers of files
  std::vector<std::string> warnings;
};

// The forms of contents that are in the output already: a second file of the same bytes need not
// be compressed again. Shared by all threads.
class Known {
 public:
  void add(const crypto::Sha256Bytes& content, Forms forms) {
    for (MadeForm& form : forms) form.bytes = {};
    std::lock_guard lock(mutex_);
    forms_.try_emplace(content, std::move(forms));
  }
  void clear() {
    std::lock_guard lock(mutex_);
    forms_.clear();
  }
  [[nodiscard]] Forms find(const crypto::Sha256Bytes& content) const {
    std::lock_guard lock(mutex_);
    auto at = forms_.find(content);
    return at == forms_.end() ? Forms{} : at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<crypto::Sha256Bytes, Forms> forms_;
};

class Preparer {
 public:
  // All must outlive this. `encodings` as in kv::Stat.
  Preparer(const Tree& tree, const SiteFile& site, const Fingerprints& fingerprints, Effort effort,
           std::uint8_t encodings, Cache& cache, Known& known)
      : tree_(tree),
        site_(site),
        fingerprints_(fingerprints),
        compressor_(effort),
        encodings_(encodings),
        cache_(cache),
        known_(known) {}

  [[nodiscard]] Prepared prepare(std::size_t file);

 private:
  void warn_if_unreachable(kv::Key key, Prepared& prepared) const;
  [[nodiscard]] bool is_there(std::string_view key) const;
  void describe(const Source& source, Prepared& prepared) const;
  [[nodiscard]] bool describe_stored(const Source& source, Prepared& prepared) const;
  void take_siblings(std::size_t file, Prepared& prepared);
  void compress(Prepared& prepared, std::uint8_t wanted);

  const Tree& tree_;
  const SiteFile& site_;
  const Fingerprints& fingerprints_;
  Compressor compressor_;
  std::uint8_t encodings_;
  Cache& cache_;
  Known& known_;
};

}  // namespace crunch::embed
