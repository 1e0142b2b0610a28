// SPDX-License-Identifier: ISC
// bench/http/answer.hpp: the constant answer of the floor servers, and what they are started with.

#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

struct Arguments {
  std::uint16_t port = 0;
  std::size_t body_bytes = 1024;
};

// argv: PORT BODY_BYTES
inline Arguments arguments_of(int argc, char** argv) {
  Arguments arguments;
  if (argc > 1) arguments.port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  if (argc > 2) arguments.body_bytes = std::strtoul(argv[2], nullptr, 10);
  return arguments;
}

// The fields that a static file server sends, and the body behind them.
inline std::string make_answer(std::size_t body_bytes) {
  std::string answer =
      "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
      "ETag: \"0123456789abcdef0123456789abcdef\"\r\nCache-Control: no-cache\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: " +
      std::to_string(body_bytes) + "\r\n\r\n";
  answer.append(body_bytes, 'x');
  return answer;
}

// The least that tells a last request from others.
inline bool wants_close(std::string_view request) {
  return request.find("Connection: close") != std::string_view::npos;
}

}  // namespace bench
