// SPDX-License-Identifier: ISC
// tests/http/answer.hpp: an HTTP answer as a client reads it.
//
// Method:  strict where a client may be, so that a sloppy server is noticed.

#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http_test {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  // The value; nothing if the field is not there. Names are compared in any case.
  [[nodiscard]] std::optional<std::string> field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key.size() != name.size()) continue;
      bool same = true;
      for (std::size_t i = 0; i < key.size(); ++i) {
        same = same && (key[i] | 0x20) == (name[i] | 0x20);
      }
      if (same) return value;
    }
    return std::nullopt;
  }
};

// Takes one answer off the front of `bytes`. Nothing: it is not all there, or not an answer, and
// then `why` says so. `to_head`: it answers HEAD, and has no body.
inline std::optional<Answer> take_answer(std::string& bytes, bool to_head, std::string& why) {
  std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string_view head = std::string_view(bytes).substr(0, end + 2);
  Answer answer;
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 14 || head[12] != ' ') {
    why = "not a status line";
    return std::nullopt;
  }
  answer.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    std::size_t line_end = head.find("\r\n");
    std::string_view line = head.substr(0, line_end);
    std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      why = "not a field: " + std::string(line);
      return std::nullopt;
    }
    std::string name(line.substr(0, colon));
    if (answer.field(name)) {
      why = "twice: " + name;
      return std::nullopt;
    }
    answer.fields.emplace_back(std::move(name), std::string(line.substr(colon + 2)));
    head.remove_prefix(line_end + 2);
  }
  std::size_t length = 0;
  auto said = answer.field("Content-Length");
  bool bodyless = answer.status == 204 || answer.status == 304;
  if (bodyless && said) why = "Content-Length in an answer that has no body";
  if (!bodyless && !said) why = "no Content-Length";
  if (!why.empty()) return std::nullopt;
  if (!bodyless && !to_head) length = std::strtoull(said->c_str(), nullptr, 10);
  if (bytes.size() < end + 4 + length) return std::nullopt;
  answer.body = bytes.substr(end + 4, length);
  bytes.erase(0, end + 4 + length);
  return answer;
}

// What has come, cut into answers; "" after the last that is whole.
inline std::string statuses(std::string bytes) {
  std::string out, why;
  while (auto answer = take_answer(bytes, false, why)) {
    out += std::to_string(answer->status) + " ";
  }
  return out + why + (bytes.empty() ? "" : "...");
}

}  // namespace http_test
