// SPDX-License-Identifier: ISC
// kv/crunched/fault.cpp: fault_of: an index that came from outside of the image, looked at once.

#include <algorithm>
#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kv/crunched/index.hpp"
#include "kv/key.hpp"

namespace kv::crunched {

namespace {

constexpr unsigned all_encodings = (1U << encoding_count) - 1;

// The parts, each in its bounds.
struct Parts {
  const Header* header = nullptr;
  std::span<const File> files;
  std::span<const FormRecord> forms;
  std::span<const std::uint32_t> slots;
  base::Bytes sets;
  std::string_view keys;

  // False: they are not this format, or not whole.
  bool take(base::Bytes index) {
    if (index.size() < sizeof(Header)) return false;
    header = reinterpret_cast<const Header*>(index.data());
    if (header->magic != magic) return false;
    rest_ = index.subspan(sizeof(Header));
    std::span<const char> key_bytes;
    if (!part(files, header->file_count) || !part(forms, header->form_count) ||
        !part(slots, header->slot_count) || !part(sets, header->field_bytes) ||
        !part(key_bytes, header->key_bytes)) {
      return false;
    }
    keys = {key_bytes.data(), key_bytes.size()};
    return rest_.empty() && std::has_single_bit(header->slot_count) &&
           header->slot_count > header->file_count && sets.size() >= sizeof(Fields::Start) &&
           sets.size() % 4 == 0;
  }

 private:
  template <class T>
  bool part(std::span<const T>& items, std::uint64_t count) {
    if (count > rest_.size() / sizeof(T)) return false;
    items = {reinterpret_cast<const T*>(rest_.data()), static_cast<std::size_t>(count)};
    rest_ = rest_.subspan(items.size_bytes());
    return true;
  }
  base::Bytes rest_;
};

bool is_field_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c != 0x7F) || c == '\t'; });
}
bool is_field_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != ':'; });
}

// Whether a set of fields begins at `offset` whose lines are its text.
bool is_set(base::Bytes sets, Head::Offset offset) {
  if (offset % 4 != 0 || offset > sets.size() - sizeof(Fields::Start)) return false;
  const base::Bytes set = sets.subspan(offset);
  const auto* const start = reinterpret_cast<const Fields::Start*>(set.data());
  const std::uint64_t room = set.size() - sizeof(Fields::Start);
  const std::uint64_t line_bytes = std::uint64_t{start->line_count} * sizeof(Fields::Line);
  if (line_bytes > room || start->text_bytes > room - line_bytes) return false;
  const auto* const lines = reinterpret_cast<const Fields::Line*>(start + 1);
  std::string_view text(reinterpret_cast<const char*>(lines + start->line_count),
                        start->text_bytes);
  for (const Fields::Line& line : std::span(lines, start->line_count)) {
    const std::size_t size = std::size_t{line.name_bytes} + line.value_bytes + 4;
    if (size > text.size()) return false;
    const std::string_view name = text.substr(0, line.name_bytes);
    const std::string_view value = text.substr(line.name_bytes + 2U, line.value_bytes);
    if (!is_field_name(name) || text.substr(line.name_bytes, 2) != ": " || !is_field_text(value) ||
        text.substr(size - 2, 2) != "\r\n") {
      return false;
    }
    text.remove_prefix(size);
  }
  return text.empty();
}

// Whether a set, which is_set, is the length of a value and nothing else: what is sent after it.
bool says_length(base::Bytes sets, Head::Offset offset, std::uint64_t size_bytes) {
  return Fields(sets.data() + offset).text() ==
         "Content-Length: " + std::to_string(size_bytes) + "\r\n";
}

class Inspector {
 public:
  Inspector(const Parts& parts, std::uint64_t content_bytes)
      : parts_(parts), content_bytes_(content_bytes) {}

  std::string_view fault() {
    if (!has_right_files()) return "its files are not in order";
    if (!has_right_slots()) return "a file cannot be found by its name";
    if (!has_right_forms()) return "a file lies beyond its end";
    if (!has_right_heads()) return "the fields of a file are damaged";
    return {};
  }

