// SPDX-License-Identifier: ISC
// tests/http/h2/conformance.hpp: rows of HTTP/1.1's conformance table as HTTP/2 asks them.
//
// Method:   a row's request is put into fields for an h2_test::Client; its answer is put into
//           HTTP/1.1's form and judged as ever. conformance_test.cpp does so in memory, the program
//           conformance_client against a server at an address.
// Left out: rows about HTTP/1.1's own syntax (bare controls, versions, codings, Connection).

#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/syntax.hpp"
#include "tests/http/conformance.hpp"
#include "tests/http/h2/client.hpp"

namespace h2_test {

using http_test::Row;

struct Asked {
  Fields fields;
  std::string body;
  bool open = false;  // a part of the body never comes
};

// Nothing: HTTP/2 has no such request.
inline std::optional<Asked> asked_of(const std::string& request, const std::string& scheme) {
  const std::size_t end = request.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string head = request.substr(0, end + 2);
  if (std::ranges::any_of(head, [](char c) { return c != '\r' && c != '\n' && (c & 0x7f) < 32; })) {
    return std::nullopt;
  }
  const std::string line = head.substr(0, head.find("\r\n"));
  head.erase(0, line.size() + 2);
  const std::size_t one = line.find(' '), two = line.rfind(' ');
  if (one == 0 || one == std::string::npos || one == two || line.substr(two) != " HTTP/1.1") {
    return std::nullopt;
  }
  const std::string method = line.substr(0, one), target = line.substr(one + 1, two - one - 1);
  const bool is_path = target.starts_with('/') || (target == "*" && method == "OPTIONS");
  if ((!is_path && method != "CONNECT") || target.find(' ') != std::string::npos) {
    return std::nullopt;
  }
  Asked asked{{{":method", method}}, request.substr(end + 4)};
  if (method != "CONNECT") {
    asked.fields.emplace_back(":scheme", scheme);
    asked.fields.emplace_back(":path", target);
  }
  std::optional<std::string> host;
  Fields others;
  while (!head.empty()) {
    const std::size_t line_end = head.find("\r\n"), colon = head.find(':');
    if (colon == std::string::npos || colon > line_end || colon == 0) return std::nullopt;
    std::string name = head.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::string value(
        http::trimmed(std::string_view(head).substr(colon + 1, line_end - colon - 1)));
    head.erase(0, line_end + 2);
    for (const char* own : {"connection", "transfer-encoding", "keep-alive", "upgrade", "te"}) {
      if (name == own) return std::nullopt;
    }
    if (name.find(' ') != std::string::npos || name.find('\n') != std::string::npos) {
      return std::nullopt;
    }
    if (name == "host" && host) return std::nullopt;
    if (name == "content-length")
      asked.open = std::strtoull(value.c_str(), nullptr, 10) > asked.body.size();
    if (name == "host") {
      host = value;
    } else {
      others.emplace_back(name, value);
    }
  }
  if (!host || host->empty()) return std::nullopt;
  asked.fields.emplace_back(":authority", method == "CONNECT" ? target : *host);
  asked.fields.insert(asked.fields.end(), others.begin(), others.end());
  return asked;
}

inline http_test::Answer answer_of(const Response& response) {
  http_test::Answer answer;
  answer.status = std::atoi(response.status.c_str());
  answer.fields = response.fields;
  answer.body = response.body;
  return answer;
}

// nghttp2 reads no length that has more than 63 bits.
inline bool has_huge_length(const Row& row) {
  const std::string name = "Content-Length: ";
  const std::size_t at = row.request.find(name);
  return at != std::string::npos &&
         std::strtoull(row.request.c_str() + at + name.size(), nullptr, 10) > (1ULL << 62U);
}

// What the table expects of HTTP/1.1's connection is not asked of HTTP/2's.
inline Row without_connection(Row row) {
  std::erase_if(row.fields, [](const auto& field) { return field.name == "Connection"; });
  return row;
}

// What is wrong with the answer, if anything is.
inline std::string fault_of(const Row& row, const Response& response,
                            const http_test::Etags& etags) {
  // A malformed request may be answered by a reset (RFC 9113 section 8.1.1).
  const bool is_malformed = row.status == 400 || has_huge_length(row);
  if (!response.is_whole && is_malformed && response.reset == NGHTTP2_PROTOCOL_ERROR) return "";
  if (!response.is_whole) {
    return "no whole answer" + std::string(response.reset < 0 ? "" : ", but a reset");
  }
  const std::string length = response.field("content-length");
  if (!row.is_head() && length != "(none)" && std::to_string(response.body.size()) != length) {
    return "content-length " + length + " of " + std::to_string(response.body.size());
  }
  return http_test::fault_of(without_connection(row), answer_of(response), etags);
}

// Sends what the client has to say, in pieces of `step` bytes (0: whole), and hands it what comes,
// until `is_done`. False: the server sends no more.
template <class IsDone>
bool converse(http_test::Peer& peer, Client& client, std::size_t step, IsDone is_done) {
  for (std::string came;; came.clear()) {
    const std::string out = client.give();
    const std::size_t most = step == 0 ? out.size() : step;
    for (std::size_t at = 0; at < out.size(); at += most) {
      peer.send(std::string_view(out).substr(at, most));
    }
    if (is_done()) return true;
    if (!peer.receive(came)) return false;
    client.take(came);
  }
}

// So many rows as one connection may have streams, all at once; then one request more, which shows
// that it is in step. `report` is called with a row's name and its fault.
template <class Report>
void run_rows(const std::vector<std::pair<Row, Asked>>& rows, const http_test::Etags& etags,
              http_test::Peer& peer, std::size_t step, Report report) {
  Client client;
  std::vector<std::int32_t> ids;
  for (const auto& [row, asked] : rows) {
    ids.push_back(client.ask(asked.fields, asked.body, asked.open));
  }
  converse(peer, client, step, [&] {
    return std::ranges::all_of(ids, [&](std::int32_t id) {
      return client.responses[id].is_whole || client.responses[id].reset >= 0;
    });
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string fault = fault_of(rows[i].first, client.responses[ids[i]], etags);
    if (!fault.empty()) report(rows[i].first.name, fault);
  }
  const std::int32_t last = client.get("/dir/page.html");
  converse(peer, client, step, [&] { return client.responses[last].is_whole; });
  if (client.responses[last].body != "<!doctype html>page\n" || !client.goaways.empty()) {
    report("a request after them", client.goaways.empty() ? "no answer" : "GOAWAY");
  }
}

inline http_test::Etags collect_etags(http_test::Peer& peer) {
  Client client;
  http_test::Etags etags;
  for (const char* path : {"/a.txt", "/index.html", "/style.css"}) {
    const auto id = client.get(path);
    converse(peer, client, 0, [&] { return client.responses[id].is_whole; });
    etags[path] = client.responses[id].field("etag");
  }
  return etags;
}

}  // namespace h2_test
