// SPDX-License-Identifier: ISC
#include "kv/memory/memory.hpp"

#include "base/check.hpp"
#include "kv/digest.hpp"
#include "kv/flat.hpp"
#include "kv/key.hpp"

namespace kv {

namespace {

Form form_of(Bytes bytes) { return {bytes.size(), digest_of(bytes), {}}; }

std::shared_ptr<const std::string> copy_of(Bytes bytes) {
  return std::make_shared<const std::string>(base::text_of(bytes));
}

}  // namespace

void Memory::put(Key key, Bytes bytes, std::int64_t modified_s) {
  CHECK(!key.empty() && is_normal(key));
  CHECK(!is_dictionary(key));
  for (std::size_t end = key.find('/'); end != Key::npos; end = key.find('/', end + 1)) {
    CHECK(!values_.contains(key.substr(0, end)));
  }
  remove(key);
  Held& held = values_[std::string(key)];
  held.stat.modified_s = modified_s;
  held.stat.set(Encoding::identity, form_of(bytes));
  held.bytes[index_of(Encoding::identity)] = copy_of(bytes);
}

void Memory::put_form(Key key, Encoding encoding, Bytes bytes) {
  auto at = values_.find(key);
  CHECK(at != values_.end());
  at->second.stat.set(encoding, form_of(bytes));
  at->second.bytes[index_of(encoding)] = copy_of(bytes);
}

void Memory::put_head(Key key, Encoding encoding, const HeadFields& fields) {
  auto at = values_.find(key);
  CHECK(at != values_.end() && at->second.stat.has(encoding));
  auto& held = at->second.heads[index_of(encoding)];
  if (held != nullptr) old_heads_.push_back(std::move(held));
  held = std::make_shared<const StoredHead>(fields);
  at->second.stat.forms[index_of(encoding)].head = held->head();
}

bool Memory::remove(Key key) {
  auto at = values_.find(key);
  if (at == values_.end()) return false;
  for (auto& head : at->second.heads) {
    if (head != nullptr) old_heads_.push_back(std::move(head));
  }
  values_.erase(at);
  return true;
}

bool Memory::is_dictionary(Key key) const { return kind_in(values_, key) == Kind::dictionary; }

Result<const Memory::Held*> Memory::find(Key key) const {
  auto at = values_.find(key);
  if (at != values_.end()) return &at->second;
  return base::failure(is_dictionary(key) ? Error::value_expected : Error::not_found);
}

base::Ready<Result<Kind>> Memory::exists(Key key) const {
  key = without_slash(key);
  if (values_.contains(key)) return {Kind::value};
  if (is_dictionary(key)) return {Kind::dictionary};
  return {base::failure(Error::not_found)};
}

base::Ready<Result<Stat>> Memory::stat(Key key) const {
  Result<const Held*> held = find(without_slash(key));
  if (!held) return {base::failure(held.error())};
  return {(*held)->stat};
}

base::Ready<Result<Memory::Value>> Memory::get(Key key, Encoding encoding) const {
  return get_partial(key, encoding, 0, std::numeric_limits<std::uint64_t>::max());
}

base::Ready<Result<Memory::Value>> Memory::get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset,
                                                       std::uint64_t length) const {
  Result<const Held*> held = find(without_slash(key));
  if (!held) return {base::failure(held.error())};
  const auto& whole = (*held)->bytes[index_of(encoding)];
  if (whole == nullptr) return {base::failure(Error::not_found)};
  return {Value(whole, part_of(base::bytes_of(*whole), offset, length))};
}

base::Ready<Result<std::vector<Entry>>> Memory::list(Key key) const {
  return {entries_in(values_, without_slash(key))};
}

}  // namespace kv
