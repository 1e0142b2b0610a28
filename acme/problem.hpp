// SPDX-License-Identifier: ISC
// acme/problem.hpp: what a CA says that is for the log.
//
// States:  printable, detail_of.   Source: RFC 7807.   May include: acme/json.hpp.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "acme/json.hpp"

namespace acme {

// In printable ASCII, cut where it is long.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out(text.substr(0, 300));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// `otherwise`, if `problem` says nothing.
[[nodiscard]] inline std::string detail_of(const Json& problem, std::string_view otherwise) {
  const std::string_view detail = problem["detail"].string();
  const std::string_view type = problem["type"].string();
  if (detail.empty() && type.empty()) return std::string(otherwise);
  return printable(detail) + " (" + printable(type) + ")";
}

}  // namespace acme
