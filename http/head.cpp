// SPDX-License-Identifier: ISC
#include "http/head.hpp"

#include <array>

#include "base/check.hpp"
#include "http/caching.hpp"
#include "http/date.hpp"
#include "http/mime.hpp"
#include "http/writer.hpp"

namespace http {

namespace {

using std::string_view;

constexpr string_view etag_name = "ETag: ";
constexpr string_view accept_ranges_line = "Accept-Ranges: bytes\r\n";
constexpr string_view content_type_name = "Content-Type: ";
constexpr string_view content_length_name = "Content-Length: ";
constexpr string_view last_modified_name = "Last-Modified: ";

// `name` at the start of a line, at or after `from`.
std::size_t line_of(string_view head, string_view name, std::size_t from) {
  for (;;) {
    if (head.substr(from).starts_with(name)) return from;
    std::size_t end = head.find("\r\n", from);
    if (end == string_view::npos) return end;
    from = end + 2;
  }
}

}  // namespace

string_view write_head(const HeadOf& head, std::span<char> out) noexcept {
  CHECK(out.size() >= head_bytes_max);
  Writer writer(out);
  writer.text(etag_name);
  writer.text("\"");
  writer.text({head.digest.data(), head.digest.size()});
  writer.text("\"\r\nCache-Control: ");
  writer.text(cache_control(head.key));
  if (head.varies) writer.text("\r\nVary: Accept-Encoding");
  if (head.modified_s >= 0 && head.modified_s <= date_s_max) {
    DateText date = date_text(head.modified_s);
    writer.text("\r\n");
    writer.text(last_modified_name);
    writer.text({date.data(), date.size()});
  }
  writer.text("\r\n");
  writer.text(content_type_name);
  writer.text(media_type(head.key));
  if (head.encoding != kv::Encoding::identity) {
    writer.text("\r\nContent-Encoding: ");
    writer.text(kv::name_of(head.encoding));
  }
  writer.text("\r\n");
  writer.text(accept_ranges_line);
  writer.text("X-Content-Type-Options: nosniff\r\n");
  writer.text(content_length_name);
  writer.decimal(head.size_bytes);
  writer.text("\r\n\r\n");
  CHECK(!writer.overflowed());
  return writer.written();
}

std::string make_head(const HeadOf& head) {
  std::array<char, head_bytes_max> out;
  return std::string(write_head(head, out));
}

HeadParts parts_of(string_view head) noexcept {
  std::size_t type = line_of(head, content_type_name, 0);
  if (type == string_view::npos) return {};
  std::size_t length = line_of(head, content_length_name, type);
  if (length == string_view::npos) return {};
  HeadParts parts;
  parts.validators = head.substr(0, type);
  constexpr std::size_t date_line = last_modified_name.size() + date_bytes + 2;
  if (type >= date_line && head.substr(type - date_line).starts_with(last_modified_name)) {
    parts.last_modified = head.substr(type - date_line, date_line);
  }
  constexpr std::size_t tag_line = etag_name.size() + 2 + kv::Digest{}.size() + 2;
  if (type >= tag_line + parts.last_modified.size()) {
    parts.cacheability = head.substr(tag_line, type - parts.last_modified.size() - tag_line);
  }
  std::size_t after_type = head.find("\r\n", type) + 2;
  parts.content_type = head.substr(type, after_type - type);
  parts.middle = head.substr(after_type, length - after_type);
  std::size_t accept_ranges = line_of(parts.middle, accept_ranges_line, 0);
  if (accept_ranges != string_view::npos) {
    parts.accept_ranges = parts.middle.substr(accept_ranges, accept_ranges_line.size());
  }
  parts.length = head.substr(length);
  return parts;
}

string_view fields_of_304(string_view head) noexcept { return parts_of(head).validators; }

string_view fields_of_206(string_view head) noexcept {
  return head.substr(0, head.size() - parts_of(head).length.size());
}

}  // namespace http
