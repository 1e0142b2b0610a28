// SPDX-License-Identifier: ISC
#include "http/respond.hpp"

#include "base/check.hpp"
#include "http/conditions.hpp"
#include "http/head.hpp"
#include "http/mime.hpp"
#include "http/negotiate.hpp"

namespace http {

namespace {

using std::string_view;

constexpr string_view allow = "Allow: GET, HEAD, OPTIONS\r\n";

// The status line and the fields that are about this answer, not about a representation.
void open(Status status, const Request& request, const Circumstances& now, Writer& out,
          Answer& answer) {
  answer.status = status;
  answer.range_count = 0;
  answer.body_bytes = 0;
  out.text(opening_of(status));
  out.text(now.date);
  if (now.close) {
    out.text("\r\nConnection: close\r\n");
  } else if (request.is_http_1_0) {
    out.text("\r\nConnection: keep-alive\r\n");
  } else {
    out.text("\r\n");
  }
  if (now.hsts_s != 0) {
    out.text("Strict-Transport-Security: max-age=");
    out.decimal(now.hsts_s);
    out.text("\r\n");
  }
}

// Which of a representation's fields an answer has.
struct Wanted {
  std::uint8_t parts;           // bit i: HeadPart i
  bool last_modified = true;    // if it is known
  bool is_of_the_value = true;  // false: those of is_of_the_value() are left out

  [[nodiscard]] bool has(HeadPart part) const { return (parts >> static_cast<int>(part)) & 1; }
  [[nodiscard]] bool takes(std::string_view name) const {
    if (!is_of_the_value) return !http::is_of_the_value(name);
    return last_modified || name != last_modified_name;
  }
};
constexpr std::uint8_t parts(auto... part) {
  return static_cast<std::uint8_t>(((1U << static_cast<int>(part)) | ...));
}
constexpr std::uint8_t all_parts = 0b1111;

void write_field(string_view name, string_view value, Writer& out) {
  out.text(name);
  out.text(": ");
  out.text(value);
  out.text("\r\n");
}

class WantedWriter final : public FieldTaker {
 public:
  WantedWriter(const Wanted& wanted, Writer& out) : wanted_(wanted), out_(out) {}
  void take(HeadPart part, string_view name, string_view value) override {
    if (wanted_.has(part) && wanted_.takes(name)) write_field(name, value, out_);
  }

 private:
  const Wanted& wanted_;
  Writer& out_;
};

// One representation of a value.
struct Representation {
  kv::Key key;
  const kv::Stat& stat;
  kv::Encoding encoding;

  [[nodiscard]] const kv::Form& form() const { return stat.form(encoding); }
  // Last-Modified only if it is not later than Date (RFC 9110 section 8.8.2.1).
  void write(Wanted wanted, const Circumstances& now, Writer& out) const {
    wanted.last_modified = stat.modified_s <= now.now_s;
    if (!form().head.is_stored()) {
      WantedWriter writer(wanted, out);
      describe_to(writer);
      return;
    }
    const kv::Head& head = form().head;
    if (wanted.has(HeadPart::validators)) write(head.at(head.validators), wanted, out);
    if (wanted.has(HeadPart::type)) out.text(head.at(head.type).text());
    if (wanted.has(HeadPart::middle)) {
      if (wanted.is_of_the_value) {
        out.text(head.at(head.middle).text());
      } else {
        write(head.at(head.middle), wanted, out);
      }
    }
    if (head.fields != 0) out.text(head.at(head.fields).text());
    if (wanted.has(HeadPart::length)) out.text(head.at(head.length).text());
  }
  // The value of Content-Type.
  [[nodiscard]] string_view type() const {
    if (!form().head.is_stored()) return media_type(key);
    string_view found;
    form().head.at(form().head.type).for_each([&](string_view, string_view value) {
      found = value;
    });
    return found;
  }

