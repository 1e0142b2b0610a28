// SPDX-License-Identifier: ISC
#include "http/respond.hpp"

#include <array>
#include <span>

#include "http/conditions.hpp"
#include "http/head.hpp"
#include "http/mime.hpp"
#include "http/negotiate.hpp"

namespace http {

namespace {

using std::string_view;

constexpr string_view allowed = "GET, HEAD, OPTIONS";

// The status and the fields that are about the server.
void begin(Status status, const Circumstances& now, HeadSink& head, Answer& answer) {
  answer.status = status;
  answer.body = Answer::Body::none;
  answer.range_count = 0;
  answer.body_bytes = 0;
  head.begin(status);
  if (now.hsts_s != 0) {
    Writer& value = head.begin_value("Strict-Transport-Security");
    value.text("max-age=");
    value.decimal(now.hsts_s);
    head.end_value();
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

class WantedTaker final : public FieldTaker {
 public:
  WantedTaker(const Wanted& wanted, HeadSink& head) : wanted_(wanted), head_(head) {}
  void take(HeadPart part, string_view name, string_view value) override {
    if (wanted_.has(part) && wanted_.takes(name)) head_.field(name, value);
  }

 private:
  const Wanted& wanted_;
  HeadSink& head_;
};

// The value of Content-Type.
string_view type_of(kv::Key key, const kv::Form& form) {
  if (!form.head.is_stored()) return media_type(key);
  string_view type;
  form.head.at(form.head.type).for_each([&](string_view, string_view value) { type = value; });
  return type;
}

// One representation of a value.
struct Representation {
  kv::Key key;
  const kv::Stat& stat;
  kv::Encoding encoding;

  [[nodiscard]] const kv::Form& form() const { return stat.form(encoding); }
  // Last-Modified only if it is not later than Date (RFC 9110 section 8.8.2.1).
  void give(Wanted wanted, const Circumstances& now, HeadSink& head) const {
    wanted.last_modified = stat.modified_s <= now.now_s;
    const kv::Head& stored = form().head;
    if (!stored.is_stored()) {
      WantedTaker taker(wanted, head);
      describe_to(taker);
      return;
    }
    std::array<kv::Head::Offset, 5> sets;
    std::size_t count = 0;
    if (wanted.has(HeadPart::validators)) sets[count++] = stored.validators;
    if (wanted.has(HeadPart::type)) sets[count++] = stored.type;
    if (wanted.has(HeadPart::middle)) sets[count++] = stored.middle;
    if (stored.fields != 0) sets[count++] = stored.fields;
    if (wanted.has(HeadPart::length)) sets[count++] = stored.length;
    give_sets(std::span(sets).first(count), wanted, head);
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
  void give_sets(std::span<const kv::Head::Offset> sets, const Wanted& wanted,
                 HeadSink& head) const {
    const kv::Head& stored = form().head;
    if (wanted.is_of_the_value && wanted.last_modified) {
      head.fields(stored, sets);
      return;
    }
    for (const kv::Head::Offset& set : sets) {
      if (set == stored.fields) {  // the site's own are its own affair
        head.fields(stored, {&set, 1});
        continue;
      }
      stored.at(set).for_each([&](string_view name, string_view value) {
        if (wanted.takes(name)) head.field(name, value);
      });
    }
  }
};

void add_range(Range range, Answer& answer) {
  answer.ranges[answer.range_count++] = range;
  answer.body_bytes += range.size_bytes;
}

// The whole of one representation is the body, if one is wanted.
void add_whole(const Request& request, const Representation& what, Answer& answer) {
  answer.encoding = what.encoding;
  const std::uint64_t size = what.form().size_bytes;
  if (request.method == Method::head || size == 0) return;
  answer.body = Answer::Body::value;
  add_range({0, size}, answer);
}

void write_content_range(Range range, std::uint64_t size, Writer& out) {
  out.text("bytes ");
  out.decimal(range.offset);
  out.text("-");
  out.decimal(range.offset + range.size_bytes - 1);
  out.text("/");
  out.decimal(size);
}

void give_content_length(std::uint64_t size, HeadSink& head) {
  head.begin_value("Content-Length").decimal(size);
  head.end_value();
}

// multipart/byteranges (RFC 9110 section 14.6). The boundary is the digest of what is sent, which
// what is sent cannot contain.
string_view boundary_of(const kv::Form& form) { return {form.digest.data(), form.digest.size()}; }

void give_parts(const Ranges& ranges, const Representation& what, HeadSink& head, Answer& answer) {
  const kv::Form& form = what.form();
  Writer& type = head.begin_value(content_type_name);
  type.text("multipart/byteranges; boundary=");
  type.text(boundary_of(form));
  head.end_value();
  answer.body = Answer::Body::parts;
  std::array<char, text_bytes_max> buffer;
  Writer text(buffer);
  for (std::size_t i = 0; i < ranges.count; ++i) {
    add_range(ranges.at[i], answer);
    write_part_head(what.key, form, ranges.at[i], text);
    answer.body_bytes += text.size();
    text.rewind(0);
  }
  write_parts_end(form, text);
  answer.body_bytes += text.size();
  give_content_length(answer.body_bytes, head);
}

void respond_with_ranges(const Ranges& ranges, const Representation& what, const Circumstances& now,
                         HeadSink& head, Answer& answer) {
  begin(Status::partial_content, now, head, answer);
  answer.encoding = what.encoding;
  what.give({parts(HeadPart::validators, HeadPart::middle)}, now, head);
  if (ranges.count > 1) {
    give_parts(ranges, what, head, answer);
    return;
  }
  const kv::Form& form = what.form();
  head.field(content_type_name, type_of(what.key, form));
  write_content_range(ranges.at[0], form.size_bytes, head.begin_value("Content-Range"));
  head.end_value();
  give_content_length(ranges.at[0].size_bytes, head);
  answer.body = Answer::Body::value;
  add_range(ranges.at[0], answer);
}

struct PageTexts {
  string_view before = "<!doctype html>\n<title>", middle = "</title>\n<h1>", after = "</h1>\n";
};

// What every page of ours has, after the fields that its status asks for.
void end_with_page(const Request& request, HeadSink& head, Answer& answer) {
  constexpr PageTexts texts;
  const std::size_t size = texts.before.size() + texts.middle.size() + texts.after.size() +
                           2 * words_of(answer.status).size();
  head.field(content_type_name, "text/html; charset=utf-8");
  head.field("X-Content-Type-Options", "nosniff");
  give_content_length(size, head);
  if (request.method == Method::head) return;
  answer.body = Answer::Body::page;
  answer.body_bytes = size;
}

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
                        const Circumstances& now, HeadSink& head, Answer& answer) {
  Offer offer = negotiate(request, stat);
  if (offer.is_empty()) {
    begin(Status::not_acceptable, now, head, answer);
    head.field("Vary", "Accept-Encoding");
    end_with_page(request, head, answer);
    return;
  }
  Selection selection = select(request, stat, offer, now.now_s);
  if (selection.verdict == Verdict::failed) {
    respond_with_status(Status::precondition_failed, request, now, head, answer);
    return;
  }
  if (selection.verdict == Verdict::not_modified) {
    begin(Status::not_modified, now, head, answer);
    Representation{key, stat, selection.encoding}.give({parts(HeadPart::validators)}, now, head);
    return;
  }
  if (selection.ranges_apply) {
    const Representation what{key, stat, selection.range_encoding};
    const std::uint64_t size = what.form().size_bytes;
    Ranges ranges = parse_ranges(request.value(Field::range), size, now.ranges_max);
    if (ranges.kind == Ranges::Kind::some) {
      respond_with_ranges(ranges, what, now, head, answer);
      return;
    }
    if (ranges.kind == Ranges::Kind::unsatisfiable) {
      begin(Status::range_not_satisfiable, now, head, answer);
      if (stat.encodings != 1) head.field("Vary", "Accept-Encoding");
      head.field(accept_ranges_name, "bytes");
      Writer& value = head.begin_value("Content-Range");
      value.text("bytes */");
      value.decimal(size);
      head.end_value();
      end_with_page(request, head, answer);
      return;
    }
  }
  const Representation what{key, stat, selection.encoding};
  begin(Status::ok, now, head, answer);
  what.give({all_parts}, now, head);
  add_whole(request, what, answer);
}

void respond_with_page(Status status, const Request& request, kv::Key key, const kv::Stat& stat,
                       const Circumstances& now, HeadSink& head, Answer& answer) {
  Offer offer = negotiate(request, stat);
  const Representation what{key, stat, offer.is_empty() ? kv::Encoding::identity : offer.best};
  begin(status, now, head, answer);
  what.give({.parts = all_parts, .is_of_the_value = false}, now, head);
  add_whole(request, what, answer);
}

void respond_with_location(Status status, string_view location, const Circumstances& now,
                           HeadSink& head, Answer& answer) {
  begin(status, now, head, answer);
  head.field("Location", location);
  head.field("Cache-Control", "no-cache");
  give_content_length(0, head);
}

void respond_with_challenge(const Request& request, const Circumstances& now, HeadSink& head,
                            Answer& answer) {
  begin(Status::unauthorized, now, head, answer);
  head.field("WWW-Authenticate", "Basic realm=\"site\", charset=\"UTF-8\"");
  head.field("Cache-Control", "no-store");
  end_with_page(request, head, answer);
}

void respond_with_slash(const Request& request, kv::Key key, string_view query,
                        const Circumstances& now, HeadSink& head, Answer& answer) {
  if (percent_encoded_bytes(key) + query.size() + 2 > location_bytes_max) {
    respond_with_status(Status::uri_too_long, request, now, head, answer);
    return;
  }
  begin(Status::moved_permanently, now, head, answer);
  // A key does not begin with '/', so this is a path on this server: "//host" cannot come out (RFC
  // 3986 section 4.2).
  Writer& location = head.begin_value("Location");
  location.text("/");
  write_key_percent_encoded(key, location);
  location.text("/");
  location.text(query);
  head.end_value();
  head.field("Cache-Control", "no-cache");
  end_with_page(request, head, answer);
}

void respond_with_https(const Request& request, const Target& target, std::uint16_t port,
                        const Circumstances& now, HeadSink& head, Answer& answer) {
  const string_view host = target.authority->host;
  if (host.size() + target.path.size() + target.query.size() + 16 > location_bytes_max) {
    respond_with_status(Status::uri_too_long, request, now, head, answer);
    return;
  }
  begin(Status::permanent_redirect, now, head, answer);
  Writer& location = head.begin_value("Location");
  location.text("https://");
  location.text(host);
  if (port != 443) {
    location.text(":");
    location.decimal(port);
  }
  location.text(target.path.empty() ? "/" : target.path);
  location.text(target.query);
  head.end_value();
  end_with_page(request, head, answer);
}

void respond_with_options(const Circumstances& now, HeadSink& head, Answer& answer) {
  begin(Status::no_content, now, head, answer);
  head.field("Allow", allowed);
}

void respond_with_status(Status status, const Request& request, const Circumstances& now,
                         HeadSink& head, Answer& answer) {
  begin(status, now, head, answer);
  if (status == Status::method_not_allowed) head.field("Allow", allowed);
  if (status == Status::service_unavailable) head.field("Retry-After", "1");
  if (status == Status::not_found) head.field("Cache-Control", "no-cache");
  end_with_page(request, head, answer);
}

void respond_with_text(std::size_t size_bytes, const Request& request, const Circumstances& now,
                       HeadSink& head, Answer& answer) {
  begin(Status::ok, now, head, answer);
  head.field(content_type_name, "application/octet-stream");
  head.field("X-Content-Type-Options", "nosniff");
  head.field("Cache-Control", "no-store");
  give_content_length(size_bytes, head);
  if (request.method == Method::head) return;
  answer.body = Answer::Body::text;
  answer.body_bytes = size_bytes;
}

void write_page(Status status, Writer& out) {
  constexpr PageTexts texts;
  out.text(texts.before);
  out.text(words_of(status));
  out.text(texts.middle);
  out.text(words_of(status));
  out.text(texts.after);
}

void write_part_head(kv::Key key, const kv::Form& form, const Range& range, Writer& out) {
  out.text("\r\n--");
  out.text(boundary_of(form));
  out.text("\r\nContent-Type: ");
  out.text(type_of(key, form));
  out.text("\r\nContent-Range: ");
  write_content_range(range, form.size_bytes, out);
  out.text("\r\n\r\n");
}

void write_parts_end(const kv::Form& form, Writer& out) {
  out.text("\r\n--");
  out.text(boundary_of(form));
  out.text("--\r\n");
}

}  // namespace http
