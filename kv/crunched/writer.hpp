// SPDX-License-Identifier: ISC
// kv/crunched/writer.hpp: makes the index that kv/crunched/table.hpp describes.
//
// Used by: crunch (embed), tests.   A host tool: it may throw, and is in no image.
// Output:  the same bytes for the same files, in whatever order they were added. Takes least memory
//          when that is the order of the keys.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kv/crunched/table.hpp"
#include "kv/field_pool.hpp"

namespace kv::crunched {

// One representation of a file, as the writer wants it.
struct WrittenForm {
  Encoding encoding = Encoding::identity;
  std::uint64_t size_bytes = 0;
  Digest digest{};
  HeadFields head;                   // copied; equal sets of fields are stored once
  std::uint64_t content_offset = 0;  // a multiple of content_alignment
};

class Writer {
 public:
  // Adds a file with its representations: identity, and at most one of each other encoding.
  // Throws std::invalid_argument, naming the key, if the key is not normal or is the root, if the
  // forms are not as said, or if an offset is not aligned; std::length_error if a field is longer
  // than 65,535 bytes or all fields take more than 4 GiB.
  void add(Key key, std::int64_t modified_s, std::span<const WrittenForm> forms);

  // Takes the index in pieces, in order.
  using Sink = std::function<void(std::span<const std::byte>)>;

  // Gives `sink` the index of what was added; `content_bytes` is the size of the content that it
  // points into. Throws std::invalid_argument, naming the keys, if two files have one key, if one's
  // key lies below another's ("a" and "a/b"), or if a form ends beyond the content;
  // std::length_error if there is more than the format holds (2^31 files, 4 GiB of keys).
  void write(std::uint64_t content_bytes, const std::array<char, 64>& site_digest,
             const Sink& sink) const;

  // The same in one piece: for a few files.
  [[nodiscard]] std::vector<std::byte> index(std::uint64_t content_bytes,
                                             const std::array<char, 64>& site_digest) const;

  [[nodiscard]] std::size_t file_count() const noexcept { return files_.size(); }

 private:
  struct Added {
    std::string key;
    std::int64_t modified_s = 0;
    std::array<FormRecord, encoding_count> forms{};  // their offsets are in sets_
    std::uint8_t encodings = 0;
  };

  // In the order of the keys.
  [[nodiscard]] std::vector<const Added*> sorted() const;
  static void for_each_form(const Added& added, const auto& visit) {
    for (std::size_t at = 0; at < encoding_count; ++at) {
      if (((added.encodings >> at) & 1U) != 0) visit(added.forms[at]);
    }
  }

  std::vector<Added> files_;
  FieldPool sets_;
  bool is_in_order_ = true;  // added in the order of the index, and so its sets too
};

}  // namespace kv::crunched
