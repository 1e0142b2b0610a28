// SPDX-License-Identifier: ISC
#include "http/common.hpp"

#include <algorithm>
#include <new>

#include "base/check.hpp"
#include "http/h2/field_list.hpp"

namespace http {

Common::OwnAdmission::OwnAdmission(base::Loop& loop, const Options& options)
    : clients(
          {options.connections_max, options.connections_per_client_max, options.trusted_proxies}, 1,
          0),
      admission(clients, loop, {}, options.requests_max) {}

namespace {

// What came by https to a proxy is answered here, whatever brought it from there.
Options secured(Options options) {
  if (!options.is_secure) {
    options.hsts_s = options.proxied_hsts_s;
    options.may_pin = nullptr;  // it is the proxy's certificate
  }
  options.is_secure = true;
  options.https_port = 0;
  return options;
}
Options unsecured(Options options) {
  options.is_secure = false;
  options.hsts_s = 0;
  return options;
}

}  // namespace

Common::Common(base::Loop& its_loop, const Options& its_options, AccessLog& its_log,
               Admission* its_admission, Counters* its_counters, h2::Budget* its_http2)
    : options(its_options),
      loop(its_loop),
      log(its_log),
      pool(options),
      visits(std::clamp<std::size_t>(options.requests_max / 8, 4, WorkspacePool::kept_max)),
      own_(its_admission == nullptr ? std::make_unique<OwnAdmission>(loop, options) : nullptr),
      secure_options_(secured(options)),
      plain_options_(unsecured(options)),
      admission_(its_admission == nullptr ? own_->admission : *its_admission),
      own_counters_(its_counters == nullptr ? std::make_unique<Counters>() : nullptr),
      counters_(its_counters == nullptr ? *own_counters_ : *its_counters),
      durations_(loop, counters_),
      own_http2_(options.http2_bytes_max),
      http2_(its_http2 == nullptr ? own_http2_ : *its_http2) {
  CHECK(options.ranges_max <= ranges_limit);
  CHECK(options.target_bytes_max <= options.header_bytes_max);
}

std::span<char> Common::head_buffer() noexcept {
  if (head_buffer_ == nullptr) {
    head_buffer_.reset(new (std::nothrow) char[h2::FieldList::buffer_bytes]);
  }
  return {head_buffer_.get(), head_buffer_ != nullptr ? h2::FieldList::buffer_bytes : 0};
}

const Options& Common::options_of(const Request& request,
                                  const net::Endpoint& peer) const noexcept {
  if (options.trusted_proxies.is_empty()) return options;
  switch (visitor_of(request, peer, options.trusted_proxies).scheme) {
    case Visitor::Scheme::https:
      return secure_options_;
    case Visitor::Scheme::http:
      return plain_options_;
    case Visitor::Scheme::unknown:
      break;
  }
  return options;
}

std::int64_t Common::now_s() noexcept {
  if (loop.now() != turn_) {
    turn_ = loop.now();
    now_s_ = loop.clock().wall_s();
  }
  return now_s_;
}

}  // namespace http
