// SPDX-License-Identifier: ISC
// http/client/parser.hpp: reads one response from the bytes of a connection, without I/O.
//
// States:  head -> head (a 1xx was skipped) | body | whole;  body -> whole;  any -> failed
// Source:  RFC 9112 sections 4 to 7; Boost.Beast parses, and what it tolerates is refused here:
//          folded fields, controls, a length or a coding that could be read in two ways.
// Rules:   1. A response ends by its length, its last chunk or, where it has neither, by the end of
//             the stream; anything else that ends it is an error.
//          2. Bytes behind a whole response are dropped: a
//             connection carries one exchange.
//          3. At most head_bytes_max of a head, of a chunk's line and of a trailer is kept, and
//             at most body_bytes_max of a body; chunks may take eight times that on the wire.
// May include: base, http.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/client/message.hpp"

namespace http::client {

class ResponseParser {
 public:
  // `method` is that of the request: HEAD is answered without a body. Throws std::bad_alloc.
  ResponseParser(Method method, const Limits& limits);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Takes the next bytes. True: the response is whole. After an error nothing more is taken. That
  // there is no memory is an error too.
  [[nodiscard]] base::Result<bool, Error> feed(std::string_view bytes) noexcept;
  // The stream has ended, in order: true where that makes the response whole.
  [[nodiscard]] base::Result<bool, Error> finish() noexcept;

  // Once it is whole.
  [[nodiscard]] Response take() noexcept { return std::move(response_); }

 private:
  class Beast;
  enum class State : std::uint8_t { head, body, whole, failed };

  base::Result<bool, Error> fail(Error error) noexcept;
  base::Result<bool, Error> read_some();
  base::Result<bool, Error> read_head(std::size_t head_bytes);
  base::Result<bool, Error> read_body();

  const Method method_;
  const Limits limits_;
  State state_ = State::head;
  unsigned interim_count_ = 0;
  Error failed_ = Error::broken;
  std::size_t scanned_ = 0;       // of pending_, in which no head ends
  std::uint64_t wire_bytes_ = 0;  // of the body
  std::string pending_;           // came and is not parsed yet
  std::unique_ptr<Beast> beast_;  // of the response that is read
  Response response_;
};

}  // namespace http::client
