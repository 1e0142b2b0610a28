// SPDX-License-Identifier: ISC
#include "http/site/visit.hpp"

#include <new>

namespace http::site {
namespace {

using std::string_view;

// What a site's blocks are about: its own answers, not those about the protocol.
bool has_site_fields(Status status) {
  switch (status) {
    case Status::ok:
    case Status::no_content:
    case Status::partial_content:
    case Status::moved_permanently:
    case Status::found:
    case Status::see_other:
    case Status::not_modified:
    case Status::temporary_redirect:
    case Status::permanent_redirect:
    case Status::forbidden:
    case Status::not_found:
    case Status::method_not_allowed:
    case Status::gone:
    case Status::unavailable_for_legal_reasons:
      return true;
    case Status::bad_request:
    case Status::unauthorized:
    case Status::not_acceptable:
    case Status::request_timeout:
    case Status::precondition_failed:
    case Status::content_too_large:
    case Status::uri_too_long:
    case Status::range_not_satisfiable:
    case Status::expectation_failed:
    case Status::misdirected_request:
    case Status::fields_too_large:
    case Status::not_implemented:
    case Status::service_unavailable:
    case Status::version_not_supported:
      break;
  }
  return false;
}

}  // namespace

void Visit::begin(std::shared_ptr<const Rules> rules, const Request& request, const Target& target,
                  bool secure, std::uint16_t https_port) noexcept {
  rules_ = std::move(rules);
  host_ = target.authority ? target.authority->host : request.value(Field::host);
  secure_ = secure;
  Asked asked;
  asked.host = host_;
  asked.target = target.path.empty() ? string_view("/") : target.path;
  asked.query = target.query;
  asked.language = request.value(Field::accept_language);
  asked.cookie = request.value(Field::cookie);
  if (!rules_->plan().locks().empty()) asked.authorization = request.line("authorization");
  asked.secure = secure;
  asked.https_port = https_port;
  asked.key_exists = target.error == TargetError::none && !is_reserved(target.key);
  asked.key = target.key;
  asked.is_directory = target.is_directory;
  route_.start(rules_->plan(), asked, address_, key_, location_);
}

OwnFields Visit::write_lines(Writer& out) const noexcept {
  OwnFields own =
      write_fields(rules_->plan(), route_.site(), route_.address(), host_, secure_, out);
  // No cache but the browser's may keep it, and that asks again.
  if (route_.is_private() && !own.has(OwnField::cache_control)) {
    own.add(OwnField::cache_control);
    out.text("Cache-Control: private, no-cache\r\n");
  }
  if (route_.varies_by_language()) out.text("Vary: Accept-Language\r\n");
  return own;
}

std::unique_ptr<Visit> VisitPool::take() noexcept {
  if (count_ == visits_max_) return nullptr;
  std::unique_ptr<Visit> visit = std::move(free_);
  if (visit == nullptr) visit.reset(new (std::nothrow) Visit);
  if (visit != nullptr) ++count_;
  return visit;
}

void VisitPool::give(std::unique_ptr<Visit> visit) noexcept {
  if (visit == nullptr) return;
  --count_;
  visit->end();
  if (free_ == nullptr) free_ = std::move(visit);
}

SiteHead::SiteHead(HeadSink& below, const Visit& visit) noexcept
    : below_(below), own_(visit.write_lines(lines_)) {}

void SiteHead::begin(Status status) {
  if (!has_site_fields(status)) {
    own_ = {};
    lines_.rewind(0);
  }
  below_.begin(status);
}

void SiteHead::fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) {
  if (own_.is_empty()) {
    below_.fields(head, sets);
    return;
  }
  for (kv::Head::Offset set : sets) {
    head.at(set).for_each([this](string_view name, string_view value) { field(name, value); });
  }
}

void SiteHead::field(string_view name, string_view value) {
  if (!own_.replaces(name)) below_.field(name, value);
}

Writer& SiteHead::begin_value(string_view name) {
  is_left_out_ = own_.replaces(name);
  left_out_.rewind(0);
  return is_left_out_ ? left_out_ : below_.begin_value(name);
}

void SiteHead::end_value() {
  if (!is_left_out_) below_.end_value();
}

void SiteHead::finish() {
  for (string_view rest = lines_.written(); !rest.empty();) {
    const std::size_t end = rest.find("\r\n"), colon = rest.find(": ");
    if (end == string_view::npos || colon > end) return;
    below_.field(rest.substr(0, colon), rest.substr(colon + 2, end - colon - 2));
    rest.remove_prefix(end + 2);
  }
}

}  // namespace http::site
