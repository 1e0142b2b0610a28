// SPDX-License-Identifier: ISC
// tests/http/conformance_conditional.cpp: entity tags, dates, encodings, ranges.

#include "tests/http/conformance_table.hpp"

namespace http_test {

namespace {

const std::string same = "Sun, 06 Nov 1994 08:49:37 GMT";
const std::string earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
const std::string later = "Sun, 06 Nov 1994 08:49:38 GMT";

std::string range(std::string_view value) { return "Range: " + std::string(value) + "\r\n"; }

void add_conditions(std::vector<Row>& rows) {
  auto row = [&](std::string name, std::string fields, int status) {
    rows.push_back({std::move(name),
                    get("/a.txt", fields),
                    status,
                    {},
                    status == 200   ? alphabet()
                    : status == 304 ? ""
                                    : "*"});
  };
  rows.push_back(
      {"304 repeats what it must",
       get("/a.txt", "If-None-Match: $ETAG(/a.txt)\r\n"),
       304,
       {is("ETag", "$ETAG(/a.txt)"), is("Cache-Control", "no-cache"), has("Date", "GMT"),
        is("Last-Modified", same), no("Content-Type"), no("Content-Length"), no("Content-Range")},
       ""});
  rows.push_back({"304 to HEAD",
                  ask("HEAD", "/a.txt", "If-None-Match: $ETAG(/a.txt)\r\n"),
                  304,
                  {is("ETag", "$ETAG(/a.txt)")}});
  row("none match: another", "If-None-Match: \"x\"\r\n", 200);
  row("none match: any", "If-None-Match: *\r\n", 304);
  row("none match: weak", "If-None-Match: W/$ETAG(/a.txt)\r\n", 304);
  row("none match: in a list", "If-None-Match: \"x, y\", W/\"z\" ,, $ETAG(/a.txt)\r\n", 304);
  row("none match: in a second line", "If-None-Match: \"x\"\r\nIf-None-Match: $ETAG(/a.txt)\r\n",
      304);
  row("none match: unquoted", "If-None-Match: abc\r\n", 200);
  row("none match: another value's", "If-None-Match: $ETAG(/index.html)\r\n", 200);
  row("none match outdoes modified since",
      "If-None-Match: \"x\"\r\nIf-Modified-Since: " + same + "\r\n", 200);
  row("match: same", "If-Match: $ETAG(/a.txt)\r\n", 200);
  row("match: any", "If-Match: *\r\n", 200);
  row("match: another", "If-Match: \"x\"\r\n", 412);
  row("match: weak is no match", "If-Match: W/$ETAG(/a.txt)\r\n", 412);
  row("match: in a list", "If-Match: \"x\", $ETAG(/a.txt)\r\n", 200);
  row("match, then none match", "If-Match: *\r\nIf-None-Match: *\r\n", 304);
  row("match outdoes unmodified since", "If-Match: *\r\nIf-Unmodified-Since: " + earlier + "\r\n",
      200);
  row("modified since: same", "If-Modified-Since: " + same + "\r\n", 304);
  row("modified since: later", "If-Modified-Since: " + later + "\r\n", 200);
  row("modified since: earlier", "If-Modified-Since: " + earlier + "\r\n", 200);
  row("modified since: RFC 850", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304);
  row("modified since: asctime", "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 304);
  row("modified since: no date", "If-Modified-Since: yesterday\r\n", 200);
  row("modified since: twice",
      "If-Modified-Since: " + same + "\r\nIf-Modified-Since: " + same + "\r\n", 200);
  row("unmodified since: same", "If-Unmodified-Since: " + same + "\r\n", 200);
  row("unmodified since: earlier", "If-Unmodified-Since: " + earlier + "\r\n", 412);
  row("unmodified since: no date", "If-Unmodified-Since: 1994\r\n", 200);
  rows.push_back({"conditions do not hide 404", get("/nothing", "If-Match: \"x\"\r\n"), 404, {}});
  rows.push_back({"nor redirects", get("/dir", "If-None-Match: *\r\n"), 301, {}});
}

void add_encodings(std::vector<Row>& rows) {
  auto row = [&](std::string name, std::string accepted, std::string coding) {
    Row made{
        std::move(name), get("/style.css", accepted), 200, {has("Vary", "Accept-Encoding")}, "*"};
    made.needs_encodings = true;
    made.fields.push_back(coding.empty() ? no("Content-Encoding") : is("Content-Encoding", coding));
    if (coding.empty()) made.body = style();
    rows.push_back(std::move(made));
  };
  auto accept = [](std::string_view value) {
    return "Accept-Encoding: " + std::string(value) + "\r\n";
  };
  row("no Accept-Encoding", "", "");
  row("an empty one", accept(""), "");
  row("gzip", accept("gzip"), "gzip");
  row("x-gzip", accept("X-GZIP"), "gzip");
  row("br", accept("Br"), "br");
  row("zstd", accept("zstd"), "zstd");
  row("unknown codings", accept("deflate, compress"), "");
  row("the higher quality", accept("gzip;q=0.9, br;q=0.8"), "gzip");
  row("in a second line", accept("gzip;q=0.5") + accept("br"), "br");
  row("quality in capitals and with spaces", accept("gzip ; Q=0.1 , br ; q=0.099"), "gzip");
  row("quality zero", accept("gzip;q=0"), "");
  row("quality zero in three places", accept("gzip;q=0.000, br;q=1.000"), "br");
  row("identity preferred", accept("identity, gzip;q=0.5"), "");
  row("identity excluded", accept("gzip, identity;q=0"), "gzip");
  row("others, not gzip or zstd", accept("*, gzip;q=0, zstd;q=0"), "br");
  row("others excluded but br", accept("br, *;q=0"), "br");
  row("a malformed quality", accept("gzip;q=2, br;q=0.5"), "br");
  row("a quality of four places", accept("gzip;q=0.1234, br;q=0.1"), "br");
  Row none{"nothing acceptable",
           get("/style.css", accept("identity;q=0")),
           406,
           {has("Vary", "Accept-Encoding")}};
  none.needs_encodings = true;
  rows.push_back(none);
  rows.push_back(
      {"nothing acceptable of what has one form", get("/a.txt", accept("*;q=0")), 406, {}});
  rows.push_back(
      {"one form does not vary", get("/a.txt", accept("gzip")), 200, {no("Vary")}, alphabet()});
  rows.push_back(
      {"a page of errors is sent all the same", get("/nothing", accept("*;q=0")), 404, {}});
  Row tagged{"304 varies",
             get("/style.css", "If-None-Match: $ETAG(/style.css)\r\n"),
             304,
             {has("Vary", "Accept-Encoding"), is("ETag", "$ETAG(/style.css)")},
             ""};
  tagged.needs_encodings = true;
  rows.push_back(tagged);
  tagged.name = "the form that is held counts";
  tagged.request = get("/style.css", "Accept-Encoding: br\r\nIf-None-Match: $ETAG(/style.css)\r\n");
  rows.push_back(tagged);
  tagged.name = "the form that is held does not count when it is not accepted";
  tagged.request = get("/style.css",
                       "Accept-Encoding: br, identity;q=0\r\nIf-None-Match: $ETAG(/style.css)\r\n");
  tagged.status = 200;
  tagged.fields = {is("Content-Encoding", "br")};
  tagged.body = "*";
  rows.push_back(tagged);
}

void add_ranges(std::vector<Row>& rows) {
  auto part = [&](std::string name, std::string fields, std::string range, std::string body) {
    rows.push_back({std::move(name),
                    get("/a.txt", fields),
                    206,
                    {is("Content-Range", "bytes " + range + "/36"),
                     is("Content-Length", std::to_string(body.size())),
                     is("Content-Type", "text/plain; charset=utf-8"), is("Last-Modified", same),
                     is("ETag", "$ETAG(/a.txt)"), is("Cache-Control", "no-cache"),
                     is("X-Content-Type-Options", "nosniff")},
                    body});
  };
  part("a range", range("bytes=1-3"), "1-3", "123");
  part("the first byte", range("bytes=0-0"), "0-0", "0");
  part("the last byte", range("bytes=35-35"), "35-35", "z");
  part("an open range", range("bytes=30-"), "30-35", "uvwxyz");
  part("a suffix", range("bytes=-2"), "34-35", "yz");
  part("a suffix longer than the value", range("bytes=-100"), "0-35", alphabet());
  part("a range past the end", range("bytes=34-1000"), "34-35", "yz");
  part("a range to far past the end", range("bytes=34-99999999999999999999"), "34-35", "yz");
  part("all of it", range("BYTES=0-"), "0-35", alphabet());
  part("one of two can be satisfied", range("bytes=1-2, 100-200"), "1-2", "12");
  part("spaces and empty elements", range("bytes= , 1-2 ,"), "1-2", "12");
  part("if-range: same tag", range("bytes=0-1") + "If-Range: $ETAG(/a.txt)\r\n", "0-1", "01");
  part("if-range: same date", range("bytes=0-1") + "If-Range: " + same + "\r\n", "0-1", "01");
  part("a range if it matches", range("bytes=0-1") + "If-Match: $ETAG(/a.txt)\r\n", "0-1", "01");
}

void add_unheeded_ranges(std::vector<Row>& rows) {
  auto whole = [&](std::string name, std::string fields) {
    rows.push_back(
        {std::move(name), get("/a.txt", fields), 200, {no("Content-Range")}, alphabet()});
  };
  whole("if-range: another tag", range("bytes=0-1") + "If-Range: \"x\"\r\n");
  whole("if-range: a list", range("bytes=0-1") + "If-Range: \"x\", $ETAG(/a.txt)\r\n");
  whole("if-range: a list that ends in another",
        range("bytes=0-1") + "If-Range: $ETAG(/a.txt), \"x\"\r\n");
  whole("if-range: a list of one", range("bytes=0-1") + "If-Range: $ETAG(/a.txt),\r\n");
  whole("if-range: two lines",
        range("bytes=0-1") + "If-Range: \"x\"\r\nIf-Range: $ETAG(/a.txt)\r\n");
  whole("if-range: no quote at the end", range("bytes=0-1") + "If-Range: \"x\r\n");
  whole("if-range: a weak tag", range("bytes=0-1") + "If-Range: W/$ETAG(/a.txt)\r\n");
  whole("if-range: another date", range("bytes=0-1") + "If-Range: " + later + "\r\n");
  whole("if-range without a range", "If-Range: \"x\"\r\n");
  whole("another unit", range("lines=1-2"));
  whole("no unit", range("1-2"));
  whole("no range", range("bytes="));
  whole("backwards", range("bytes=3-1"));
  whole("not a number", range("bytes=a-b"));
  whole("a dash", range("bytes=-"));
  whole("negative", range("bytes=--1"));
  whole("two lines", range("bytes=0-1") + range("bytes=2-3"));
  whole("overlapping ranges", range("bytes=0-5,5-9"));
  whole("the same range twice", range("bytes=0-0,0-0"));
  std::string many = "bytes=0-0";
  for (int i = 1; i < 17; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  whole("seventeen ranges", range(many));
  auto never = [&](std::string name, std::string_view target, std::string_view value,
                   std::string size) {
    rows.push_back({std::move(name),
                    get(target, range(value)),
                    416,
                    {is("Content-Range", "bytes */" + size)}});
  };
  never("at the end", "/a.txt", "bytes=36-", "36");
  never("past the end", "/a.txt", "bytes=100-200", "36");
  never("an empty suffix", "/a.txt", "bytes=-0", "36");
  never("a suffix of nothing", "/empty.txt", "bytes=-1", "0");
  never("of nothing", "/empty.txt", "bytes=0-", "0");
  never("far past the end", "/a.txt", "bytes=18446744073709551616-", "36");
}

void add_other_ranges(std::vector<Row>& rows) {
  rows.push_back({"304 goes before ranges",
                  get("/a.txt", range("bytes=0-1") + "If-None-Match: *\r\n"),
                  304,
                  {},
                  ""});
  rows.push_back({"412 goes before ranges",
                  get("/a.txt", range("bytes=0-1") + "If-Match: \"x\"\r\n"),
                  412,
                  {}});
  rows.push_back({"ranges are of GET",
                  ask("HEAD", "/a.txt", range("bytes=0-1")),
                  200,
                  {is("Content-Length", "36")}});
  rows.push_back({"no range of a page of errors",
                  get("/nothing", range("bytes=0-1")),
                  404,
                  {no("Content-Range")}});
  rows.push_back({"a range of a large value",
                  get("/large.bin", range("bytes=1000-90999")),
                  206,
                  {is("Content-Range", "bytes 1000-90999/100000")},
                  large().substr(1000, 90000)});
  rows.push_back({"two ranges",
                  get("/a.txt", range("bytes=0-1,-2")),
                  206,
                  {has("Content-Type", "multipart/byteranges; boundary="), no("Content-Range")},
                  "\r\n--$BOUNDARY\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Range: bytes 0-1/36\r\n\r\n01"
                  "\r\n--$BOUNDARY\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Range: bytes 34-35/36\r\n\r\nyz\r\n--$BOUNDARY--\r\n"});
  rows.push_back({"two large ranges, backwards",
                  get("/large.bin", range("bytes=50000-59999,10000-19999")),
                  206,
                  {},
                  "\r\n--$BOUNDARY\r\nContent-Type: application/octet-stream\r\n"
                  "Content-Range: bytes 50000-59999/100000\r\n\r\n" +
                      large().substr(50000, 10000) +
                      "\r\n--$BOUNDARY\r\nContent-Type: application/octet-stream\r\n"
                      "Content-Range: bytes 10000-19999/100000\r\n\r\n" +
                      large().substr(10000, 10000) + "\r\n--$BOUNDARY--\r\n"});
}

void add_encoded_ranges(std::vector<Row>& rows) {
  Row plain{"ranges are of the identity",
            get("/style.css", range("bytes=0-4") + "Accept-Encoding: gzip\r\n"),
            206,
            {no("Content-Encoding"), has("Vary", "Accept-Encoding")},
            style().substr(0, 5)};
  plain.needs_encodings = true;
  rows.push_back(plain);
  plain.name = "unless it is not accepted";
  plain.request = get("/style.css", range("bytes=0-1") + "Accept-Encoding: gzip, identity;q=0\r\n");
  plain.fields = {is("Content-Encoding", "gzip"), has("Vary", "Accept-Encoding")};
  plain.body = "\x1f\x8b";
  rows.push_back(plain);
  plain.name = "a range that is not to be heeded does not change the encoding";
  plain.request = get("/style.css", range("lines=0-1") + "Accept-Encoding: gzip\r\n");
  plain.status = 200;
  plain.body = "*";
  rows.push_back(plain);
}

}  // namespace

std::vector<Row> conditional_rows() {
  std::vector<Row> rows;
  add_conditions(rows);
  add_encodings(rows);
  add_ranges(rows);
  add_unheeded_ranges(rows);
  add_other_ranges(rows);
  add_encoded_ranges(rows);
  return rows;
}

}  // namespace http_test
