// SPDX-License-Identifier: ISC
#include "kv/crunched/writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <unordered_map>

#include "kv/key.hpp"

namespace kv::crunched {

static_assert(std::endian::native == std::endian::little,
              "the index is written as it is in memory");

namespace {

[[noreturn]] void refuse(Key key, const char* why) {
  throw std::invalid_argument("\"" + std::string(key) + "\": " + why);
}

template <class T>
void append(std::vector<std::byte>& out, std::span<const T> items) {
  auto bytes = std::as_bytes(items);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Keys, one after another.
class Text {
 public:
  std::uint32_t add(std::string_view piece) {
    if (piece.size() > std::numeric_limits<std::uint32_t>::max() - bytes_.size()) {
      throw std::length_error("keys take more than 4 GiB");
    }
    std::size_t offset = bytes_.size();
    bytes_ += piece;
    return static_cast<std::uint32_t>(offset);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Sets of fields in the order in which files name them, which is not that of adding.
class PlacedSets {
 public:
  explicit PlacedSets(const FieldPool& from) : from_(from) { place(0); }

  Head::Offset place(Head::Offset set) {
    auto [at, is_new] = placed_.try_emplace(set, static_cast<Head::Offset>(bytes_.size()));
    if (is_new) append(bytes_, from_.set_at(set));
    return at->second;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  const FieldPool& from_;
  std::unordered_map<Head::Offset, Head::Offset> placed_;
  std::vector<std::byte> bytes_;
};

// `keys` in the order of their Files.
std::vector<std::uint32_t> slots_of(std::span<const Key> keys) {
  std::vector<std::uint32_t> slots(std::bit_ceil(2 * keys.size() + 1));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::size_t slot = hash_of(keys[i]) & (slots.size() - 1);
    while (slots[slot] != 0) slot = (slot + 1) & (slots.size() - 1);
    slots[slot] = static_cast<std::uint32_t>(i + 1);
  }
  return slots;
}

// Sorted keys: nothing is there twice, and none lies below another.
void check_collisions(std::span<const Key> keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0 && keys[i] == keys[i - 1]) refuse(keys[i], "two files have this key");
    for (std::size_t end = keys[i].find('/'); end != Key::npos; end = keys[i].find('/', end + 1)) {
      Key above = keys[i].substr(0, end);
      if (std::ranges::binary_search(keys, above)) {
        refuse(above, "a file has this key, and another's lies below it");
      }
    }
  }
}

}  // namespace

void Writer::add(Key key, std::int64_t modified_s, std::span<const WrittenForm> forms) {
  if (key.empty() || !is_normal(key)) refuse(key, "not a normal key");
  Added added;
  added.key = key;
  added.modified_s = modified_s;
  for (const WrittenForm& form : forms) {
    std::size_t at = index_of(form.encoding);
    if (at >= encoding_count) refuse(key, "an unknown encoding");
    if ((added.encodings >> at) & 1U) refuse(key, "an encoding is given twice");
    if (form.content_offset % content_alignment != 0) refuse(key, "an offset is not aligned");
    added.encodings = static_cast<std::uint8_t>(added.encodings | (1U << at));
    const Head head = sets_.add(form.head);
    added.forms[at] = {form.content_offset, form.size_bytes, form.digest,
                       head.validators,     head.type,       head.middle,
                       head.length,         head.fields,     0};
  }
  if ((added.encodings & 1U) == 0) refuse(key, "no identity form is given");
  files_.push_back(std::move(added));
}

std::vector<std::byte> Writer::index(std::uint64_t content_bytes,
                                     const std::array<char, 64>& site_digest) const {
  if (files_.size() >= std::size_t{1} << 31U) throw std::length_error("more than 2^31 files");
  std::vector<const Added*> order;
  for (const Added& added : files_) order.push_back(&added);
  std::ranges::sort(order, {}, [](const Added* added) { return Key(added->key); });
  std::vector<Key> keys;
  for (const Added* added : order) keys.emplace_back(added->key);
  check_collisions(keys);

  Text text;
  PlacedSets sets(sets_);
  std::vector<File> files;
  std::vector<FormRecord> forms;
  for (const Added* added : order) {
    files.push_back({text.add(added->key),
                     static_cast<std::uint32_t>(added->key.size()),
                     added->modified_s,
                     static_cast<std::uint32_t>(forms.size()),
                     added->encodings,
                     {}});
    for (std::size_t at = 0; at < encoding_count; ++at) {
      if (((added->encodings >> at) & 1U) == 0) continue;
      FormRecord form = added->forms[at];
      if (form.content_offset > content_bytes ||
          form.size_bytes > content_bytes - form.content_offset) {
        refuse(added->key, "a form ends beyond the content");
      }
      for (Head::Offset* set :
           {&form.validators, &form.type, &form.middle, &form.length, &form.fields}) {
        *set = sets.place(*set);
      }
      forms.push_back(form);
    }
  }
  std::vector<std::uint32_t> slots = slots_of(keys);

  Header header{magic,
                static_cast<std::uint32_t>(files.size()),
                static_cast<std::uint32_t>(forms.size()),
                static_cast<std::uint32_t>(slots.size()),
                0,
                sets.bytes().size(),
                text.bytes().size(),
                content_bytes,
                site_digest};
  std::vector<std::byte> out;
  out.reserve(sizeof header + files.size() * sizeof(File) + forms.size() * sizeof(FormRecord) +
              slots.size() * sizeof(std::uint32_t) + sets.bytes().size() + text.bytes().size());
  append(out, std::span<const Header>(&header, 1));
  append(out, std::span<const File>(files));
  append(out, std::span<const FormRecord>(forms));
  append(out, std::span<const std::uint32_t>(slots));
  append(out, sets.bytes());
  append(out, std::span<const char>(text.bytes()));
  return out;
}

}  // namespace kv::crunched
