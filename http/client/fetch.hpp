// SPDX-License-Identifier: ISC
// http/client/fetch.hpp: one request and its response over a flow that is open.
//
// States:  fetch.   Used by: http/client/client.hpp, acme.
// May include: base, net/flow.hpp.

#pragma once

#include <new>
#include <span>
#include <string>

#include "base/loop.hpp"
#include "base/or_else.hpp"
#include "http/client/message.hpp"
#include "http/client/parser.hpp"
#include "net/flow.hpp"

namespace http::client {

using Answer = base::Result<Response, Error>;

namespace detail {

// Cancels what waits on the flow when the time for the whole exchange is over: a peer that moves
// a byte now and then does not prolong it.
template <net::Flow F>
class Deadline final : public base::Timer {
 public:
  Deadline(base::Loop& loop, F& flow, base::Instant at) noexcept : Timer(loop), flow_(flow) {
    arm(at);
  }
  [[nodiscard]] bool has_passed() const noexcept { return has_passed_; }

 private:
  void expired() override {
    has_passed_ = true;
    flow_.cancel();
  }
  F& flow_;
  bool has_passed_ = false;
};

[[nodiscard]] inline Error error_of(net::Error error) noexcept {
  switch (error) {
    case net::Error::timed_out:
      return Error::timed_out;
    case net::Error::cancelled:
      return Error::cancelled;
    case net::Error::ended:
    case net::Error::reset:
      break;
  }
  return Error::broken;
}

template <net::Flow F>
base::Task<Answer> exchange(base::Loop& loop, F& flow, const Request& request,
                            const Limits& limits) {
  constexpr std::size_t read_bytes = 16384;
  try {
    const base::Result<std::string, Error> encoded = encode(request);
    if (!encoded) co_return base::failure(encoded.error());
    ResponseParser parser(request.method, limits);
    const Deadline<F> deadline(loop, flow, loop.now() + limits.total);
    const net::Piece piece{base::bytes_of(*encoded)};
    const net::Result<void> sent = co_await flow.write({&piece, 1}, limits.progress);
    if (deadline.has_passed()) co_return base::failure(Error::timed_out);
    if (!sent) co_return base::failure(error_of(sent.error()));
    for (;;) {
      const net::Result<base::Bytes> bytes = co_await flow.read(read_bytes, limits.progress);
      if (deadline.has_passed()) co_return base::failure(Error::timed_out);
      if (!bytes && bytes.error() != net::Error::ended) {
        co_return base::failure(error_of(bytes.error()));
      }
      const base::Result<bool, Error> is_whole =
          bytes ? parser.feed(base::text_of(*bytes)) : parser.finish();
      if (!is_whole) co_return base::failure(is_whole.error());
      if (*is_whole) co_return parser.take();
    }
  } catch (const std::bad_alloc&) {
    co_return base::failure(Error::no_memory);
  }
}

}  // namespace detail

// Sends `request` and reads the response to it; redirects are answers like others. All arguments
// must live until the answer. Afterwards the flow is good for nothing but close(). Throws nothing.
template <net::Flow F>
[[nodiscard]] base::OrElse<Answer> fetch(base::Loop& loop, F& flow, const Request& request,
                                         const Limits& limits) noexcept {
  return base::attempt<Answer>([&] { return detail::exchange(loop, flow, request, limits); },
                               base::failure(Error::no_memory));
}

}  // namespace http::client
