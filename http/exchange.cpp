// SPDX-License-Identifier: ISC
#include "http/exchange.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace http {
namespace {

// Whether the request names a host that is answered: one of the list, an address, or none.
bool is_host_known(const Request& request, const Target& target, const Options& options) {
  if (options.hosts.empty()) return true;
  const std::string_view host =
      target.authority ? target.authority->host : site::host_name(request.value(Field::host));
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return is_address || host.starts_with('[') || host.ends_with(".localhost") ||
         std::ranges::find(options.hosts, host) != options.hosts.end();
}

}  // namespace

void Exchange::start(const Request& request, const Options& options) noexcept {
  request_ = &request;
  options_ = &options;
  visit_ = nullptr;
  rules_.reset();
  challenge_.reset();
  refusal_.reset();
  was_malformed_ = false;
  step_ = Step::answer;
}

void Exchange::refuse(const Request& request, const Options& options, Status why) noexcept {
  start(request, options);
  refusal_ = why;
}

void Exchange::begin(const Request& request, const Options& options, std::span<char> key) noexcept {
  start(request, options);
  if (request.expects_more) {
    refusal_ = Status::expectation_failed;
  } else if (request.method == Method::unknown) {
    refusal_ = Status::not_implemented;
  } else if (request.method == Method::refused) {
    refusal_ = Status::method_not_allowed;
  } else {
    choose(key);
  }
}

void Exchange::begin(const Request& request, const Options& options, std::span<char> key,
                     std::shared_ptr<const site::Rules> rules, site::Visit* visit) noexcept {
  start(request, options);
  if (request.expects_more) {
    refusal_ = Status::expectation_failed;
  } else if (request.method == Method::unknown) {
    refusal_ = Status::not_implemented;
  } else if (visit == nullptr) {
    refusal_ = Status::service_unavailable;
  } else {
    visit_ = visit;
    rules_ = std::move(rules);
    choose(key);
    // What is no address has no route, nor fields of its own.
    if (refusal_) visit_ = nullptr;
  }
}

// Whether a CA asks for what it was told is here: whichever host it names, and not by the site's
// rules.
bool Exchange::is_challenge() noexcept {
  const bool is_read = request_->method == Method::get || request_->method == Method::head;
  if (options_->challenges == nullptr || !is_read || target_.is_directory ||
      !target_.key.starts_with(ChallengeTexts::folder)) {
    return false;
  }
  challenge_ = options_->challenges->find(target_.key.substr(ChallengeTexts::folder.size()));
  return challenge_ != nullptr;
}

void Exchange::choose(std::span<char> key) noexcept {
  target_ = parse_target(request_->target, key);
  if (target_.error == TargetError::none && is_challenge()) {
    visit_ = nullptr;
    return;
  }
  https_port_ = options_->https_port_now();
  const bool to_https = https_port_ != 0 && !target_.is_asterisk;
  // Where to redirect to; an absolute form says it in place of Host (RFC 9112 section 3.2.2).
  if (to_https && !target_.authority) {
    target_.authority = parse_authority(request_->value(Field::host));
  }
  // The preview's own files obey no rules of the site.
  const bool is_own = options_->serves_own_folder && target_.key.starts_with(site::own_folder);
  if (is_own || target_.is_asterisk) visit_ = nullptr;
  const bool nowhere = to_https && (!target_.authority || target_.authority->host.empty());
  const bool misplaced_asterisk = target_.is_asterisk && request_->method != Method::options;
  if (target_.error == TargetError::malformed || misplaced_asterisk || nowhere) {
    refusal_ = Status::bad_request;
    was_malformed_ = true;
  } else if (!is_host_known(*request_, target_, *options_)) {
    refusal_ = Status::misdirected_request;
    visit_ = nullptr;
  } else if (target_.error == TargetError::too_long) {
    refusal_ = Status::uri_too_long;
  } else if (visit_ != nullptr) {
    visit_->begin(std::move(rules_), *request_, target_, options_->is_secure, https_port_);
    const bool asks = request_->method != Method::options && visit_->route().wants();
    step_ = asks ? Step::stat : Step::answer;
  } else if (request_->method == Method::refused && !to_https) {
    refusal_ = Status::method_not_allowed;
  } else if (request_->method != Method::options && !to_https) {
    if (target_.error == TargetError::nothing || site::is_about_site(target_.key)) {
      lookup_.start_absent(key);
    } else {
      lookup_.start(target_.key.size(), target_.is_directory, key);
    }
    step_ = Step::stat;
  }
}

void Exchange::take_stat(const kv::Result<kv::Stat>& stat) noexcept {
  if (visit_ != nullptr) {
    visit_->route().take(stat);
    if (!visit_->route().wants()) step_ = Step::answer;
    return;
  }
  lookup_.take(stat);
  if (!lookup_.wants()) step_ = Step::answer;
}

void Exchange::answer(std::int64_t now_s, HeadSink& head) noexcept {
  const Circumstances now{now_s, options_->ranges_max, options_->hsts_now_s()};
  range_ = 0;
  range_done_ = 0;
  if (visit_ != nullptr) {
    site::SiteHead with_fields(head, *visit_);
    if (with_fields.fits()) {
      give_answer(now, with_fields);
      with_fields.finish();
    } else {
      refusal_ = Status::service_unavailable;
      give_answer(now, head);
    }
  } else {
    give_answer(now, head);
  }
  step_ = first_of_body();
}

