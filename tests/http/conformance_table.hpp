// SPDX-License-Identifier: ISC
// tests/http/conformance_table.hpp: what any server of ours must answer, whatever it stands on.
//
// Method:  one table of requests, byte for byte, and what must come back; independent of the
//          transport. conformance_test.cpp runs it in memory, cut at every byte; the program
//          conformance_client runs it against a server at an address (kernel sockets, TLS, guests).
// Site:    site() is what the server must serve, each file last modified at `site_modified_s`.
//          "$ETAG(/path)" in a request stands for the entity tag of that path's identity.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace http_test {

inline constexpr std::int64_t site_modified_s = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

struct File {
  std::string key;
  std::string bytes;
};

inline const std::string& alphabet() {
  static const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  return text;
}

// Functions, not lambdas: those are constexpr, and in each source g++ 12 would try for four seconds
// to make these texts at compile time.
inline std::string make_large() {
  std::string out;
  for (unsigned i = 0; i < 100'000; ++i) out += static_cast<char>((i * 7 + i / 251) & 0xff);
  return out;
}
inline std::string make_style() {
  std::string out;
  for (int i = 0; i < 300; ++i) out += "p.class" + std::to_string(i) + " { margin: 0 }\n";
  return out;
}

inline const std::string& large() {
  static const std::string text = make_large();
  return text;
}

inline const std::string& style() {
  static const std::string text = make_style();
  return text;
}

inline std::vector<File> site() {
  return {
      {".well-known/security.txt", "Contact: mailto:nobody@example.org\n"},
      {"404.html", "<!doctype html>nothing here\n"},
      {"a.txt", alphabet()},
      {"blog/404.html", "<!doctype html>no such post\n"},
      {"blog/2024/post.html", "<!doctype html>post\n"},
      {"dir/index.html", "<!doctype html>dir\n"},
      {"dir/page.html", "<!doctype html>page\n"},
      {"empty.txt", ""},
      {"feed.xml", "<feed/>\n"},
      {"hash#sign.txt", "hash\n"},
      {"index.html", "<!doctype html>home\n"},
      {"large.bin", large()},
      {"main.3f2a9c1b.js", "1;\n"},
      {"noindex/file.txt", "file\n"},
      {"per%cent.txt", "percent\n"},
      {"question?mark.txt", "question\n"},
      {"sp ace/in dex.txt", "space\n"},
      {"style.css", style()},
      {"\xc3\xbcml\xc3\xa4ut/\xe6\x97\xa5\xe6\x9c\xac.html", "<!doctype html>unicode\n"},
  };
}

struct Expected {
  enum class Kind : std::uint8_t { equals, absent, contains };
  std::string name;
  std::string value;
  Kind kind = Kind::equals;
};
inline Expected is(std::string name, std::string value) {
  return {std::move(name), std::move(value)};
}
inline Expected no(std::string name) { return {std::move(name), "", Expected::Kind::absent}; }
inline Expected has(std::string name, std::string value) {
  return {std::move(name), std::move(value), Expected::Kind::contains};
}

struct Row {
  std::string name;
  std::string request;
  int status = 0;
  std::vector<Expected> fields;
  // The whole body; "*": any. Of an answer to HEAD always empty.
  std::string body = "*";
  bool stays_open = true;
  // Only where the server has smaller representations of style.css.
  bool needs_encodings = false;

  [[nodiscard]] bool is_head() const { return request.starts_with("HEAD "); }
};

inline std::string ask(std::string_view method, std::string_view target,
                       std::string_view fields = "") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: example.org\r\n" +
         std::string(fields) + "\r\n";
}
inline std::string get(std::string_view target, std::string_view fields = "") {
  return ask("GET", target, fields);
}

// Each in its own header, so that a reader finds a subject in one place.
std::vector<Row> basic_rows();        // methods, targets, redirects, pages, connections
std::vector<Row> conditional_rows();  // entity tags, dates, encodings, ranges
std::vector<Row> hostile_rows();      // what must be refused, and what must not desynchronise

inline std::vector<Row> conformance_table() {
  std::vector<Row> all = basic_rows();
  for (auto* more : {conditional_rows, hostile_rows}) {
    std::vector<Row> rows = more();
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

}  // namespace http_test
