// SPDX-License-Identifier: ISC
#include "http/head.hpp"

#include <array>

#include "http/caching.hpp"
#include "http/date.hpp"
#include "http/mime.hpp"
#include "http/writer.hpp"

namespace http {

namespace {

using std::string_view;

class Keeper final : public FieldTaker {
 public:
  void take(HeadPart part, string_view name, string_view value) override {
    kv::OwnedFields* parts[] = {&fields.validators, &fields.type, &fields.middle, &fields.length};
    parts[static_cast<std::size_t>(part)]->emplace_back(name, value);
  }
  kv::HeadFields fields;
};

}  // namespace

void describe(const HeadOf& head, FieldTaker& taker) {
  std::array<char, kv::Digest{}.size() + 2> buffer;
  Writer writer(buffer);
  writer.text("\"");
  writer.text({head.digest.data(), head.digest.size()});
  writer.text("\"");
  taker.take(HeadPart::validators, etag_name, writer.written());
  taker.take(HeadPart::validators, "Cache-Control",
             head.caching.empty() ? cache_control(head.key) : head.caching);
  if (head.varies) taker.take(HeadPart::validators, "Vary", "Accept-Encoding");
  if (is_modification_time(head.modified_s)) {
    DateText date = date_text(head.modified_s);
    taker.take(HeadPart::validators, last_modified_name, {date.data(), date.size()});
  }
  taker.take(HeadPart::type, content_type_name,
             head.type.empty() ? media_type(head.key) : head.type);
  if (head.encoding != kv::Encoding::identity) {
    taker.take(HeadPart::middle, "Content-Encoding", kv::name_of(head.encoding));
  }
  taker.take(HeadPart::middle, accept_ranges_name, "bytes");
  taker.take(HeadPart::middle, "X-Content-Type-Options", "nosniff");
  writer.rewind(0);
  writer.decimal(head.size_bytes);
  taker.take(HeadPart::length, "Content-Length", writer.written());
}

kv::HeadFields make_head(const HeadOf& head) {
  Keeper keeper;
  describe(head, keeper);
  return std::move(keeper.fields);
}

}  // namespace http
