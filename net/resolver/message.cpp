// SPDX-License-Identifier: ISC
#include "net/resolver/message.hpp"

#include <algorithm>

namespace net::resolver {

namespace {

constexpr std::size_t header_bytes = 12;
constexpr unsigned class_internet = 1;
constexpr unsigned type_ns = 2;
constexpr unsigned type_cname = 5;
constexpr unsigned type_soa = 6;

unsigned byte_at(base::Bytes bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }
unsigned word_at(base::Bytes bytes, std::size_t at) {
  return byte_at(bytes, at) << 8U | byte_at(bytes, at + 1);
}
std::uint32_t long_at(base::Bytes bytes, std::size_t at) {
  return word_at(bytes, at) << 16U | word_at(bytes, at + 2);
}

unsigned char small(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + 32) : c;
}

struct Record {
  Name owner;
  unsigned type = 0;
  unsigned klass = 0;
  std::uint32_t lifetime_s = 0;
  std::size_t data_at = 0;
  std::size_t data_bytes = 0;
};

// The record at `at`, which is moved behind it. Nothing: it is malformed.
std::optional<Record> read_record(base::Bytes message, std::size_t& at) {
  const std::optional<Name> owner = Name::read(message, at);
  constexpr std::size_t fixed_bytes = 10;
  if (!owner || message.size() - at < fixed_bytes) return std::nullopt;
  Record record{
      *owner,           word_at(message, at),    word_at(message, at + 2), long_at(message, at + 4),
      at + fixed_bytes, word_at(message, at + 8)};
  // RFC 2181 section 8: with the highest bit set it is 0.
  if (record.lifetime_s > 0x7fffffff) record.lifetime_s = 0;
  if (record.data_bytes > message.size() - record.data_at) return std::nullopt;
  at = record.data_at + record.data_bytes;
  return record;
}

// A name that is all of a record's data.
std::optional<Name> name_in(base::Bytes message, const Record& record) {
  std::size_t at = record.data_at;
  const std::optional<Name> name = Name::read(message, at);
  if (!name || at != record.data_at + record.data_bytes) return std::nullopt;
  return name;
}

std::optional<Endpoint> address_in(base::Bytes message, const Record& record) {
  const base::Bytes data = message.subspan(record.data_at, record.data_bytes);
  Endpoint address;
  if (record.type == static_cast<unsigned>(Type::a)) {
    if (data.size() != 4) return std::nullopt;
    address = ipv4(0, 0, 0, 0, 0);
  } else if (data.size() != 16) {
    return std::nullopt;
  }
  std::ranges::transform(data, address.address.end() - static_cast<std::ptrdiff_t>(data.size()),
                         [](std::byte each) { return std::to_integer<std::uint8_t>(each); });
  return address;
}

// The records of a message, of which the question is behind us.
class Reader {
 public:
  Reader(base::Bytes message, const Question& question, std::size_t at)
      : message_(message), question_(question), answers_at_(at), current_(question.name) {}

  Reply read(unsigned response_code) {
    if (!skip_answers()) return failed();
    for (std::size_t i = 0;; ++i) {
      // What follows an alias is looked for from the start: a server may give them in any order.
      const Step step = walk();
      if (step == Step::malformed || i > aliases_max) return failed();
      if (step == Step::addresses) return finish(Reply::Kind::addresses);
      if (step == Step::nothing) break;
    }
    constexpr unsigned no_such_name = 3;
    if (response_code == no_such_name) return negative(Reply::Kind::no_such_name);
    if (current_ == question_.name) return negative(Reply::Kind::no_address);
    reply_.alias = current_;
    // It ends here if the server says so; else it has to be asked.
    const std::uint32_t of_aliases_s = lifetime_s_;
    const Reply ends = negative(Reply::Kind::no_address);
    if (ends.kind == Reply::Kind::no_address && ends.lifetime_s > 0) return ends;
    lifetime_s_ = of_aliases_s;
    return finish(Reply::Kind::alias);
  }