void Exchange::leave_visit(std::span<char> key) noexcept {
  if (visit_ == nullptr) return;
  const site::Route& route = visit_->route();
  if (route.end() == site::Route::End::value && step_ != Step::done) {
    lookup_.hold(route.key(), route.stat(), key);
  }
  visit_ = nullptr;
}

void Exchange::give_answer(const Circumstances& now, HeadSink& head) noexcept {
  if (refusal_) {
    respond_with_status(*refusal_, *request_, now, head, answer_);
  } else if (challenge_ != nullptr) {
    respond_with_text(challenge_->size(), *request_, now, head, answer_);
  } else if (visit_ == nullptr && https_port_ != 0 && !target_.is_asterisk) {
    respond_with_https(*request_, target_, https_port_, now, head, answer_);
  } else if (request_->method == Method::options) {
    respond_with_options(now, head, answer_);
  } else if (visit_ != nullptr) {
    answer_visit(now, head);
  } else {
    answer_lookup(now, head);
  }
}

void Exchange::answer_visit(const Circumstances& now, HeadSink& head) noexcept {
  using End = site::Route::End;
  const site::Route& route = visit_->route();
  const auto status = static_cast<Status>(route.status());
  const bool is_read = request_->method == Method::get || request_->method == Method::head;
  switch (route.end()) {
    case End::redirect:
      if (route.is_clean() && !is_read) break;
      respond_with_location(status, route.location(), now, head, answer_);
      return;
    case End::value:
      if (!is_read) break;
      // It goes into the request's own buffer (leave_visit).
      if (route.key().size() > options_->target_bytes_max + lookup_slack) {
        respond_with_status(Status::uri_too_long, *request_, now, head, answer_);
      } else if (status == Status::ok) {
        respond_with_value(*request_, route.key(), route.stat(), now, head, answer_);
      } else {
        respond_with_page(status, *request_, route.key(), route.stat(), now, head, answer_);
      }
      return;
    case End::unauthorized:
      respond_with_challenge(*request_, now, head, answer_);
      return;
    case End::none:
    case End::absent:
    case End::unavailable:
    case End::misdirected:
    case End::too_long:
      respond_with_status(status, *request_, now, head, answer_);
      return;
  }
  respond_with_status(Status::method_not_allowed, *request_, now, head, answer_);
}

void Exchange::answer_lookup(const Circumstances& now, HeadSink& head) noexcept {
  switch (lookup_.end()) {
    case Lookup::End::found:
      respond_with_value(*request_, lookup_.key(), lookup_.stat(), now, head, answer_);
      return;
    case Lookup::End::moved:
      respond_with_slash(*request_, lookup_.key(), target_.query, now, head, answer_);
      return;
    case Lookup::End::page_404:
    case Lookup::End::none:
    case Lookup::End::absent:
      answer_absent(now, head);
      return;
    case Lookup::End::unavailable:
      respond_with_status(Status::service_unavailable, *request_, now, head, answer_);
      return;
  }
}

void Exchange::answer_absent(const Circumstances& now, HeadSink& head) noexcept {
  if (lookup_.end() == Lookup::End::page_404) {
    respond_with_page(Status::not_found, *request_, lookup_.key(), lookup_.stat(), now, head,
                      answer_);
  } else {
    respond_with_status(Status::not_found, *request_, now, head, answer_);
  }
}

Exchange::Step Exchange::first_of_body() const noexcept {
  switch (answer_.body) {
    case Answer::Body::none:
      break;
    case Answer::Body::page:
    case Answer::Body::text:
    case Answer::Body::parts:
      return Step::text;
    case Answer::Body::value:
      return Step::value;
  }
  return Step::done;
}

void Exchange::write_text(Writer& out) noexcept {
  if (answer_.body == Answer::Body::page) {
    write_page(answer_.status, out);
    step_ = Step::done;
    return;
  }
  if (answer_.body == Answer::Body::text) {
    out.text(*challenge_);
    step_ = Step::done;
    return;
  }
  const kv::Form& form = stat().form(answer_.encoding);
  if (range_ < answer_.range_count) {
    write_part_head(key(), form, answer_.ranges[range_], out);
    step_ = Step::value;
  } else {
    write_parts_end(form, out);
    step_ = Step::done;
  }
}

void Exchange::took(std::uint64_t bytes) noexcept {
  CHECK(bytes <= bytes_left());
  range_done_ += bytes;
  if (bytes_left() > 0) return;
  ++range_;
  range_done_ = 0;
  step_ = answer_.body == Answer::Body::parts ? Step::text : Step::done;
}

bool Exchange::value_failed(kv::Error why, bool has_sent) noexcept {
  if (has_sent) return false;
  refusal_ = why == kv::Error::unavailable ? Status::service_unavailable : Status::not_found;
  step_ = Step::answer;
  return true;
}

std::uint64_t Exchange::value_bytes_taken() const noexcept {
  std::uint64_t bytes = range_done_;
  for (std::size_t i = 0; i < range_; ++i) bytes += answer_.ranges[i].size_bytes;
  return bytes;
}

}  // namespace http
