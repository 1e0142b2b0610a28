// SPDX-License-Identifier: ISC
#include "kv/tar/format.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "kv/key.hpp"

namespace kv::tar {

namespace {

constexpr std::uint64_t number_max = ~std::uint64_t{0} >> 1U;

std::uint64_t rounded_up(std::uint64_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

// A field's text, up to its first NUL.
std::string_view text_in(std::string_view field) { return field.substr(0, field.find('\0')); }

// Octal digits with spaces around, or GNU's base 256, whose first bit is set. None: neither.
std::optional<std::uint64_t> number_in(std::string_view field) {
  std::uint64_t value = 0;
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    // The bit itself is no digit; negative numbers (0xFF) are too large here.
    for (std::size_t i = 0; i < field.size(); ++i) {
      const unsigned byte = static_cast<unsigned char>(field[i]) & (i == 0 ? 0x7FU : 0xFFU);
      if (value > number_max >> 8U) return std::nullopt;
      value = value << 8U | byte;
    }
    return value;
  }
  field = text_in(field);
  while (field.starts_with(' ')) field.remove_prefix(1);
  while (field.ends_with(' ')) field.remove_suffix(1);
  for (const char c : field) {
    if (c < '0' || c > '7' || value > number_max >> 3U) return std::nullopt;
    value = value << 3U | static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<std::uint64_t> decimal_in(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (c < '0' || c > '9' || value > (number_max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

// A time of pax may have a fraction and a sign; before 1970 it is 1970.
std::optional<std::int64_t> time_in(std::string_view text) {
  if (text.starts_with('-')) return decimal_in(text.substr(1, text.find('.') - 1)) ? 0 : -1;
  const auto seconds = decimal_in(text.substr(0, text.find('.')));
  if (!seconds) return std::nullopt;
  return static_cast<std::int64_t>(*seconds);
}

// What a name is as a key: "./a/b/" is a/b. None: nothing that can be one.
std::optional<std::string> key_of(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  while (name.ends_with('/')) name.remove_suffix(1);
  if (name == ".") name = "";
  if (name.size() > name_bytes_max || !is_normal(name) || !is_utf8(name)) return std::nullopt;
  return std::string(name);
}

std::string printable(std::string_view name) {
  std::string out(name.substr(0, 100));
  std::ranges::replace_if(
      out, [](char c) { return c < 0x20 || c == 0x7F; }, '?');
  return out;
}

// Of what begins otherwise.
std::string why_no_archive(std::string_view begin) {
  constexpr std::string_view compressed[] = {"\x1F\x8B", "\x28\xB5\x2F\xFD",
                                             "\xFD"
                                             "7zXZ",
                                             "BZh"};
  for (const std::string_view magic : compressed) {
    if (begin.starts_with(magic)) return "is compressed: decompress it first";
  }
  return "is no tar archive";
}

}  // namespace

struct Scanner::Header {
  explicit Header(Bytes block) : all(base::text_of(block)) {}
  [[nodiscard]] std::string_view field(std::size_t at, std::size_t bytes) const {
    return all.substr(at, bytes);
  }
  // The sum of all bytes, with spaces for the checksum. Old tars added signed bytes.
  [[nodiscard]] bool has_right_checksum() const {
    const auto given = number_in(field(148, 8));
    std::uint64_t sum = 0;
    std::int64_t signed_sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const char c = i >= 148 && i < 156 ? ' ' : all[i];
      sum += static_cast<unsigned char>(c);
      signed_sum += static_cast<signed char>(c);
    }
    return given && (*given == sum || static_cast<std::int64_t>(*given) == signed_sum);
  }
  [[nodiscard]] std::string name() const {
    std::string out(text_in(field(0, 100)));
    // GNU's own format ("ustar  ") has other things in the place of the prefix.
    const bool is_posix = field(257, 6) == std::string_view("ustar\0", 6);
    const std::string_view prefix = is_posix ? text_in(field(345, 155)) : std::string_view();
    return prefix.empty() ? out : std::string(prefix) + '/' + out;
  }
  [[nodiscard]] char type() const { return all[156]; }
  [[nodiscard]] std::string_view link() const { return text_in(field(157, 100)); }

  std::string_view all;
};

base::Failure<std::string> Scanner::refuse(std::string_view name, std::string_view why) const {
  return base::failure("is refused: its member \"" + printable(name) + "\" " + std::string(why));
}

std::optional<Scanner::Wanted> Scanner::wanted() const {
  if (state_ == State::ended) return std::nullopt;
  if (state_ == State::header) return Wanted{offset_, block_bytes};
  return Wanted{offset_, extension_bytes_};
}

Scanner::Taken Scanner::take(Bytes bytes) {
  const State state = state_;
  CHECK(state != State::ended);
  Taken taken;
  if (state == State::header) {
    offset_ += block_bytes;
    taken = take_header(bytes);
  } else {
    offset_ += rounded_up(extension_bytes_);
    state_ = State::header;
    const std::string_view text = base::text_of(bytes);
    if (state == State::pax) {
      taken = take_pax(text);
    } else if (text_in(text).size() > name_bytes_max) {
      taken = refuse(text_in(text), "has a name of more than 4096 bytes");
    } else {
      extension_.name = std::string(text_in(text));
    }
  }
  // A header that is not whole is no header.
  if (taken && state_ == State::header &&
      size_bytes_ - std::min(offset_, size_bytes_) < block_bytes) {
    taken = Taken(base::failure(std::string("was cut short: its end mark is missing")));
  }
  if (!taken) state_ = State::ended;
  return taken;
}

Scanner::Taken Scanner::take_header(Bytes block) {
  const Header header(block);
  if (header.all.find_first_not_of('\0') == std::string_view::npos) {
    state_ = State::ended;
    return {};
  }
  if (!header.has_right_checksum()) {
    if (!has_members_) return base::failure(why_no_archive(header.all));
    return base::failure("is damaged: the header at byte " + std::to_string(offset_ - block_bytes) +
                         " has a wrong checksum");
  }
  has_members_ = true;
  switch (header.type()) {
    case 'x':
      return begin_extension(header, State::pax);
    case 'L':
      return begin_extension(header, State::long_name);
    case 'g':
    case 'K': {
      const auto size = number_in(header.field(124, 12));
      if (!size || *size > size_bytes_ - std::min(offset_, size_bytes_)) {
        return refuse(header.name(), "is longer than the archive");
      }
      offset_ += rounded_up(*size);
      return {};
    }
    default:
      return take_member(header);
  }
}

Scanner::Taken Scanner::begin_extension(const Header& header, State state) {
  const auto size = number_in(header.field(124, 12));
  if (!size || *size > extension_bytes_max) {
    return refuse(header.name(), "has more than 64 KiB of names and attributes");
  }
  if (*size > size_bytes_ - std::min(offset_, size_bytes_)) {
    return refuse(header.name(), "is longer than the archive");
  }
  if (*size == 0) return {};
  extension_bytes_ = static_cast<std::uint32_t>(*size);
  state_ = state;
  return {};
}

// "LENGTH KEY=VALUE\n", where the length counts all of it.
Scanner::Taken Scanner::take_pax(std::string_view records) {
  while (!records.empty() && records[0] != '\0') {
    const std::size_t space = records.find(' ');
    const auto length = decimal_in(records.substr(0, std::min(space, records.size())));
    if (space == std::string_view::npos || !length || *length > records.size() ||
        *length < space + 2 || records[*length - 1] != '\n') {
      return base::failure(std::string("is damaged: a pax header has a length that is none"));
    }
    const std::string_view record = records.substr(space + 1, *length - space - 2);
    records.remove_prefix(*length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) {
      return base::failure(std::string("is damaged: a pax header has a record without ="));
    }
    Taken taken = take_record(record.substr(0, equals), record.substr(equals + 1));
    if (!taken) return taken;
  }
  return {};
}

Scanner::Taken Scanner::take_record(std::string_view key, std::string_view value) {
  if (key == "path") {
    extension_.name = std::string(value);
  } else if (key == "size") {
    extension_.size_bytes = decimal_in(value);
    if (!extension_.size_bytes) return refuse(value, "has a size that is no number");
  } else if (key == "mtime") {
    extension_.modified_s = time_in(value);
    if (!extension_.modified_s || *extension_.modified_s < 0) {
      return refuse(value, "has a time that is no number");
    }
  } else if (key.starts_with("GNU.sparse.")) {
    return refuse(extension_.name.value_or(""), "is a sparse file; pack it without --sparse");
  }
  return {};
}

Scanner::Taken Scanner::take_member(const Header& header) {
  const Extension extension = std::exchange(extension_, {});
  const std::string name = extension.name.value_or(header.name());
  const auto header_size = number_in(header.field(124, 12));
  const auto header_time = number_in(header.field(136, 12));
  if (!header_size) return refuse(name, "has a size that is no number");
  Member member;
  member.offset = offset_;
  member.size_bytes = extension.size_bytes.value_or(*header_size);
  // A time before 1970 is written in base 256, as a number that is too large: it is 1970.
  member.modified_s =
      extension.modified_s.value_or(static_cast<std::int64_t>(header_time.value_or(0)));
  // The others' size is what they would have, or nothing.
  const char type = header.type();
  const bool is_file = type == '0' || type == '\0' || type == '7';
  const bool has_bytes = is_file || type == 'S' || (type >= 'A' && type <= 'Z' && type != 'D');
  if (has_bytes) {
    if (member.size_bytes > size_bytes_ - std::min(offset_, size_bytes_)) {
      return refuse(name, "is longer than the archive: it was cut short");
    }
    offset_ += rounded_up(member.size_bytes);
  }
  if (type == '2') return refuse(name, "is a symbolic link; pack with --dereference (tar -h)");
  if (type == 'S') return refuse(name, "is a sparse file; pack it without --sparse");
  const std::optional<std::string> key = key_of(name);
  if (!key) {
    return refuse(name,
                  "has a name that is no path below the top: it is absolute, has a \"..\" or "
                  "an empty part, is too long, or is not UTF-8");
  }
  // Before there was a type for them, directories were files whose name ends in a slash.
  if (is_file && !name.ends_with('/')) {
    if (key->empty()) return refuse(name, "has no name");
    return add_file(*key, member);
  }
  if (type == '1') return add_link(*key, header.link());
  return {};
}

Scanner::Taken Scanner::add_file(const std::string& key, const Member& member) {
  const auto below = members_.lower_bound(key + '/');
  if (below != members_.end() && below->first.starts_with(key + '/')) {
    return refuse(key, "is a file and a folder");
  }
  for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
    if (members_.contains(Key(key).substr(0, end))) return refuse(key, "lies in a file");
  }
  if (members_.size() == members_max) {
    return refuse(key, "is one too many: 200000 files can be served");
  }
  members_.insert_or_assign(key, member);
  return {};
}

Scanner::Taken Scanner::add_link(const std::string& key, std::string_view target) {
  const std::optional<std::string> target_key = key_of(target);
  const auto at = target_key ? members_.find(*target_key) : members_.end();
  if (at == members_.end()) return refuse(key, "is a link to what comes not before it");
  const Member member = at->second;
  return add_file(key, member);
}

}  // namespace kv::tar
