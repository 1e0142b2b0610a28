// SPDX-License-Identifier: ISC
#include "kv/crunched/index.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "kv/key.hpp"

namespace kv::crunched {

static_assert(std::endian::native == std::endian::little, "the index is read in place");

Index::Index(base::Bytes index) {
  const std::byte* at = index.data();
  std::uint64_t left = index.size();
  CHECK(left >= sizeof(Header));
  CHECK(reinterpret_cast<std::uintptr_t>(at) % index_alignment == 0);
  // Reads `count` items of a part and steps over them.
  auto part = [&at, &left]<class T>(const T*& items, std::uint64_t count) {
    CHECK(count <= left / sizeof(T));
    items = reinterpret_cast<const T*>(at);
    at += count * sizeof(T);
    left -= count * sizeof(T);
  };
  part(header_, 1);
  CHECK(header_->magic == magic);
  part(files_, header_->file_count);
  part(forms_, header_->form_count);
  part(slots_, header_->slot_count);
  part(sets_, header_->field_bytes);
  part(keys_, header_->key_bytes);
  CHECK(left == 0);
  CHECK(std::has_single_bit(header_->slot_count));
  CHECK(header_->slot_count > header_->file_count);  // so that every search ends
  CHECK(header_->field_bytes >= sizeof(Fields::Start));
}

const File* Index::find(Key key) const noexcept {
  const std::uint32_t mask = header_->slot_count - 1;
  for (auto slot = static_cast<std::uint32_t>(hash_of(key)) & mask;; slot = (slot + 1) & mask) {
    std::uint32_t number = slots_[slot];
    if (number == 0) return nullptr;
    const File& file = files_[number - 1];
    if (key_of(file) == key) return &file;
  }
}

const FormRecord* Index::find_form(const File& file, Encoding encoding) const noexcept {
  const unsigned bit = 1U << index_of(encoding);
  if ((file.encodings & bit) == 0) return nullptr;
  // std::popcount would be a call on a processor that need not have the instruction.
  unsigned before = 0;
  for (unsigned left = file.encodings & (bit - 1); left != 0; left &= left - 1) ++before;
  return forms_ + file.first_form + before;
}

// The first file whose key is not less than `directory` + '/'; '/' has '-' and '.' below it, so
// "a-b" stands between "a" and "a/b". Characters compare unsigned, as string_view orders them.
const File* Index::first_below(Key directory) const noexcept {
  auto is_less = [this, directory](const File& file) {
    Key key = key_of(file);
    int order = key.compare(0, directory.size(), directory);
    if (order != 0) return order < 0;
    return key.size() == directory.size() ||
           static_cast<unsigned char>(key[directory.size()]) < '/';
  };
  return std::partition_point(files_, files_ + header_->file_count, is_less);
}

// A key is a dictionary exactly when another starts with it and '/'. Keys in the table are normal,
// so no other string passes.
bool Index::is_dictionary(Key key) const noexcept {
  if (key.empty()) return true;
  const File* first = first_below(key);
  if (first == files_ + header_->file_count) return false;
  Key found = key_of(*first);
  return found.size() > key.size() && found[key.size()] == '/' && found.starts_with(key);
}

Error Index::absence(Key key) const noexcept {
  return is_dictionary(key) ? Error::value_expected : Error::not_found;
}

base::Ready<Result<Kind>> Index::exists(Key key) const {
  key = without_slash(key);
  if (find(key) != nullptr) return {Kind::value};
  if (is_dictionary(key)) return {Kind::dictionary};
  return {base::failure(Error::not_found)};
}

base::Ready<Result<Stat>> Index::stat(Key key) const {
  key = without_slash(key);
  const File* file = find(key);
  base::Ready<Result<Stat>> ready;  // the one object that is returned, so that no copy is made
  if (file == nullptr) {
    ready.value = base::failure(absence(key));
    return ready;
  }
  Stat& stat = *ready.value;
  stat.modified_s = file->modified_s;
  stat.encodings = file->encodings;
  const FormRecord* record = forms_ + file->first_form;
  for (unsigned left = file->encodings; left != 0; left &= left - 1, ++record) {
    Form& form = stat.forms[static_cast<std::size_t>(std::countr_zero(left))];
    form.size_bytes = record->size_bytes;
    form.digest = record->digest;
    form.head = {sets_,          record->validators, record->type,
                 record->middle, record->length,     record->fields};
  }
  return ready;
}

Result<const FormRecord*> Index::form(Key key, Encoding encoding) const noexcept {
  const File* file = find(key);
  if (file == nullptr) return base::failure(absence(key));
  const FormRecord* form = find_form(*file, encoding);
  if (form == nullptr) return base::failure(Error::not_found);
  return form;
}

base::Ready<Result<std::vector<Entry>>> Index::list(Key key) const {
  key = without_slash(key);
  if (find(key) != nullptr) return {base::failure(Error::dictionary_expected)};
  if (!is_dictionary(key)) return {base::failure(Error::not_found)};
  const std::size_t prefix_bytes = key.empty() ? 0 : key.size() + 1;
  std::vector<Entry> entries;
  const File* const end = files_ + header_->file_count;
  for (const File* at = key.empty() ? files_ : first_below(key); at != end;) {
    Key found = key_of(*at);
    if (!key.empty() && !(found.starts_with(key) && found.substr(key.size()).starts_with('/'))) {
      break;
    }
    std::size_t name_end = found.find('/', prefix_bytes);
    Key name = found.substr(prefix_bytes, name_end - prefix_bytes);
    if (name_end == Key::npos) {
      entries.push_back({std::string(name), Kind::value});
      ++at;
    } else {
      entries.push_back({std::string(name), Kind::dictionary});
      Key child = found.substr(0, name_end);
      at = std::partition_point(at, end, [this, child](const File& file) {
        Key below = key_of(file);
        return below.starts_with(child) && below.substr(child.size()).starts_with('/');
      });
    }
  }
  // The table's order is by whole keys: "a-b" comes before "a/b", but "a" before "a-b".
  std::ranges::sort(entries, {}, &Entry::name);
  return {std::move(entries)};
}

}  // namespace kv::crunched
