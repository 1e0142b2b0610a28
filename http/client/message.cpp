// SPDX-License-Identifier: ISC
#include "http/client/message.hpp"

#include <algorithm>
#include <array>

#include "http/authority.hpp"
#include "http/scan.hpp"
#include "http/syntax.hpp"

namespace http::client {

namespace {

using std::string_view;

constexpr std::array<string_view, 3> method_names{"GET", "HEAD", "POST"};

// What decides where a message ends, or with whom we speak.
bool is_ours(string_view name) {
  constexpr std::array<string_view, 6> ours{"host",   "connection", "content-length",
                                            "expect", "upgrade",    "transfer-encoding"};
  return std::ranges::any_of(ours,
                             [&](string_view each) { return equals_ignoring_case(name, each); });
}

bool is_good(const Field& field) {
  return !field.name.empty() && std::ranges::all_of(field.name, is_token_char) &&
         !is_ours(field.name) &&
         !has_control(field.value.data(), field.value.data() + field.value.size());
}

bool is_good_target(string_view target) {
  return target.starts_with('/') &&
         std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
}

}  // namespace

string_view text_of(Error error) noexcept {
  switch (error) {
    case Error::malformed_url:
      return "this is not a URL of http or https";
    case Error::malformed_request:
      return "the request has bytes that HTTP does not allow";
    case Error::not_connected:
      return "there is no connection";
    case Error::broken:
      return "the connection broke before the answer was whole";
    case Error::timed_out:
      return "the answer did not come in time";
    case Error::cancelled:
      return "the request was cancelled";
    case Error::malformed_response:
      return "the answer is not well-formed HTTP/1.1";
    case Error::too_large:
      return "the answer is too large";
    case Error::too_many_redirects:
      return "there are too many redirects";
    case Error::bad_redirect:
      return "the answer redirects to an address that is not allowed";
    case Error::no_memory:
      return "there is no memory";
  }
  return {};
}

string_view Response::field(string_view name) const noexcept {
  const auto found = std::ranges::find_if(
      fields, [&](const Field& field) { return equals_ignoring_case(field.name, name); });
  return found != fields.end() ? string_view(found->value) : string_view();
}

base::Result<std::string, Error> encode(const Request& request) {
  const auto authority = parse_authority(request.host);
  const bool has_body = request.method == Method::post;
  if (!authority || authority->host.empty() || !is_good_target(request.target) ||
      !std::ranges::all_of(request.fields, is_good) || (!has_body && !request.body.empty())) {
    return base::failure(Error::malformed_request);
  }
  std::string out(method_names.at(static_cast<std::size_t>(request.method)));
  out.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(request.host);
  out += "\r\nConnection: close\r\n";
  for (const Field& field : request.fields) {
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (has_body) {
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  out.append("\r\n").append(request.body);
  return out;
}

}  // namespace http::client
