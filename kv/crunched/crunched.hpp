// SPDX-License-Identifier: ISC
// kv/crunched/crunched.hpp: the store over what `crunch embed` wrote.
//
// Models:  kv::KvRo.   Owns: nothing; every byte is in .rodata, so values last and nothing is
//          copied.
// Cost:    that of kv/crunched/index.hpp. Only `list` allocates; nothing waits.

#pragma once

#include <limits>

#include "kv/crunched/index.hpp"
#include "kv/kv.hpp"

namespace kv {

class Crunched : public crunched::Index {
 public:
  using Value = Bytes;
  static constexpr bool values_last = true;
  static constexpr std::uint64_t piece_bytes_max = std::numeric_limits<std::uint64_t>::max();

  // `site`'s bytes must outlive the store; CHECKs that they are this format and whole.
  explicit Crunched(const crunched::Site& site);

  [[nodiscard]] base::Ready<Result<Value>> get(Key key, Encoding encoding) const;
  [[nodiscard]] base::Ready<Result<Value>> get_partial(Key key, Encoding encoding,
                                                       std::uint64_t offset,
                                                       std::uint64_t length) const;

 private:
  [[nodiscard]] Result<Bytes> form_bytes(Key key, Encoding encoding) const noexcept;

  const std::byte* content_ = nullptr;
};

static_assert(KvRo<Crunched>);

}  // namespace kv