 private:
  [[nodiscard]] Key key_of(const File& file) const {
    return parts_.keys.substr(file.key_offset, file.key_bytes);
  }
  [[nodiscard]] bool has_right_files() const {
    for (std::size_t i = 0; i < parts_.files.size(); ++i) {
      const File& file = parts_.files[i];
      if (file.key_offset > parts_.keys.size() ||
          file.key_bytes > parts_.keys.size() - file.key_offset) {
        return false;
      }
      const Key key = key_of(file);
      if (key.empty() || !is_normal(key) || !is_utf8(key)) return false;
      if (i > 0 && key_of(parts_.files[i - 1]) >= key) return false;
      const auto form_count = static_cast<unsigned>(std::popcount(unsigned{file.encodings}));
      if ((file.encodings & 1U) == 0 || file.encodings > all_encodings ||
          file.first_form > parts_.forms.size() ||
          form_count > parts_.forms.size() - file.first_form) {
        return false;
      }
    }
    return std::ranges::none_of(parts_.files,
                                [this](const File& file) { return lies_in_file(key_of(file)); });
  }
  // Once the files are known to be sorted.
  [[nodiscard]] bool lies_in_file(Key key) const {
    for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
      const auto by_key = [this](const File& file) { return key_of(file); };
      if (std::ranges::binary_search(parts_.files, key.substr(0, end), {}, by_key)) return true;
    }
    return false;
  }
  // Each file is found where its search begins or after it, and a search for nothing ends.
  [[nodiscard]] bool has_right_slots() const {
    const std::size_t mask = parts_.slots.size() - 1;
    std::vector<bool> is_found(parts_.files.size());
    for (const std::uint32_t number : parts_.slots) {
      if (number > parts_.files.size()) return false;
      if (number == 0) continue;
      if (is_found[number - 1]) return false;
      is_found[number - 1] = true;
    }
    // Each file once at most, and there are more slots than files: one is empty.
    if (std::ranges::find(is_found, false) != is_found.end()) return false;
    return are_reached(mask);
  }
  // From the start of a search to its file no slot is empty: by runs, so that a table whose
  // searches are all long costs no more.
  [[nodiscard]] bool are_reached(std::size_t mask) const {
    const std::size_t count = parts_.slots.size();
    const auto empty =
        static_cast<std::size_t>(std::ranges::find(parts_.slots, 0U) - parts_.slots.begin());
    std::size_t run_begin = 0;  // distance from `empty` to the first slot after the last empty one
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t number = parts_.slots[(empty + i) & mask];
      if (number == 0) {
        run_begin = i + 1;
        continue;
      }
      const std::size_t from =
          (static_cast<std::size_t>(hash_of(key_of(parts_.files[number - 1]))) - empty) & mask;
      if (from < run_begin || from > i) return false;
    }
    return true;
  }
  [[nodiscard]] bool has_right_forms() const {
    return std::ranges::all_of(parts_.forms, [this](const FormRecord& form) {
      return form.content_offset <= content_bytes_ &&
             form.size_bytes <= content_bytes_ - form.content_offset;
    });
  }
  [[nodiscard]] bool has_right_heads() const {
    std::vector<Head::Offset> offsets;
    for (const FormRecord& form : parts_.forms) {
      for (const Head::Offset offset :
           {form.validators, form.type, form.middle, form.length, form.fields}) {
        offsets.push_back(offset);
      }
    }
    std::ranges::sort(offsets);
    const auto repeated = std::ranges::unique(offsets);
    offsets.erase(repeated.begin(), repeated.end());
    const auto is_right = [this](Head::Offset offset) { return is_set(parts_.sets, offset); };
    return std::ranges::all_of(offsets, is_right) &&
           std::ranges::all_of(parts_.forms, [this](const FormRecord& form) {
             return says_length(parts_.sets, form.length, form.size_bytes);
           });
  }

  const Parts& parts_;
  std::uint64_t content_bytes_;
};

}  // namespace

std::string_view fault_of(base::Bytes index, std::uint64_t content_bytes) {
  Parts parts;
  if (!parts.take(index)) return "it is of another crunch, or not whole";
  if (parts.header->content_bytes != content_bytes) return "it is of another archive";
  return Inspector(parts, content_bytes).fault();
}

}  // namespace kv::crunched
