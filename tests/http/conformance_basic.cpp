// SPDX-License-Identifier: ISC
// tests/http/conformance_basic.cpp: methods, targets, redirects, pages, connections.

#include "tests/http/conformance_table.hpp"

namespace http_test {

namespace {

const std::string home = "<!doctype html>home\n";
const std::string nothing = "<!doctype html>nothing here\n";
const std::string html = "text/html; charset=utf-8";

void add_methods(std::vector<Row>& rows) {
  const std::string allow = "GET, HEAD, OPTIONS";
  rows.insert(
      rows.end(),
      {
          {"get",
           get("/a.txt"),
           200,
           {is("Content-Type", "text/plain; charset=utf-8"), is("Content-Length", "36"),
            is("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), is("Cache-Control", "no-cache"),
            is("X-Content-Type-Options", "nosniff"), is("Accept-Ranges", "bytes"),
            has("Date", " GMT"), has("ETag", "\""), no("Content-Encoding"), no("Connection"),
            no("Transfer-Encoding")},
           alphabet()},
          {"head",
           ask("HEAD", "/a.txt"),
           200,
           {is("Content-Length", "36"), is("Content-Type", "text/plain; charset=utf-8"),
            has("ETag", "\""), is("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")}},
          {"head of nothing", ask("HEAD", "/nothing"), 404, {is("Content-Type", html)}},
          {"head of a directory", ask("HEAD", "/dir"), 301, {is("Location", "/dir/")}},
          {"options", ask("OPTIONS", "/a.txt"), 204, {is("Allow", allow), no("Content-Length")}},
          {"options of all", ask("OPTIONS", "*"), 204, {is("Allow", allow)}},
          {"options of nothing", ask("OPTIONS", "/nothing"), 204, {is("Allow", allow)}},
          {"asterisk for get", get("*"), 400, {}, "*", false},
          {"post",
           ask("POST", "/a.txt", "Content-Length: 3\r\n") + "abc",
           405,
           {is("Allow", allow)}},
          {"post without a body", ask("POST", "/a.txt"), 405, {is("Allow", allow)}},
          {"post of an empty body",
           ask("POST", "/", "Content-Length: 0\r\n"),
           405,
           {is("Allow", allow)}},
          {"put", ask("PUT", "/a.txt", "Content-Length: 1\r\n") + "x", 405, {is("Allow", allow)}},
          {"delete", ask("DELETE", "/a.txt"), 405, {is("Allow", allow)}},
          {"patch", ask("PATCH", "/a.txt"), 405, {is("Allow", allow)}},
          {"trace", ask("TRACE", "/a.txt"), 405, {is("Allow", allow)}},
          {"connect", ask("CONNECT", "example.org:443"), 405, {is("Allow", allow)}},
          {"an unknown method", ask("BREW", "/a.txt"), 501, {}},
          {"methods are in capitals", ask("get", "/a.txt"), 501, {}},
          {"a long method", ask(std::string(100, 'A'), "/a.txt"), 501, {}},
          {"a method longer than a request line",
           ask(std::string(9000, 'A'), "/a.txt"),
           501,
           {is("Connection", "close")},
           "*",
           false},
          {"a method longer than a head",
           std::string(40'000, 'A'),
           501,
           {is("Connection", "close")},
           "*",
           false},
      });
}

void add_bodies(std::vector<Row>& rows) {
  rows.insert(
      rows.end(),
      {{"get with a body", get("/a.txt", "Content-Length: 5\r\n") + "hello", 200, {}, alphabet()},
       {"get with a chunked body",
        get("/a.txt", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
        200,
        {},
        alphabet()},
       {"chunks with extensions and a trailer",
        get("/a.txt", "transfer-encoding: CHUNKED\r\n") +
            "3;a=b;c=\"d e\"\r\nabc\r\n00000A\r\n0123456789\r\n0;x\r\nTrailer: t\r\nU: v\r\n\r\n",
        200,
        {},
        alphabet()},
       {"post of chunks",
        ask("POST", "/", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        405,
        {}},
       {"a body at the limit",
        ask("POST", "/", "Content-Length: 65536\r\n") + std::string(65536, 'x'),
        405,
        {}},
       {"a body above the limit",
        ask("POST", "/", "Content-Length: 65537\r\n"),
        413,
        {},
        "*",
        false},
       {"a body far above the limit",
        ask("POST", "/", "Content-Length: 99999999999999999999999999\r\n"),
        413,
        {},
        "*",
        false},
       {"a chunk above the limit",
        ask("POST", "/", "Transfer-Encoding: chunked\r\n") + "10001\r\n",
        413,
        {},
        "*",
        false}});
}

void add_targets(std::vector<Row>& rows) {
  auto found = [&](std::string name, std::string_view target, std::string body) {
    rows.push_back({std::move(name), get(target), 200, {}, std::move(body)});
  };
  found("the root", "/", home);
  found("the root's index by name", "/index.html", home);
  found("a directory's index", "/dir/", "<!doctype html>dir\n");
  found("a query", "/a.txt?x=1&y=/../z?", alphabet());
  found("a query of the root", "/?", home);
  found("percent-encoded letters", "/%61%2etxt", alphabet());
  found("an encoded percent sign", "/per%25cent.txt", "percent\n");
  found("an encoded question mark", "/question%3Fmark.txt", "question\n");
  found("an encoded hash sign", "/hash%23sign.txt", "hash\n");
  found("encoded spaces", "/sp%20ace/in%20dex.txt", "space\n");
  found("encoded UTF-8", "/%c3%bcml%C3%A4ut/%e6%97%a5%E6%9C%AC.html", "<!doctype html>unicode\n");
  found("a dot file that is meant to be public", "/.well-known/security.txt",
        "Contact: mailto:nobody@example.org\n");
  found("dot segments", "/./dir/../dir/./page.html", "<!doctype html>page\n");
  found("dot segments above the root", "/../../../a.txt", alphabet());
  found("encoded dot segments", "/dir/%2e%2E/a.txt", alphabet());
  found("a dot segment at the end", "/dir/.", "<!doctype html>dir\n");
  found("two dots at the end", "/dir/x/..", "<!doctype html>dir\n");
  found("empty segments", "//dir///page.html", "<!doctype html>page\n");
  found("absolute form", "http://example.org/a.txt", alphabet());
  found("absolute form of TLS", "HTTPS://example.org:443/a.txt?q", alphabet());
  found("absolute form without a path", "http://example.org", home);
  found("absolute form with only a query", "http://example.org?q", home);
}

void add_absent(std::vector<Row>& rows) {
  auto absent = [&](std::string name, std::string_view target, std::string body = nothing) {
    rows.push_back({std::move(name),
                    get(target),
                    404,
                    {is("Content-Type", html), is("Cache-Control", "no-cache"),
                     is("X-Content-Type-Options", "nosniff"), no("ETag"), no("Last-Modified"),
                     no("Accept-Ranges")},
                    std::move(body)});
  };
  absent("nothing", "/nothing");
  absent("a value with a slash", "/a.txt/");
  absent("below a value", "/a.txt/b");
  absent("the case of letters", "/A.TXT");
  absent("a directory without an index", "/noindex/");
  absent("a directory without an index or a slash", "/noindex");
  absent("an encoded slash", "/dir%2fpage.html");
  absent("encoded slashes upwards", "/dir/..%2f..%2f..%2fetc%2fpasswd");
  absent("backslashes upwards", "/..\\..\\etc\\passwd");
  absent("invalid UTF-8", "/%ff%fe");
  absent("overlong dots", "/%c0%ae%c0%ae/a.txt");
  absent("twice encoded dots", "/dir/%252e%252e/a.txt");
  absent("a space at the end", "/a.txt%20");
  absent("an encoded newline", "/a.txt%0a");
  absent("the nearest page", "/blog/2024/nothing", "<!doctype html>no such post\n");
  absent("the nearest page far below", "/blog/a/b/c/d/e/", "<!doctype html>no such post\n");
  absent("the nearest page of a directory", "/blog/", "<!doctype html>no such post\n");
  absent("the root's page from a sibling's name", "/blogs/nothing");
}

void add_refused(std::vector<Row>& rows) {
  auto refused = [&](std::string name, std::string_view target) {
    rows.push_back({std::move(name), get(target), 400, {is("Connection", "close")}, "*", false});
  };
  refused("raw UTF-8", "/\xc3\xbcml\xc3\xa4ut/\xe6\x97\xa5\xe6\x9c\xac.html");
  refused("a raw byte in a query", "/a.txt?\xff");
  refused("an encoded NUL", "/a.txt%00");
  refused("an encoded NUL upwards", "/..%00/a.txt");
  refused("half an escape", "/a%2");
  refused("a lone percent sign", "/%");
  refused("an escape that is none", "/%zz");
  refused("a signed escape", "/%+1");
  refused("a fragment", "/a.txt#x");
  refused("a fragment in a query", "/a.txt?q#x");
  refused("a relative target", "a.txt");
  refused("authority form", "example.org:80");
  refused("another scheme", "ftp://example.org/a.txt");
  refused("absolute form without a host", "http:///a.txt");
  refused("absolute form with a user", "http://user@example.org/a.txt");
  refused("absolute form with two ports", "http://example.org:80:80/a.txt");
  refused("absolute form with half an address", "http://[::1/a.txt");
  refused("absolute form with only a port", "http://:80/a.txt");
  rows.push_back({"a target at the limit", get("/" + std::string(8191, 'x')), 404, {}});
  rows.push_back(
      {"a target above the limit", get("/" + std::string(8192, 'x')), 414, {}, "*", false});
  rows.push_back(
      {"a target far above the limit", "GET /" + std::string(40'000, 'x'), 414, {}, "*", false});
  rows.push_back({"two fields of 5 KB",
                  get("/a.txt", "Cookie: " + std::string(5000, 'c') +
                                    "\r\nX: " + std::string(5000, 'x') + "\r\n"),
                  200,
                  {},
                  alphabet()});
  rows.push_back(
      {"a long head with a body",
       get("/a.txt", "Cookie: " + std::string(31'000, 'c') + "\r\nTransfer-Encoding: chunked\r\n") +
           "3\r\nabc\r\n0\r\nX: " + std::string(3000, 'x') + "\r\n\r\n",
       200,
       {},
       alphabet()});
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "/x";
  rows.push_back({"a deep target", get(deep), 404, {}, nothing});
}

void add_redirects(std::vector<Row>& rows) {
  auto moved = [&](std::string name, std::string_view target, std::string to) {
    rows.push_back({std::move(name),
                    get(target),
                    301,
                    {is("Location", std::move(to)), is("Content-Type", html)}});
  };
  moved("a directory without a slash", "/dir", "/dir/");
  moved("its query is kept", "/dir?a=b&c", "/dir/?a=b&c");
  moved("no redirect to another host", "//dir", "/dir/");
  moved("no redirect to another host by dots", "/.//dir", "/dir/");
  moved("absolute form", "http://example.org/dir?q", "/dir/?q");
}

void add_representations(std::vector<Row>& rows) {
  rows.insert(rows.end(),
              {{"an empty value", get("/empty.txt"), 200, {is("Content-Length", "0")}, ""},
               {"a large value",
                get("/large.bin"),
                200,
                {is("Content-Type", "application/octet-stream"), is("Content-Length", "100000")},
                large()},
               {"a fingerprinted name",
                get("/main.3f2a9c1b.js"),
                200,
                {is("Cache-Control", "public, max-age=31536000, immutable"),
                 is("Content-Type", "text/javascript; charset=utf-8")}},
               {"a feed", get("/feed.xml"), 200, {is("Content-Type", "application/xml")}},
               {"a page is HTML", get("/dir/page.html"), 200, {is("Content-Type", html)}},
               {"a page is not immutable",
                get("/404.html"),
                200,
                {is("Cache-Control", "no-cache")},
                nothing}});
}

void add_connections(std::vector<Row>& rows) {
  const std::string line = "GET /a.txt HTTP/1.0\r\n";
  rows.insert(
      rows.end(),
      {{"close is answered by close",
        get("/a.txt", "Connection: close\r\n"),
        200,
        {is("Connection", "close")},
        alphabet(),
        false},
       {"close in a list",
        get("/a.txt", "Connection: foo , CLOSE\r\n"),
        200,
        {is("Connection", "close")},
        alphabet(),
        false},
       {"close in a second line",
        get("/a.txt", "Connection: x\r\nconnection: close\r\n"),
        200,
        {is("Connection", "close")},
        alphabet(),
        false},
       {"close outdoes keep-alive",
        get("/a.txt", "Connection: keep-alive, close\r\n"),
        200,
        {is("Connection", "close")},
        alphabet(),
        false},
       {"HTTP/1.0", line + "\r\n", 200, {is("Connection", "close")}, alphabet(), false},
       {"HTTP/1.0 with a host", line + "Host: a\r\n\r\n", 200, {}, alphabet(), false},
       {"HTTP/1.0 kept alive",
        line + "Connection: Keep-Alive\r\n\r\n",
        200,
        {is("Connection", "keep-alive")},
        alphabet(),
        true},
       {"HTTP/1.2 is HTTP/1.1", "GET /a.txt HTTP/1.2\r\nHost: a\r\n\r\n", 200, {}, alphabet()},
       {"HTTP/2.0", "GET /a.txt HTTP/2.0\r\nHost: a\r\n\r\n", 505, {}, "*", false},
       {"HTTP/0.9 with a number", "GET /a.txt HTTP/0.9\r\n\r\n", 505, {}, "*", false},
       {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, {}, "*", false},
       {"a blank line before", "\r\n" + get("/a.txt"), 200, {}, alphabet()},
       {"expect 100-continue without a body",
        get("/a.txt", "Expect: 100-continue\r\n"),
        200,
        {},
        alphabet()},
       {"expect 100-continue",
        ask("POST", "/", "Expect: 100-Continue\r\nContent-Length: 10\r\n"),
        405,
        {is("Connection", "close")},
        "*",
        false},
       {"an unknown expectation", get("/a.txt", "Expect: tea\r\n"), 417, {}},
       {"an unknown expectation of a body",
        ask("POST", "/", "Expect: tea\r\nContent-Length: 10\r\n"),
        417,
        {},
        "*",
        false},
       {"expectations are HTTP/1.1's", line + "Expect: tea\r\n\r\n", 200, {}, alphabet(), false},
       {"an empty host", "GET /a.txt HTTP/1.1\r\nHost:\r\n\r\n", 200, {}, alphabet()},
       {"a host with a port",
        "GET /a.txt HTTP/1.1\r\nHOST: \t[::1]:8080 \t\r\n\r\n",
        200,
        {},
        alphabet()}});
}

}  // namespace

std::vector<Row> basic_rows() {
  std::vector<Row> rows;
  add_methods(rows);
  add_bodies(rows);
  add_targets(rows);
  add_absent(rows);
  add_refused(rows);
  add_redirects(rows);
  add_representations(rows);
  add_connections(rows);
  return rows;
}

}  // namespace http_test
