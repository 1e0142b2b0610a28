// SPDX-License-Identifier: ISC
// tests/http/conformance.hpp: runs rows of the conformance table over any transport.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/http/answer.hpp"
#include "tests/http/conformance_table.hpp"

namespace http_test {

// One connection as a client has it. A new one for every row.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void send(std::string_view bytes) = 0;
  // Appends what has come; waits for it. False: nothing more comes.
  virtual bool receive(std::string& into) = 0;
  // The server has ended the stream; waits for it, but not for ever.
  virtual bool is_ended() = 0;
};

// Waits for one answer. `why` says what is wrong with it, if anything is.
inline std::optional<Answer> next_answer(Peer& peer, std::string& bytes, bool to_head,
                                         std::string& why) {
  for (;;) {
    auto answer = take_answer(bytes, to_head, why);
    if (answer || !why.empty()) return answer;
    if (!peer.receive(bytes)) {
      why = bytes.empty() ? "no answer" : "half an answer: " + bytes.substr(0, 200);
      return std::nullopt;
    }
  }
}

// What rows refer to: entity tags, asked for once.
using Etags = std::map<std::string, std::string>;

template <class MakePeer>
Etags collect_etags(MakePeer make_peer) {
  Etags etags;
  for (const char* path : {"/a.txt", "/index.html", "/style.css"}) {
    auto peer = make_peer();
    peer->send(get(path, "Connection: close\r\n"));
    std::string bytes, why;
    auto answer = next_answer(*peer, bytes, false, why);
    etags[path] = answer ? answer->field("ETag").value_or("missing") : "missing: " + why;
  }
  return etags;
}

inline std::string with_etags(std::string text, const Etags& etags) {
  for (const auto& [path, etag] : etags) {
    std::string name = "$ETAG(" + path + ")";
    for (std::size_t at; (at = text.find(name)) != std::string::npos;) {
      text.replace(at, name.size(), etag);
    }
  }
  return text;
}

// What is wrong with an answer to `row`; empty if nothing is.
inline std::string fault_of(const Row& row, const Answer& answer, const Etags& etags) {
  if (answer.status != row.status) return "status is " + std::to_string(answer.status);
  if (!answer.field("Date")) return "no Date";
  for (const Expected& expected : row.fields) {
    auto value = answer.field(expected.name);
    std::string wanted = with_etags(expected.value, etags);
    switch (expected.kind) {
      case Expected::Kind::absent:
        if (value) return expected.name + " is there: " + *value;
        break;
      case Expected::Kind::equals:
        if (!value) return "no " + expected.name;
        if (*value != wanted) return expected.name + " is " + *value + ", not " + wanted;
        break;
      case Expected::Kind::contains:
        if (!value) return "no " + expected.name;
        if (value->find(wanted) == std::string::npos) return expected.name + " is " + *value;
        break;
    }
  }
  if (row.body == "*" || row.is_head()) return "";
  std::string wanted = row.body;
  std::string type = answer.field("Content-Type").value_or("");
  std::size_t boundary = type.find("boundary=");
  for (std::size_t at; (at = wanted.find("$BOUNDARY")) != std::string::npos;) {
    if (boundary == std::string::npos) return "no boundary";
    wanted.replace(at, 9, type.substr(boundary + 9));
  }
  return answer.body == wanted ? "" : "body is " + answer.body.substr(0, 300);
}

// Runs one row, sent in the pieces that end at `cuts`. Answers what is wrong, if anything is; and
// in `transcript` what came.
template <class MakePeer>
std::string run_row(const Row& row, const Etags& etags, MakePeer make_peer,
                    const std::vector<std::size_t>& cuts, std::string* transcript = nullptr) {
  auto peer = make_peer();
  std::string request = with_etags(row.request, etags);
  std::size_t from = 0;
  for (std::size_t cut : cuts) {
    if (cut <= from || cut >= request.size()) continue;
    peer->send(std::string_view(request).substr(from, cut - from));
    from = cut;
  }
  peer->send(std::string_view(request).substr(from));
  std::string bytes, why;
  auto answer = next_answer(*peer, bytes, row.is_head(), why);
  if (!answer) return why;
  if (transcript != nullptr) {
    *transcript = std::to_string(answer->status);
    for (const auto& [name, value] : answer->fields) *transcript += "\n" + name + ": " + value;
    *transcript += "\n\n" + answer->body;
  }
  std::string fault = fault_of(row, *answer, etags);
  if (!fault.empty()) return fault;
  if (!row.stays_open) {
    if (!peer->is_ended()) return "the connection stays open";
    while (peer->receive(bytes)) {
    }
    return bytes.empty() ? "" : "a second answer: " + bytes.substr(0, 200);
  }
  // That it is open, and in step, is shown by another request.
  peer->send(get("/dir/page.html"));
  auto second = next_answer(*peer, bytes, false, why);
  if (!second) return "a second request: " + why;
  if (second->status != 200 || second->body != "<!doctype html>page\n" || !bytes.empty()) {
    return "out of step: " + std::to_string(second->status) + " " + second->body + bytes;
  }
  return "";
}

}  // namespace http_test