 private:
  enum class Step : std::uint8_t { addresses, alias, nothing, malformed };

  static Reply failed() {
    Reply reply;
    reply.kind = Reply::Kind::failed;
    return reply;
  }
  Reply finish(Reply::Kind kind) {
    reply_.kind = kind;
    reply_.lifetime_s = lifetime_s_;
    return reply_;
  }
  void keep_at_most(std::uint32_t seconds) { lifetime_s_ = std::min(lifetime_s_, seconds); }

  // False: malformed, or more than we read.
  bool skip_answers() {
    const unsigned count = word_at(message_, 6);
    if (count > records_max) return false;
    std::size_t at = answers_at_;
    for (unsigned i = 0; i < count; ++i) {
      if (!read_record(message_, at)) return false;
    }
    authority_at_ = at;
    return true;
  }

  // What the answer section says of `current_`.
  Step walk() {
    std::size_t at = answers_at_;
    std::optional<Name> alias;
    for (unsigned left = word_at(message_, 6); left > 0; --left) {
      const std::optional<Record> record = read_record(message_, at);
      if (!record) return Step::malformed;
      if (record->klass != class_internet || record->owner != current_) continue;
      if (record->type == type_cname) {
        alias = name_in(message_, *record);
        if (!alias) return Step::malformed;
        keep_at_most(record->lifetime_s);
      } else if (record->type == static_cast<unsigned>(question_.type)) {
        const std::optional<Endpoint> address = address_in(message_, *record);
        if (!address) return Step::malformed;
        if (reply_.count < addresses_max) reply_.addresses.at(reply_.count++) = *address;
        keep_at_most(record->lifetime_s);
      }
    }
    if (reply_.count > 0) return Step::addresses;
    if (!alias) return Step::nothing;
    current_ = *alias;
    return Step::alias;
  }

  // RFC 2308 section 5: kept for as long as the SOA of the zone says; without one, not at all. One
  // with a delegation in its place is no answer (section 2.2).
  Reply negative(Reply::Kind kind) {
    std::size_t at = authority_at_;
    const unsigned count = word_at(message_, 8);
    bool is_referral = false;
    for (unsigned i = 0; i < std::min<unsigned>(count, records_max); ++i) {
      const std::optional<Record> record = read_record(message_, at);
      if (!record) return failed();
      is_referral = is_referral || record->type == type_ns;
      if (record->type != type_soa || record->klass != class_internet) continue;
      if (!current_.is_within(record->owner) || record->data_bytes < 22) continue;
      const std::size_t minimum_at = record->data_at + record->data_bytes - 4;
      keep_at_most(record->lifetime_s);
      keep_at_most(long_at(message_, minimum_at));
      return finish(kind);
    }
    if (is_referral && kind == Reply::Kind::no_address) return failed();
    lifetime_s_ = 0;
    return finish(kind);
  }

  base::Bytes message_;
  const Question& question_;
  std::size_t answers_at_;
  std::size_t authority_at_ = 0;
  Name current_;
  std::uint32_t lifetime_s_ = 0x7fffffff;
  Reply reply_;
};

}  // namespace

bool Name::append(std::span<const unsigned char> label) noexcept {
  constexpr std::size_t label_bytes_max = 63;
  // The root's byte has its place already.
  if (label.size() > label_bytes_max || size_ + label.size() + 1 > bytes_max - 1) return false;
  bytes_.at(size_++) = static_cast<unsigned char>(label.size());
  for (const unsigned char c : label) bytes_.at(size_++) = small(c);
  return true;
}

