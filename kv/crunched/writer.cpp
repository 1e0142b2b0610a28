// SPDX-License-Identifier: ISC
#include "kv/crunched/writer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "base/bytes.hpp"
#include "kv/key.hpp"

namespace kv::crunched {

static_assert(std::endian::native == std::endian::little,
              "the index is written as it is in memory");

namespace {

[[noreturn]] void refuse(Key key, const char* why) {
  throw std::invalid_argument("\"" + std::string(key) + "\": " + why);
}

// Gathers small records into pieces of a size that is worth a call.
class Pieces {
 public:
  explicit Pieces(const Writer::Sink& sink) : sink_(sink) { piece_.reserve(piece_bytes); }

  template <class T>
  void add(const T& record) {
    add(std::as_bytes(std::span(&record, 1)));
  }
  void add(std::span<const std::byte> bytes) {
    if (bytes.size() > piece_bytes - piece_.size()) flush();
    if (bytes.size() >= piece_bytes) return sink_(bytes);
    piece_.insert(piece_.end(), bytes.begin(), bytes.end());
  }
  void flush() {
    if (!piece_.empty()) sink_(piece_);
    piece_.clear();
  }

 private:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 16U;
  const Writer::Sink& sink_;
  std::vector<std::byte> piece_;
};

// Sets of fields in the order in which files name them, where that is not that of adding.
class PlacedSets {
 public:
  explicit PlacedSets(const FieldPool& from) : from_(from) { place(0); }

  void place(Head::Offset set) {
    auto [at, is_new] = placed_.try_emplace(set, static_cast<Head::Offset>(bytes_.size()));
    if (!is_new) return;
    const base::Bytes bytes = from_.set_at(set);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] Head::Offset at(Head::Offset set) const { return placed_.at(set); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  const FieldPool& from_;
  std::unordered_map<Head::Offset, Head::Offset> placed_;
  std::vector<std::byte> bytes_;
};

std::array<Head::Offset*, 5> sets_of(FormRecord& form) {
  return {&form.validators, &form.type, &form.middle, &form.length, &form.fields};
}

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
  is_in_order_ = is_in_order_ && (files_.empty() || Key(files_.back().key) < key);
  for (const WrittenForm& form : forms) {
    std::size_t at = index_of(form.encoding);
    if (at >= encoding_count) refuse(key, "an unknown encoding");
    is_in_order_ = is_in_order_ && (added.encodings >> at) == 0;
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

std::vector<const Writer::Added*> Writer::sorted() const {
  std::vector<const Added*> order;
  order.reserve(files_.size());
  for (const Added& added : files_) order.push_back(&added);
  if (!is_in_order_) {
    std::ranges::sort(order, {}, [](const Added* added) { return Key(added->key); });
  }
  return order;
}

void Writer::write(std::uint64_t content_bytes, const std::array<char, 64>& site_digest,
                   const Sink& sink) const {
  if (files_.size() >= std::size_t{1} << 31U) throw std::length_error("more than 2^31 files");
  const std::vector<const Added*> order = sorted();
  std::vector<Key> keys(order.size());
  std::ranges::transform(order, keys.begin(), [](const Added* added) { return Key(added->key); });
  check_collisions(keys);
  const std::vector<std::uint32_t> slots = slots_of(keys);

  std::optional<PlacedSets> moved;  // where the order of adding will not do
  if (!is_in_order_) moved.emplace(sets_);
  std::uint64_t key_bytes = 0;
  std::size_t form_count = 0;
  for (const Added* added : order) {
    key_bytes += added->key.size();
    for_each_form(*added, [&](FormRecord form) {
      if (form.content_offset > content_bytes ||
          form.size_bytes > content_bytes - form.content_offset) {
        refuse(added->key, "a form ends beyond the content");
      }
      ++form_count;
      if (!moved) return;
      for (const Head::Offset* set : sets_of(form)) moved->place(*set);
    });
  }
  if (key_bytes > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("keys take more than 4 GiB");
  }
  const std::span<const std::byte> sets = moved ? moved->bytes() : sets_.bytes();

  Pieces out(sink);
  out.add(Header{magic, static_cast<std::uint32_t>(files_.size()),
                 static_cast<std::uint32_t>(form_count), static_cast<std::uint32_t>(slots.size()),
                 0, sets.size(), key_bytes, content_bytes, site_digest});
  std::uint32_t key_at = 0, form_at = 0;
  for (const Added* added : order) {
    const auto size = static_cast<std::uint32_t>(added->key.size());
    out.add(File{key_at, size, added->modified_s, form_at, added->encodings, {}});
    key_at += size;
    form_at += static_cast<std::uint32_t>(std::popcount(added->encodings));
  }
  for (const Added* added : order) {
    for_each_form(*added, [&](FormRecord form) {
      if (moved) {
        for (Head::Offset* set : sets_of(form)) *set = moved->at(*set);
      }
      out.add(form);
    });
  }
  out.add(std::as_bytes(std::span(slots)));
  out.add(sets);
  for (const Key& key : keys) out.add(base::bytes_of(key));
  out.flush();
}

std::vector<std::byte> Writer::index(std::uint64_t content_bytes,
                                     const std::array<char, 64>& site_digest) const {
  std::vector<std::byte> out;
  write(content_bytes, site_digest, [&out](std::span<const std::byte> piece) {
    out.insert(out.end(), piece.begin(), piece.end());
  });
  return out;
}

}  // namespace kv::crunched
