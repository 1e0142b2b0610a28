// SPDX-License-Identifier: ISC
#include "kv/crunched/crunched.hpp"

#include "base/check.hpp"
#include "kv/key.hpp"

namespace kv {

Crunched::Crunched(const crunched::Site& site) : Index(site.index), content_(site.content.data()) {
  CHECK(content_bytes() == site.content.size());
}

Result<Bytes> Crunched::form_bytes(Key key, Encoding encoding) const noexcept {
  const Result<const crunched::FormRecord*> form = this->form(key, encoding);
  if (!form) return base::failure(form.error());
  return Bytes(content_ + (*form)->content_offset, static_cast<std::size_t>((*form)->size_bytes));
}

base::Ready<Result<Bytes>> Crunched::get(Key key, Encoding encoding) const {
  return {form_bytes(without_slash(key), encoding)};
}

base::Ready<Result<Bytes>> Crunched::get_partial(Key key, Encoding encoding, std::uint64_t offset,
                                                 std::uint64_t length) const {
  Result<Bytes> whole = form_bytes(without_slash(key), encoding);
  if (whole) whole = part_of(*whole, offset, length);
  return {whole};
}

}  // namespace kv