std::optional<Name> Name::from_text(std::string_view text) noexcept {
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto is_good = [](unsigned char c) {
    return (small(c) >= 'a' && small(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  Name name;
  for (bool is_last = false; !is_last;) {
    const std::size_t dot = text.find('.');
    is_last = dot == std::string_view::npos;
    const std::string_view label = text.substr(0, dot);
    const std::span bytes(reinterpret_cast<const unsigned char*>(label.data()), label.size());
    if (label.empty() || !std::ranges::all_of(bytes, is_good) || !name.append(bytes)) {
      return std::nullopt;
    }
    if (!is_last) text.remove_prefix(dot + 1);
  }
  name.bytes_.at(name.size_++) = 0;
  return name;
}

std::optional<Name> Name::read(base::Bytes message, std::size_t& at) noexcept {
  constexpr unsigned pointer = 0xc0;
  Name name;
  std::size_t from = at;
  std::size_t earliest = at;  // of what was read
  bool has_jumped = false;
  for (;;) {
    if (from >= message.size()) return std::nullopt;
    const unsigned length = byte_at(message, from);
    if ((length & pointer) == pointer) {
      if (message.size() - from < 2) return std::nullopt;
      const std::size_t to = word_at(message, from) & 0x3fffU;
      if (!has_jumped) at = from + 2;
      has_jumped = true;
      if (to >= earliest) return std::nullopt;
      from = earliest = to;
      continue;
    }
    if ((length & pointer) != 0 || length > message.size() - from - 1) return std::nullopt;
    if (length == 0) break;
    const auto* label = reinterpret_cast<const unsigned char*>(message.data()) + from + 1;
    if (!name.append({label, length})) return std::nullopt;
    from += 1 + length;
  }
  if (!has_jumped) at = from + 1;
  name.bytes_.at(name.size_++) = 0;
  return name;
}

bool Name::is_within(const Name& zone) const noexcept {
  for (std::size_t at = 0; at < size_; at += 1 + bytes_.at(at)) {
    if (base::text_of(bytes().subspan(at)) == base::text_of(zone.bytes())) return true;
    if (bytes_.at(at) == 0) return false;
  }
  return false;
}

base::Bytes encode(const Question& question,
                   std::span<std::byte, question_bytes_max> out) noexcept {
  std::size_t size = 0;
  const auto put_word = [&](unsigned word) {
    out[size++] = static_cast<std::byte>(word >> 8U);
    out[size++] = static_cast<std::byte>(word);
  };
  constexpr unsigned recursion_desired = 0x0100;
  for (const unsigned word : {unsigned{question.id}, recursion_desired, 1U, 0U, 0U, 0U}) {
    put_word(word);
  }
  for (const std::byte each : question.name.bytes()) out[size++] = each;
  put_word(static_cast<unsigned>(question.type));
  put_word(class_internet);
  return base::Bytes(out).first(size);
}

Reply parse(base::Bytes message, const Question& question) noexcept {
  constexpr unsigned is_response = 0x8000;
  constexpr unsigned operation = 0x7800;
  constexpr unsigned is_truncated = 0x0200;
  constexpr unsigned response_code = 0x000f;
  Reply reply;
  if (message.size() < header_bytes || word_at(message, 0) != question.id) return reply;
  const unsigned flags = word_at(message, 2);
  if ((flags & (is_response | operation)) != is_response) return reply;
  // The question has to be ours (RFC 5452 section 9.1). A server that cannot read it may leave it
  // out; then it says nothing else.
  if (word_at(message, 4) != 1) return reply;
  std::size_t at = header_bytes;
  const std::optional<Name> name = Name::read(message, at);
  if (!name || *name != question.name || message.size() - at < 4 ||
      word_at(message, at) != static_cast<unsigned>(question.type) ||
      word_at(message, at + 2) != class_internet) {
    return reply;
  }
  const unsigned code = flags & response_code;
  if (code != 0 && code != 3) {
    reply.kind = Reply::Kind::failed;
    return reply;
  }
  if ((flags & is_truncated) != 0) {
    reply.kind = Reply::Kind::truncated;
    return reply;
  }
  return Reader(message, question, at + 4).read(code);
}

}  // namespace net::resolver
