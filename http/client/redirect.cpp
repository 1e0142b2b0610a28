// SPDX-License-Identifier: ISC
#include "http/client/redirect.hpp"

#include <new>
#include <string>
#include <utility>

#include "http/syntax.hpp"

namespace http::client {

namespace {

using std::string_view;

std::string text_of(const Url& url) { return url.scheme + "://" + url.authority + url.target(); }

bool is_secret(const Field& field) {
  return equals_ignoring_case(field.name, "authorization") ||
         equals_ignoring_case(field.name, "cookie");
}

}  // namespace

Journey::Journey(string_view url, const Request& request, unsigned redirects_max)
    : url_(parse_url(url)),
      request_(request),
      redirects_left_(redirects_max),
      follows_(redirects_max > 0) {
  if (!url_) fail(Error::malformed_url, url);
}

std::optional<Step> Journey::next() const {
  if (!url_) return std::nullopt;
  std::optional<Origin> origin = origin_of(*url_);
  if (!origin) return std::nullopt;
  Step step{std::move(*origin), request_};
  step.request.host = url_->authority;
  step.request.target = url_->target();
  return step;
}

Failure Journey::failure() const { return failure_; }

void Journey::fail(Error error, string_view url) {
  url_.reset();
  failure_.error = error;
  constexpr std::size_t shown_bytes = 200;
  failure_.what = std::string(url.substr(0, shown_bytes)) + ": ";
  failure_.what += client::text_of(error);
}

bool Journey::is_redirect(const Response& response) {
  const unsigned status = response.status;
  const bool is_one =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  const string_view location = response.field("location");
  if (!follows_ || !is_one || location.empty()) return false;
  const std::string from = text_of(*url_);
  if (redirects_left_ == 0) {
    fail(Error::too_many_redirects, from);
    return true;
  }
  --redirects_left_;
  const Url to = resolve(*url_, location);
  const std::optional<Origin> origin = origin_of(to);
  if (!origin || (url_->scheme == "https" && !origin->is_secure)) {
    fail(Error::bad_redirect, from);
  } else {
    turn_to(to, status);
  }
  return true;
}

void Journey::turn_to(const Url& url, unsigned status) {
  if (origin_of(url) != origin_of(*url_)) std::erase_if(request_.fields, is_secret);
  url_ = url;
  if (request_.method != Method::post || status == 307 || status == 308) return;
  request_.method = Method::get;
  request_.body.clear();
  std::erase_if(request_.fields, [](const Field& field) {
    return equals_ignoring_case(field.name, "content-type");
  });
}

Failure failure_at(const Step& step, Error error) noexcept {
  Failure failure{error};
  try {
    failure.what = (step.origin.is_secure ? "https://" : "http://") + step.request.host +
                   step.request.target + ": ";
    failure.what += client::text_of(error);
  } catch (const std::bad_alloc&) {
    failure.what.clear();
  }
  return failure;
}

Failure failure_of(net::ConnectFailure&& failure) noexcept {
  Error error = Error::not_connected;
  if (failure.error == net::Error::timed_out) error = Error::timed_out;
  if (failure.error == net::Error::cancelled) error = Error::cancelled;
  return {error, std::move(failure.what)};
}

}  // namespace http::client
