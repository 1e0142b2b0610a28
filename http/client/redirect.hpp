// SPDX-License-Identifier: ISC
// http/client/redirect.hpp: which requests a URL leads to, one after another.
//
// States:  Journey, Step.   Source: RFC 9110 section 15.4.
// Used by: http/client/client.hpp.   May include: base, http, net/connector.hpp.

#pragma once

#include <optional>
#include <string_view>

#include "http/client/message.hpp"
#include "http/url.hpp"
#include "net/connector.hpp"

namespace http::client {

// A request, and where it goes.
struct Step {
  Origin origin;
  Request request;
};

// All of it may throw std::bad_alloc.
class Journey {
 public:
  Journey(std::string_view url, const Request& request, unsigned redirects_max);

  // The request to send now; nothing: there is none, and failure() says why.
  [[nodiscard]] std::optional<Step> next() const;
  [[nodiscard]] Failure failure() const;
  // Whether the answer asks for another request: next() then has it, or says why not.
  [[nodiscard]] bool is_redirect(const Response& response);

 private:
  void fail(Error error, std::string_view url);
  void turn_to(const Url& url, unsigned status);

  std::optional<Url> url_;
  Request request_;
  unsigned redirects_left_;
  const bool follows_;
  Failure failure_;
};

// "https://example.org/a: the answer did not come in time". Without memory for it, nothing.
[[nodiscard]] Failure failure_at(const Step& step, Error error) noexcept;
[[nodiscard]] Failure failure_of(net::ConnectFailure&& failure) noexcept;

}  // namespace http::client
