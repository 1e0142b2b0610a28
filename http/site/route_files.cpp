// SPDX-License-Identifier: ISC
// The part of http/site/route.hpp that looks for files, and for what is said when there is none.
#include <algorithm>

#include "http/site/route.hpp"
#include "http/writer.hpp"

namespace http::site {

using std::string_view;

// ---- files -------------------------------------------------------------------------------------

void Route::begin_files(string_view path_key, bool is_directory) noexcept {
  stage_ = Stage::files;
  path_ = path_key;
  is_directory_ = is_directory;
  if (!asked_.key_exists || is_reserved(path_key)) return files_found_nothing();
  // A folder that another host has for its root is no part of this one.
  for (const SiteRecord& other : plan_->sites()) {
    const string_view root = plan_->text(other.root), own = plan_->text(site_->root);
    if (root.size() <= own.size() || !root.starts_with(own)) continue;
    const string_view inner = root.substr(own.size(), root.size() - own.size() - 1);
    if (path_.starts_with(inner) && (path_.size() == inner.size() || path_[inner.size()] == '/')) {
      // Nor is its 404.html.
      const std::size_t slash = inner.rfind('/');
      path_ = path_.substr(0, slash == string_view::npos ? 0 : slash);
      is_directory_ = true;
      return files_found_nothing();
    }
  }
  look_at_files();
}

void Route::look_at_files() noexcept {
  const bool is_netlifys = is_rewritten_ && site_->dialect == Dialect::netlify;
  const Outcome outcome =
      Clean(path_, is_directory_, std::span(answered_).first(answered_count_))
          .look(is_netlifys ? CleanUrls::netlify : site_->clean_urls, is_netlifys);
  switch (outcome.kind) {
    case Outcome::Kind::ask:
      return ask(outcome.probe);
    case Outcome::Kind::serve:
      return serve(outcome.probe);
    case Outcome::Kind::move:
      return move(outcome);
    case Outcome::Kind::nothing:
      return files_found_nothing();
  }
}

void Route::files_found_nothing() noexcept {
  if (!rule_waits_) return not_found();
  rule_waits_ = false;
  stage_ = Stage::page;
  apply(*rule_);
  if (rule_ == nullptr) next_rule();
}

void Route::serve(Probe probe) noexcept {
  if (rule_waits_) rule_ = nullptr;
  rule_waits_ = false;
  if (!is_canonical_ && !is_rewritten_ && !is_outside_ && must_be_canonical()) {
    location_ = {};
    return move({Outcome::Kind::move, {}, 0, false});
  }
  if (asking_ == probe && has_stat_) return end_with(End::value, found_status_);
  stage_ = Stage::final;
  ask(probe);
}

bool Route::must_be_canonical() const noexcept {
  switch (site_->clean_urls) {
    case CleanUrls::automatic:
    case CleanUrls::slash:
    case CleanUrls::no_slash:
    case CleanUrls::exact:
      return true;
    case CleanUrls::off:
    case CleanUrls::serve:
    case CleanUrls::netlify:
      break;
  }
  return false;
}

// To the address without its last bytes; the query stays.
void Route::move(const Outcome& outcome) noexcept {
  if (rule_waits_ || !is_rewritten_) rule_ = nullptr;
  rule_waits_ = false;
  // What was rewritten stands at the front of the location already.
  const string_view from = is_rewritten_ ? address_of_target_ : address_;
  const std::size_t kept = from.size() - std::min<std::size_t>(outcome.cut, from.size() - 1);
  Writer out(location_buffer_);
  if (is_rewritten_) {
    out.rewind(kept);
  } else {
    out.text(from.substr(0, kept));
  }
  if (outcome.slash && !out.written().ends_with('/')) out.text("/");
  if (asked_.query.size() > 1) out.text(asked_.query);
  if (out.overflowed()) return end_with(End::too_long, 414);
  location_ = out.written();
  is_clean_ = true;
  end_with(End::redirect, must_be_canonical() ? 307 : 301);
}

// ---- what is not there -------------------------------------------------------------------------

void Route::not_found() noexcept {
  rule_waits_ = false;
  if (found_status_ == 200) found_status_ = 404;
  switch (site_->not_found) {
    case NotFound::none:
      return end_with(End::absent, found_status_);
    case NotFound::spa:
      // A rule that says that something is gone means it.
      if (is_outside_) break;
      if (is_rewritten_ && found_status_ != 404) return end_with(End::absent, found_status_);
      found_status_ = 200;
      stage_ = Stage::spa;
      return ask_key(plan_->text(site_->spa_page));
    case NotFound::root_page:
    case NotFound::page:
      break;
  }
  stage_ = Stage::page;
  page_bytes_ = 0;
  pages_ = 0;
  if (site_->not_found == NotFound::page && asked_.key_exists) {
    const std::size_t slash = path_.rfind('/');
    page_bytes_ = static_cast<std::uint32_t>(is_directory_                ? path_.size()
                                             : slash == string_view::npos ? 0
                                                                          : slash);
  }
  ask({page_bytes_, Suffix::page_404});
}

void Route::ask_page_up() noexcept {
  if (page_bytes_ == 0) return end_with(End::absent, found_status_);
  const std::size_t slash = path_.substr(0, page_bytes_).rfind('/');
  page_bytes_ =
      slash == string_view::npos || ++pages_ >= pages_max ? 0 : static_cast<std::uint32_t>(slash);
  ask({page_bytes_, Suffix::page_404});
}

// ---- asking ------------------------------------------------------------------------------------

void Route::ask(Probe probe) noexcept {
  asking_ = probe;
  Writer out(key_buffer_);
  out.text(plan_->text(site_->root));
  out.text(path_.substr(0, probe.bytes));
  out.text(text_of(probe));
  if (out.overflowed()) return end_with(End::too_long, 414);
  key_bytes_ = out.size();
}

void Route::ask_key(string_view key) noexcept {
  Writer out(key_buffer_);
  out.text(key);
  if (out.overflowed()) return end_with(End::too_long, 414);
  key_bytes_ = out.size();
}

void Route::take(const kv::Result<kv::Stat>& answer) noexcept {
  if (!answer && answer.error() == kv::Error::unavailable) {
    return end_with(End::unavailable, 503);
  }
  has_stat_ = answer.has_value();
  if (answer) stat_ = *answer;
  switch (stage_) {
    case Stage::files:
      if (answered_count_ == answered_.size()) return end_with(End::unavailable, 503);
      answered_[answered_count_++] = {asking_, answer ? Answered::What::value
                                               : answer.error() == kv::Error::value_expected
                                                   ? Answered::What::dictionary
                                                   : Answered::What::nothing};
      return look_at_files();
    case Stage::page:
      if (!answer) return ask_page_up();
      return serve(asking_);
    case Stage::spa:
      if (!answer) return end_with(End::absent, 404);
      if (!is_canonical_ && !is_rewritten_ && must_be_canonical()) {
        return move({Outcome::Kind::move, {}, 0, false});
      }
      return end_with(End::value, 200);
    case Stage::final:
      if (!answer) return end_with(End::unavailable, 503);  // it was there a moment ago
      return end_with(End::value, found_status_);
  }
}

}  // namespace http::site
