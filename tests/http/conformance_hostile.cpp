// SPDX-License-Identifier: ISC
// tests/http/conformance_hostile.cpp: what must be refused, and what must not desynchronise.
//
// Method:  every request that two parsers in a row could read differently gets 400 and the end of
//          the connection, so that no byte after it is taken for a request. Many rows carry a
//          smuggled request behind them: its answer must not come.

#include "tests/http/conformance_table.hpp"

namespace http_test {

namespace {

const std::string line = "GET /a.txt HTTP/1.1\r\n";
const std::string host = "Host: example.org\r\n";
const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n";

class Rows {
 public:
  explicit Rows(std::vector<Row>& rows) : rows_(rows) {}
  void refused(std::string name, std::string request, int status = 400) {
    rows_.push_back(
        {std::move(name), std::move(request), status, {is("Connection", "close")}, "*", false});
  }
  // The fields of a POST to /, and what follows its head.
  void framing(std::string name, const std::string& fields, const std::string& rest,
               int status = 400) {
    refused(std::move(name), ask("POST", "/", fields) + rest, status);
  }

 private:
  std::vector<Row>& rows_;
};

void add_lines(Rows rows) {
  using namespace std::string_literals;
  rows.refused("bare LF in the request line", "GET /a.txt HTTP/1.1\n" + host + "\r\n");
  rows.refused("bare LF after a field", line + "Host: example.org\n\r\n");
  rows.refused("bare LF for the empty line", line + host + "\n");
  rows.refused("all bare LF", "GET /a.txt HTTP/1.1\nHost: a\n\n" + smuggled);
  rows.refused("bare CR in the request line", "GET /a.txt\rHTTP/1.1\r\n" + host + "\r\n");
  rows.refused("bare CR in a value", line + host + "X: a\rb\r\n\r\n");
  rows.refused("bare CR before CRLF", line + host + "X: a\r\r\n\r\n");
  rows.refused("NUL in the target", "GET /a\0b HTTP/1.1\r\n"s + host + "\r\n");
  rows.refused("NUL in a name", line + host + "X\0Y: a\r\n\r\n"s);
  rows.refused("NUL in a value", line + host + "X: a\0b\r\n\r\n"s);
  rows.refused("DEL in a value", line + host + "X: a\x7f\r\n\r\n");
  rows.refused("ESC in a value", line + host + "X: \x1b[0m\r\n\r\n");
  rows.refused("a folded line", line + host + "X: a\r\n b\r\n\r\n");
  rows.refused("a line folded by a tab", line + host + "X: a\r\n\tb\r\n\r\n");
  rows.refused("a folded line before any field", line + " X: a\r\n" + host + "\r\n");
  rows.refused("space before a colon", line + host + "X : a\r\n\r\n");
  rows.refused("Connection is no list of tokens", line + host + "Connection: a: close\r\n\r\n");
  rows.refused("Connection with two words", line + host + "Connection: keep alive, x\r\n\r\n");
  rows.refused("tab before a colon", line + host + "X\t: a\r\n\r\n");
  rows.refused("no colon", line + host + "X\r\n\r\n");
  rows.refused("no name", line + host + ": a\r\n\r\n");
  rows.refused("a name with a slash", line + host + "X/Y: a\r\n\r\n");
  rows.refused("a name in UTF-8", line + host + "\xc3\xa4: a\r\n\r\n");
  rows.refused("no host", line + "\r\n");
  rows.refused("two hosts", line + host + host + "\r\n");
  rows.refused("two hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n");
  rows.refused("two spaces after the method", "GET  /a.txt HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("two spaces after the target", "GET /a.txt  HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("a tab in the request line", "GET\t/a.txt HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("a tab in the target", "GET /a\tb HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("a space in the target", "GET /sp ace HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("a space before the method", " " + get("/a.txt"));
  rows.refused("a space after the version", "GET /a.txt HTTP/1.1 \r\n" + host + "\r\n");
  rows.refused("no version", "GET /a.txt\r\n");
  rows.refused("half a version", "GET /a.txt HTTP/1\r\n" + host + "\r\n");
  rows.refused("a version in small letters", "GET /a.txt http/1.1\r\n" + host + "\r\n");
  rows.refused("a version of two digits", "GET /a.txt HTTP/1.10\r\n" + host + "\r\n");
  rows.refused("a method with a colon", "GE:T /a.txt HTTP/1.1\r\n" + host + "\r\n");
  rows.refused("three blank lines", "\r\n\r\n\r\n" + get("/a.txt"));
  rows.refused("TLS where there is none", "\x16\x03\x01\x02" + smuggled);
  rows.refused("a head above the limit",
               line + host + "X: " + std::string(32'768, 'x') + "\r\n\r\n", 431);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  rows.refused("too many fields", line + host + many + "\r\n", 431);
}

void add_hosts(std::vector<Row>& all) {
  for (std::string_view value : {"a b",
                                 "a/b",
                                 "a@b",
                                 "a:80:80",
                                 "a:b",
                                 "::1",
                                 "[::1]:80x",
                                 "%zz",
                                 "a%4",
                                 "a\xc3\xa4",
                                 "\xff",
                                 "[::1",
                                 "::1]",
                                 "[::1]a",
                                 "[]",
                                 "[1:2:3]",
                                 "[1:2:3:4:5:6:7:8:9]",
                                 "[::1::]",
                                 "[12345::]",
                                 "[g::]",
                                 "[1:2:3:4:5:6:7:]",
                                 "[:1:2:3:4:5:6:7]",
                                 "[::1.2.3]",
                                 "[::1.2.3.256]",
                                 "[::01.2.3.4]",
                                 "[1.2.3.4]",
                                 "[fe80::1%25eth0]",
                                 "[v1]",
                                 "[v.a]",
                                 "[vg.a]",
                                 "a?b",
                                 "a#b",
                                 "a\\b",
                                 "a\"b",
                                 "a<b",
                                 "a|b",
                                 "a^b",
                                 "a`b",
                                 "{a}",
                                 "a[b",
                                 ":80",
                                 "a:-1",
                                 "a:0x50",
                                 "a, b:1:2",
                                 "http://a"}) {
    Rows(all).refused("Host: " + std::string(value),
                      line + "Host: " + std::string(value) + "\r\n\r\n");
  }
  for (std::string_view value :
       {"", "a", "EXAMPLE.org.", "a:", "a:80", "a_b", "a,b;c=d", "a%20b", "1.2.3.4:80", "999.1",
        "[::]", "[::1]:80", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]",
        "[::ffff:192.0.2.1]:", "[1:2:3:4:5:6:1.2.3.4]", "[2001:DB8::1]", "[v1.a:b]"}) {
    all.push_back({"Host, well-formed: " + std::string(value),
                   line + "Host: " + std::string(value) + "\r\n\r\n",
                   200,
                   {},
                   alphabet()});
  }
}

void add_lengths(Rows rows) {
  for (std::string_view value : {"+4", "-4", "4 4", "4,4", "4, 4", "0x4", "4.0", "4e0", "", "four",
                                 "4;", "\"4\"", "_4", "4\xc2\xa0"}) {
    rows.framing("Content-Length: '" + std::string(value) + "'",
                 "Content-Length: " + std::string(value) + "\r\n", "abcd" + smuggled);
  }
  rows.framing("two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n", "abcd" + smuggled);
  rows.framing("two equal lengths", "Content-Length: 4\r\nContent-Length: 4\r\n",
               "abcd" + smuggled);
  rows.framing("a length that overflows 64 bits", "Content-Length: 18446744073709551620\r\n",
               "abcd" + smuggled, 413);
  rows.framing("CL.TE", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
               "0\r\n\r\nG" + smuggled);
  rows.framing("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
               "5c\r\n" + smuggled + "\r\n0\r\n\r\n");
  rows.framing("a length of nothing beside chunks",
               "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled);
  rows.refused("a length and a length with a space before its colon",
               ask("POST", "/", "Content-Length: 4\r\nContent-Length : 5\r\n") + "abcd" + smuggled);
}

void add_codings(Rows rows) {
  for (std::string_view value : {"xchunked",
                                 "chunkedx",
                                 "chunked, identity",
                                 "identity",
                                 "chunked, chunked",
                                 "chunked;q=1",
                                 "\"chunked\"",
                                 "chunk",
                                 "",
                                 ",chunked",
                                 "chunked,",
                                 "chunked, gzip",
                                 "[chunked",
                                 "c\xc4\xa7unked",
                                 "x, , chunked",
                                 "x y, chunked",
                                 "x;, chunked",
                                 "x, chunked, y",
                                 "x, chunked;q=1",
                                 "\"x\", chunked"}) {
    rows.framing("Transfer-Encoding: '" + std::string(value) + "'",
                 "Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n" + smuggled);
  }
  for (std::string_view value : {"gzip, chunked", "foo, chunked", "identity, chunked", "x,CHUNKED",
                                 "a, b\t,chunked", "foo;a=b, chunked", "x ; y, chunked"}) {
    rows.framing("Transfer-Encoding: '" + std::string(value) + "'",
                 "Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n" + smuggled, 501);
  }
  rows.framing("two codings in two lines",
               "Transfer-Encoding: foo\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled,
               501);
  rows.framing("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
               "0\r\n\r\n" + smuggled);
  rows.framing("two codings, one unknown",
               "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", "0\r\n\r\n" + smuggled);
  rows.framing("space before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + smuggled);
  rows.framing("space before the name", " Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + smuggled);
  rows.framing("folded", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + smuggled);
  rows.framing("vertical tab", "Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n" + smuggled);
  rows.framing("hidden behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n",
               "0\r\n\r\n" + smuggled);
  rows.refused("chunks in HTTP/1.0", "POST / HTTP/1.0\r\n" + host +
                                         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled);
}

void add_chunks(Rows rows) {
  using namespace std::string_literals;
  auto chunks = [&](std::string name, const std::string& body, int status = 400) {
    rows.framing(std::move(name), "Transfer-Encoding: chunked\r\n", body + smuggled, status);
  };
  chunks("a chunk size of nothing", "\r\nabc\r\n0\r\n\r\n");
  chunks("a chunk size that is none", "x\r\nabc\r\n0\r\n\r\n");
  chunks("a chunk size with 0x", "0x3\r\nabc\r\n0\r\n\r\n");
  chunks("a chunk size with a sign", "+3\r\nabc\r\n0\r\n\r\n");
  chunks("a negative chunk size", "-3\r\nabc\r\n0\r\n\r\n");
  chunks("space before a chunk size", " 3\r\nabc\r\n0\r\n\r\n");
  chunks("space after a chunk size", "3 \r\nabc\r\n0\r\n\r\n");
  chunks("a chunk size that overflows", "10000000000000003\r\nabc\r\n0\r\n\r\n");
  chunks("a chunk size of all ones", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n", 413);
  chunks("a chunk longer than its size", "3\r\nabcd\r\n0\r\n\r\n");
  chunks("a chunk shorter than its size", "5\r\nabc\r\n0\r\n\r\n");
  chunks("bare LF after a chunk size", "3\nabc\r\n0\r\n\r\n");
  chunks("bare LF after a chunk", "3\r\nabc\n0\r\n\r\n");
  chunks("bare CR after a chunk size", "3\rXabc\r\n0\r\n\r\n");
  chunks("bare LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n");
  chunks("bare LF in a quoted extension", "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n");
  chunks("NUL in a quoted extension", "3;a=\"\0\"\r\nabc\r\n0\r\n\r\n"s);
  chunks("an extension without a name", "3;\r\nabc\r\n0\r\n\r\n");
  chunks("an extension that goes on in the next line", "3;a=\"b\r\nabc\"\r\n0\r\n\r\n");
  chunks("bare LF after the last chunk", "0\n\r\n");
  chunks("a trailer that is none", "0\r\nX\r\n\r\n");
  chunks("a trailer with a space before its colon", "0\r\nX : y\r\n\r\n");
  chunks("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n");
  chunks("a trailer folded before its value", "0\r\nX:\r\n y\r\n\r\n");
  chunks("bare LF in a trailer", "0\r\nX: y\nZ: a\r\n\r\n");
  chunks("a trailer of framing", "0\r\nContent-Length: 5\r\n\r\n");
  chunks("a trailer of chunks", "0\r\nTransfer-Encoding: chunked\r\n\r\n");
  chunks("an extension without end", "3;" + std::string(20000, 'x'));
}

}  // namespace

std::vector<Row> hostile_rows() {
  std::vector<Row> rows;
  add_lines(Rows(rows));
  add_hosts(rows);
  add_lengths(Rows(rows));
  add_codings(Rows(rows));
  add_chunks(Rows(rows));
  return rows;
}

}  // namespace http_test
