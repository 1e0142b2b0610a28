// SPDX-License-Identifier: ISC
// http/client/message.hpp: what a client asks and what it is answered.
//
// States:      Request, Response, Limits, Error.   Source: RFC 9110, RFC 9112.
// Used by:     http/client, acme.   May include: base, http/syntax.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace http::client {

// Why there is no Response.
enum class Error : std::uint8_t {
  malformed_url,      // not an absolute URL of http or https
  malformed_request,  // a target or a field has bytes that would end it, or a field is ours to send
  not_connected,      // there is no flow to the host
  broken,             // the connection broke, or ended before the answer was whole
  timed_out,          // nothing moved for `progress`, or `total` has passed
  cancelled,          // the flow was cancelled
  malformed_response,  // what came is not HTTP/1.1, or can be read in two ways
  too_large,           // the answer is larger than the limits
  too_many_redirects,  // more than redirects_max in a row
  bad_redirect,        // to something that is not a URL, or from https to http
  no_memory,
};
[[nodiscard]] std::string_view text_of(Error error) noexcept;

// `what` is a sentence for the log; empty: there was no memory for it.
struct Failure {
  Error error = Error::broken;
  std::string what{};
};

enum class Method : std::uint8_t { get, head, post };

struct Field {
  std::string name;
  std::string value;
};

// Host, Connection and Content-Length are added; `fields` may have none of them, and no
// Transfer-Encoding, Expect or Upgrade.
struct Request {
  Method method = Method::get;
  std::string host;          // the value of Host: "example.org", "[2001:db8::1]:8080"
  std::string target = "/";  // a path with its query
  std::vector<Field> fields{};
  std::string body{};  // of a POST only
};

struct Response {
  std::uint16_t status = 0;  // from 200 to 599
  std::vector<Field> fields{};
  std::string body{};  // without chunks; content codings are kept

  // The value of the first field with this name, in small letters; empty: there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

// What an answer may cost. Bytes are counted as they come, from each response on its own.
struct Limits {
  std::size_t head_bytes_max =
      std::size_t{16} * 1024;  // of status line and fields; of trailers as well
  std::size_t fields_max = 100;
  std::size_t body_bytes_max = std::size_t{1024} * 1024;
  unsigned interim_max = 8;  // 1xx answers before the final one
  unsigned redirects_max = 0;
  base::Duration progress = std::chrono::seconds(10);  // something must move within it
  base::Duration total = std::chrono::seconds(60);     // connecting and redirects too
};

// The request as it is sent. Throws std::bad_alloc.
[[nodiscard]] base::Result<std::string, Error> encode(const Request& request);

}  // namespace http::client