 private:
  void describe_to(FieldTaker& taker) const {
    constexpr std::uint8_t identity_only = 1;
    describe({.key = key,
              .encoding = encoding,
              .digest = form().digest,
              .size_bytes = form().size_bytes,
              .modified_s = stat.modified_s,
              .varies = stat.encodings != identity_only},
             taker);
  }
  static void write(const kv::Fields& set, const Wanted& wanted, Writer& out) {
    if (wanted.is_of_the_value && wanted.last_modified) {
      out.text(set.text());
      return;
    }
    set.for_each([&](string_view name, string_view value) {
      if (wanted.takes(name)) write_field(name, value, out);
    });
  }
};

void add_range(Range range, const Writer& out, Answer& answer) {
  answer.ranges[answer.range_count] = range;
  answer.text_end[answer.range_count++] = out.size();
  answer.body_bytes += range.size_bytes;
}

// The whole of one representation is the body, if one is wanted.
void add_whole(const Request& request, const kv::Stat& stat, kv::Encoding encoding,
               const Writer& out, Answer& answer) {
  answer.encoding = encoding;
  std::uint64_t size = stat.form(encoding).size_bytes;
  if (request.method != Method::head && size > 0) add_range({0, size}, out, answer);
}

// Answers with the whole of one representation.
void write_whole(const Request& request, const Representation& what, const Circumstances& now,
                 Writer& out, Answer& answer) {
  open(Status::ok, request, now, out, answer);
  what.write({all_parts}, now, out);
  out.text("\r\n");
  add_whole(request, what.stat, what.encoding, out, answer);
}

void write_content_range(Range range, std::uint64_t size, Writer& out) {
  out.text("Content-Range: bytes ");
  out.decimal(range.offset);
  out.text("-");
  out.decimal(range.offset + range.size_bytes - 1);
  out.text("/");
  out.decimal(size);
  out.text("\r\n");
}

void write_content_length(std::uint64_t size, Writer& out) {
  out.text("Content-Length: ");
  out.decimal(size);
  out.text("\r\n\r\n");
}

std::size_t digits_of(std::uint64_t value) {
  std::size_t digits = 1;
  for (; value >= 10; value /= 10) ++digits;
  return digits;
}

// multipart/byteranges (RFC 9110 section 14.6). The boundary is the digest of what is sent, which
// what is sent cannot contain.
class Multipart {
 public:
  Multipart(const kv::Form& form, string_view type) : form_(form), type_(type) {}

  [[nodiscard]] std::uint64_t size_bytes(const Ranges& ranges) const {
    std::uint64_t size = 6 + form_.digest.size() + 2;  // CRLF, "--", the boundary, "--", CRLF
    for (std::size_t i = 0; i < ranges.count; ++i) {
      const Range& range = ranges.at[i];
      size += 4 + form_.digest.size() + 2 + content_type_name.size() + 2 + type_.size() + 2 + 21 +
              digits_of(range.offset) + 1 + digits_of(range.offset + range.size_bytes - 1) + 1 +
              digits_of(form_.size_bytes) + 4 + range.size_bytes;
    }
    return size;
  }
  void write_boundary(Writer& out) const { out.text({form_.digest.data(), form_.digest.size()}); }
  void write_part_head(const Range& range, Writer& out) const {
    out.text("\r\n--");
    write_boundary(out);
    out.text("\r\n");
    write_field(content_type_name, type_, out);
    write_content_range(range, form_.size_bytes, out);
    out.text("\r\n");
  }
  void write_end(Writer& out) const {
    out.text("\r\n--");
    write_boundary(out);
    out.text("--\r\n");
  }

