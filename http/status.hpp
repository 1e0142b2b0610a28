// SPDX-License-Identifier: ISC
// http/status.hpp: the status codes that this server answers with (RFC 9110 section 15).
//
// May include: std.

#pragma once

#include <cstdint>
#include <string_view>

namespace http {

enum class Status : std::uint16_t {
  ok = 200,
  no_content = 204,
  partial_content = 206,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  permanent_redirect = 308,
  bad_request = 400,
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  gone = 410,
  precondition_failed = 412,
  content_too_large = 413,
  uri_too_long = 414,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  misdirected_request = 421,
  fields_too_large = 431,
  unavailable_for_legal_reasons = 451,
  not_implemented = 501,
  service_unavailable = 503,
  version_not_supported = 505,
};

[[nodiscard]] constexpr int code_of(Status status) { return static_cast<int>(status); }

// "HTTP/1.1 200 OK\r\nDate: ", the beginning of every answer.
[[nodiscard]] constexpr std::string_view opening_of(Status status) {
  switch (status) {
    case Status::ok:
      return "HTTP/1.1 200 OK\r\nDate: ";
    case Status::no_content:
      return "HTTP/1.1 204 No Content\r\nDate: ";
    case Status::partial_content:
      return "HTTP/1.1 206 Partial Content\r\nDate: ";
    case Status::moved_permanently:
      return "HTTP/1.1 301 Moved Permanently\r\nDate: ";
    case Status::found:
      return "HTTP/1.1 302 Found\r\nDate: ";
    case Status::see_other:
      return "HTTP/1.1 303 See Other\r\nDate: ";
    case Status::not_modified:
      return "HTTP/1.1 304 Not Modified\r\nDate: ";
    case Status::temporary_redirect:
      return "HTTP/1.1 307 Temporary Redirect\r\nDate: ";
    case Status::permanent_redirect:
      return "HTTP/1.1 308 Permanent Redirect\r\nDate: ";
    case Status::bad_request:
      return "HTTP/1.1 400 Bad Request\r\nDate: ";
    case Status::unauthorized:
      return "HTTP/1.1 401 Unauthorized\r\nDate: ";
    case Status::forbidden:
      return "HTTP/1.1 403 Forbidden\r\nDate: ";
    case Status::not_found:
      return "HTTP/1.1 404 Not Found\r\nDate: ";
    case Status::method_not_allowed:
      return "HTTP/1.1 405 Method Not Allowed\r\nDate: ";
    case Status::not_acceptable:
      return "HTTP/1.1 406 Not Acceptable\r\nDate: ";
    case Status::request_timeout:
      return "HTTP/1.1 408 Request Timeout\r\nDate: ";
    case Status::gone:
      return "HTTP/1.1 410 Gone\r\nDate: ";
    case Status::precondition_failed:
      return "HTTP/1.1 412 Precondition Failed\r\nDate: ";
    case Status::content_too_large:
      return "HTTP/1.1 413 Content Too Large\r\nDate: ";
    case Status::uri_too_long:
      return "HTTP/1.1 414 URI Too Long\r\nDate: ";
    case Status::range_not_satisfiable:
      return "HTTP/1.1 416 Range Not Satisfiable\r\nDate: ";
    case Status::expectation_failed:
      return "HTTP/1.1 417 Expectation Failed\r\nDate: ";
    case Status::misdirected_request:
      return "HTTP/1.1 421 Misdirected Request\r\nDate: ";
    case Status::fields_too_large:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\nDate: ";
    case Status::unavailable_for_legal_reasons:
      return "HTTP/1.1 451 Unavailable For Legal Reasons\r\nDate: ";
    case Status::not_implemented:
      return "HTTP/1.1 501 Not Implemented\r\nDate: ";
    case Status::service_unavailable:
      return "HTTP/1.1 503 Service Unavailable\r\nDate: ";
    case Status::version_not_supported:
      break;
  }
  return "HTTP/1.1 505 HTTP Version Not Supported\r\nDate: ";
}

// "404 Not Found"
[[nodiscard]] constexpr std::string_view words_of(Status status) {
  std::string_view opening = opening_of(status).substr(9);
  return opening.substr(0, opening.find('\r'));
}

}  // namespace http
