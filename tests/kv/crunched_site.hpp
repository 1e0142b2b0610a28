// SPDX-License-Identifier: ISC
// tests/kv/crunched_site.hpp: an embedded site made in memory, as `crunch embed` would write it.

#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "kv/crunched/crunched.hpp"
#include "kv/crunched/writer.hpp"
#include "kv/digest.hpp"

namespace kv {

// A head that can be told from others.
inline HeadFields head_with(std::string type) {
  return {.validators = {},
          .type = {{"Content-Type", std::move(type)}},
          .middle = {},
          .length = {},
          .fields = {}};
}

class CrunchedSite {
 public:
  // Places the representations of one file; a head without fields is allowed.
  struct GivenForm {
    Encoding encoding;
    std::string bytes;
    HeadFields head;
  };
  void add(Key key, std::int64_t modified_s, const std::vector<GivenForm>& given) {
    std::vector<crunched::WrittenForm> forms;
    for (const GivenForm& form : given) {
      Bytes bytes = base::bytes_of(form.bytes);
      forms.push_back({form.encoding, bytes.size(), digest_of(bytes), form.head, content_.size()});
      content_.insert(content_.end(), bytes.begin(), bytes.end());
      content_.resize((content_.size() + crunched::content_alignment - 1) /
                      crunched::content_alignment * crunched::content_alignment);
    }
    writer_.add(key, modified_s, forms);
  }
  // The site as generated C++ would define it; what it borrows lives as long as this object.
  crunched::Site site() {
    std::array<char, 64> digest;
    digest.fill('d');
    std::vector<std::byte> index = writer_.index(content_.size(), digest);
    // Aligned, as the generated C++ aligns it.
    index_.assign((index.size() + 7) / 8, 0);
    std::memcpy(index_.data(), index.data(), index.size());
    return {"site", std::as_bytes(std::span(index_)).first(index.size()), content_};
  }
  crunched::Writer& writer() { return writer_; }

 private:
  crunched::Writer writer_;
  std::vector<std::byte> content_;
  std::vector<std::uint64_t> index_;
};

}  // namespace kv