 private:
  const kv::Form& form_;
  string_view type_;
};

void write_multipart(const Ranges& ranges, const Representation& what, Writer& out,
                     Answer& answer) {
  Multipart multipart(what.form(), what.type());
  out.text("Content-Type: multipart/byteranges; boundary=");
  multipart.write_boundary(out);
  out.text("\r\n");
  std::uint64_t size = multipart.size_bytes(ranges);
  write_content_length(size, out);
  std::size_t before = out.size();
  for (std::size_t i = 0; i < ranges.count; ++i) {
    multipart.write_part_head(ranges.at[i], out);
    add_range(ranges.at[i], out, answer);
  }
  multipart.write_end(out);
  answer.body_bytes += out.size() - before;
  CHECK(answer.body_bytes == size);
}

void write_partial(const Ranges& ranges, const Request& request, const Representation& what,
                   const Circumstances& now, Writer& out, Answer& answer) {
  open(Status::partial_content, request, now, out, answer);
  answer.encoding = what.encoding;
  what.write({parts(HeadPart::validators, HeadPart::middle)}, now, out);
  if (ranges.count > 1) {
    write_multipart(ranges, what, out, answer);
    return;
  }
  write_field(content_type_name, what.type(), out);
  write_content_range(ranges.at[0], what.form().size_bytes, out);
  write_content_length(ranges.at[0].size_bytes, out);
  add_range(ranges.at[0], out, answer);
}

// What every page of ours says, after the fields that its status asks for.
void write_page(Status status, const Request& request, Writer& out, Answer& answer) {
  constexpr string_view before = "<!doctype html>\n<title>", middle = "</title>\n<h1>",
                        after = "</h1>\n";
  string_view words = words_of(status);
  std::size_t size = before.size() + middle.size() + after.size() + 2 * words.size();
  out.text("Content-Type: text/html; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n");
  write_content_length(size, out);
  if (request.method == Method::head) return;
  out.text(before);
  out.text(words);
  out.text(middle);
  out.text(words);
  out.text(after);
  answer.body_bytes = size;
}

// What a redirect's answer takes beside its Location.
constexpr std::size_t redirect_fields_bytes_max = 1024;

void write_key_percent_encoded(kv::Key key, Writer& out) {
  constexpr string_view digits = "0123456789ABCDEF";
  for (char c : key) {
    if (is_plain_in_path(c)) {
      out.text({&c, 1});
    } else {
      auto byte = static_cast<unsigned char>(c);
      char code[3] = {'%', digits[byte >> 4], digits[byte & 15]};
      out.text({code, 3});
    }
  }
}

}  // namespace

void respond_with_value(const Request& request, kv::Key key, const kv::Stat& stat,
                        const Circumstances& now, Writer& out, Answer& answer) {
  Offer offer = negotiate(request, stat);
  if (offer.is_empty()) {
    open(Status::not_acceptable, request, now, out, answer);
    out.text("Vary: Accept-Encoding\r\n");
    write_page(Status::not_acceptable, request, out, answer);
    return;
  }
  Selection selection = select(request, stat, offer, now.now_s);
  if (selection.verdict == Verdict::failed) {
    respond_with_status(Status::precondition_failed, request, now, out, answer);
    return;
  }
  if (selection.verdict == Verdict::not_modified) {
    open(Status::not_modified, request, now, out, answer);
    Representation{key, stat, selection.encoding}.write({parts(HeadPart::validators)}, now, out);
    out.text("\r\n");
    return;
  }
  if (selection.ranges_apply) {
    kv::Encoding encoding = selection.range_encoding;
    std::uint64_t size = stat.form(encoding).size_bytes;
    Ranges ranges = parse_ranges(request.value(Field::range), size, now.ranges_max);
    if (ranges.kind == Ranges::Kind::some) {
      write_partial(ranges, request, {key, stat, encoding}, now, out, answer);
      return;
    }
    if (ranges.kind == Ranges::Kind::unsatisfiable) {
      open(Status::range_not_satisfiable, request, now, out, answer);
      if (stat.encodings != 1) out.text("Vary: Accept-Encoding\r\n");
      out.text("Accept-Ranges: bytes\r\nContent-Range: bytes */");
      out.decimal(size);
      out.text("\r\n");
      write_page(Status::range_not_satisfiable, request, out, answer);
      return;
    }
  }
  write_whole(request, {key, stat, selection.encoding}, now, out, answer);
}

void respond_with_page_404(const Request& request, kv::Key key, const kv::Stat& stat,
                           const Circumstances& now, Writer& out, Answer& answer) {
  Offer offer = negotiate(request, stat);
  Representation what{key, stat, offer.is_empty() ? kv::Encoding::identity : offer.best};
  open(Status::not_found, request, now, out, answer);
  what.write({.parts = all_parts, .is_of_the_value = false}, now, out);
  out.text("\r\n");
  add_whole(request, stat, what.encoding, out, answer);
}

void respond_with_slash(const Request& request, kv::Key key, string_view query,
                        const Circumstances& now, Writer& out, Answer& answer) {
  // A key does not begin with '/', so this is a path on this server: "//host" cannot come out (RFC
  // 3986 section 4.2).
  if (percent_encoded_bytes(key) + query.size() + 2 + redirect_fields_bytes_max > out.room()) {
    respond_with_status(Status::uri_too_long, request, now, out, answer);
    return;
  }
  open(Status::moved_permanently, request, now, out, answer);
  out.text("Location: /");
  write_key_percent_encoded(key, out);
  out.text("/");
  out.text(query);
  out.text("\r\nCache-Control: no-cache\r\n");
  write_page(Status::moved_permanently, request, out, answer);
}

std::size_t redirect_bytes_max(const Request& request) noexcept {
  return redirect_fields_bytes_max + request.value(Field::host).size() + 3 * request.target.size();
}

void respond_with_https(const Request& request, const Target& target, std::uint16_t port,
                        const Circumstances& now, Writer& out, Answer& answer) {
  const string_view host = target.authority->host;
  if (host.size() + request.target.size() + redirect_fields_bytes_max > out.room()) {
    respond_with_status(Status::uri_too_long, request, now, out, answer);
    return;
  }
  open(Status::permanent_redirect, request, now, out, answer);
  out.text("Location: https://");
  out.text(host);
  if (port != 443) {
    out.text(":");
    out.decimal(port);
  }
  out.text(target.path.empty() ? "/" : target.path);
  out.text(target.query);
  out.text("\r\n");
  write_page(Status::permanent_redirect, request, out, answer);
}

void respond_with_options(const Request& request, const Circumstances& now, Writer& out,
                          Answer& answer) {
  open(Status::no_content, request, now, out, answer);
  out.text(allow);
  out.text("\r\n");
}

void respond_with_status(Status status, const Request& request, const Circumstances& now,
                         Writer& out, Answer& answer) {
  open(status, request, now, out, answer);
  if (status == Status::method_not_allowed) out.text(allow);
  if (status == Status::service_unavailable) out.text("Retry-After: 1\r\n");
  if (status == Status::not_found) out.text("Cache-Control: no-cache\r\n");
  write_page(status, request, out, answer);
}

}  // namespace http
