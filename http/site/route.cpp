// SPDX-License-Identifier: ISC
#include "http/site/route.hpp"

#include <algorithm>

#include "http/site/auth.hpp"
#include "http/site/path.hpp"
#include "http/target.hpp"
#include "http/writer.hpp"

namespace http::site {
namespace {

using std::string_view;

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_same_name(string_view a, string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, small, small);
}

// Cuts one "name=value" off a query.
bool next_pair(string_view& query, string_view& name, string_view& value) {
  if (query.empty()) return false;
  const std::size_t end = std::min(query.find('&'), query.size());
  const string_view pair = query.substr(0, end);
  query.remove_prefix(std::min(query.size(), end + 1));
  const std::size_t equals = std::min(pair.find('='), pair.size());
  name = pair.substr(0, equals);
  value = pair.substr(std::min(pair.size(), equals + 1));
  return true;
}

// A local Location must not begin with "//", which is another site; Cloudflare folds all of them
// (`keeps`: it does not) where a rule has placeholders.
std::size_t fold_slashes(std::span<char> path, bool keeps) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '?') {
      std::copy(path.begin() + static_cast<std::ptrdiff_t>(i), path.end(),
                path.begin() + static_cast<std::ptrdiff_t>(size));
      return size + path.size() - i;
    }
    if (path[i] == '/' && size > 0 && path[size - 1] == '/' && (!keeps || size == 1)) continue;
    path[size++] = path[i];
  }
  return size;
}

}  // namespace

string_view host_name(string_view host) noexcept {
  const std::size_t bracket = host.find(']');
  return host.substr(0, host.find(':', bracket == string_view::npos ? 0 : bracket));
}

void Route::start(const Plan& plan, const Asked& asked, std::span<char> address,
                  std::span<char> key, std::span<char> location) noexcept {
  *this = Route();
  plan_ = &plan;
  asked_ = asked;
  key_buffer_ = key;
  location_buffer_ = location;
  site_ = &plan.sites()[0];
  address_ = normal_path(asked.target, address);
  if (address_.empty()) return end_with(End::too_long, 414);
  is_canonical_ = address_ == asked.target;
  choose_host();
  if (wants()) check_access();
  if (wants()) choose_base();
  if (wants() && !is_outside_) next_rule();
}

void Route::choose_host() noexcept {
  const std::span<const HostRecord> hosts = plan_->hosts();
  const string_view name = host_name(asked_.host);
  if (hosts.empty()) {
    if (asked_.https_port != 0) redirect_to(name);
    return;
  }
  const auto* host = &*std::ranges::find_if(
      hosts, [&](const HostRecord& one) { return is_same_name(plan_->text(one.name), name); });
  if (host == hosts.data() + hosts.size()) {
    if ((plan_->header().flags & strict_hosts) != 0) return end_with(End::misdirected, 421);
    host = hosts.data();
    if (asked_.https_port != 0) redirect_to(name);
  }
  site_ = &plan_->sites()[host->site];
  const HostRecord& canonical = hosts[host->canonical];
  if (wants() && (&canonical != host || asked_.https_port != 0)) {
    redirect_to(plan_->text(canonical.name));
  }
}

void Route::redirect_to(string_view host) noexcept {
  Writer out(location_buffer_);
  out.text(asked_.secure || asked_.https_port != 0 ? "https://" : "http://");
  out.text(host);
  if (asked_.https_port == 0) {
    out.text(asked_.host.substr(host_name(asked_.host).size()));
  } else if (asked_.https_port != 443) {
    out.text(":");
    out.decimal(asked_.https_port);
  }
  out.text(address_);
  out.text(asked_.query);
  if (out.overflowed()) return end_with(End::too_long, 414);
  location_ = out.written();
  end_with(End::redirect, 308);
}

void Route::check_access() noexcept {
  const Access access =
      access_of(*plan_, *site_, address_, host_name(asked_.host), asked_.authorization);
  is_private_ = access == Access::granted;
  if (access == Access::denied) end_with(End::unauthorized, 401);
}

// Takes the base off `key`. False: it is not there.
bool Route::leave_base(string_view& key) const noexcept {
  const string_view base = plan_->text(plan_->header().base);
  if (base.empty()) return true;
  const string_view folder = base.substr(1, base.size() - 2);
  if (!key.starts_with(folder)) return false;
  key.remove_prefix(folder.size());
  if (key.empty()) return true;
  if (!key.starts_with('/')) return false;
  key.remove_prefix(1);
  return true;
}

// Outside of the base there is nothing, but for what a certificate's issuer asks for.
void Route::choose_base() noexcept {
  const string_view base = plan_->text(plan_->header().base);
  if (base.empty()) return;
  if (address_.starts_with(base)) {
    if (!leave_base(asked_.key)) asked_.key_exists = false;
    return;
  }
  is_outside_ = true;
  if (address_.starts_with("/.well-known/acme-challenge/")) {
    return begin_files(asked_.key, asked_.is_directory);
  }
  if (address_ == "/" || address_ == base.substr(0, base.size() - 1)) {
    Writer out(location_buffer_);
    out.text(base);
    if (asked_.query.size() > 1) out.text(asked_.query);
    if (out.overflowed()) return end_with(End::too_long, 414);
    location_ = out.written();
    is_clean_ = true;
    return end_with(End::redirect, 307);
  }
  asked_.key_exists = false;
  path_ = {};
  not_found();
}

// ---- rules -------------------------------------------------------------------------------------

void Route::next_rule() noexcept {
  while (wants()) {
    rule_ = match_from(next_rule_);
    if (rule_ == nullptr) {
      if (stage_ == Stage::page) return not_found();  // files were asked already
      return begin_files(asked_.key, asked_.is_directory);
    }
    next_rule_ = static_cast<std::uint32_t>(rule_ - &plan_->rules()[site_->rules.first]) + 1;
    if (site_->dialect == Dialect::netlify && rule_->forced == 0 && stage_ == Stage::files) {
      rule_waits_ = true;
      return begin_files(asked_.key, asked_.is_directory);
    }
    apply(*rule_);
    if (rule_ != nullptr) return;  // it was not passed over
  }
}

// The first rule from number `first` on that fits: of the table's and the list's the earlier.
const RuleRecord* Route::match_from(std::uint32_t first) noexcept {
  const std::span<const RuleRecord> rules =
      plan_->rules().subspan(site_->rules.first, site_->rules.count);
  std::uint32_t found = site_->rules.count;
  const auto slots = plan_->numbers(site_->slots);
  if (!slots.empty()) {
    string_view path = address_;
    if (site_->dialect == Dialect::netlify && path.size() > 1 && path.ends_with('/')) {
      path.remove_suffix(1);
    }
    for (std::size_t slot = hash_of(path) & (slots.size() - 1); slots[slot] != 0;
         slot = (slot + 1) & (slots.size() - 1)) {
      const std::uint32_t number = slots[slot] - 1;
      if (number >= first && plan_->text(rules[number].literal) == path) {
        found = number;
        break;
      }
    }
  }
  for (const std::uint32_t number : plan_->numbers(site_->dynamic)) {
    if (number < first) continue;
    if (number >= found) break;
    if (matches(*plan_, rules[number].pattern, address_, false, captures_) &&
        holds(rules[number])) {
      return &rules[number];
    }
  }
  captures_ = {};
  return found < site_->rules.count ? &rules[found] : nullptr;
}

bool Route::holds(const RuleRecord& rule) noexcept {
  return std::ranges::all_of(plan_->conditions(rule.conditions),
                             [this](const ConditionRecord& one) { return holds(one); });
}

bool Route::holds(const ConditionRecord& condition) noexcept {
  const string_view wanted = plan_->text(condition.value);
  switch (condition.kind) {
    case ConditionKind::query_equals:
    case ConditionKind::query_captures: {
      string_view query = asked_.query.substr(asked_.query.empty() ? 0 : 1), name, value;
      while (next_pair(query, name, value)) {
        if (name != plan_->text(condition.name)) continue;
        if (condition.kind == ConditionKind::query_equals) {
          if (value == wanted) return true;
        } else {
          if (condition.capture != no_capture) captures_.at[condition.capture] = value;
          return true;
        }
      }
      return false;
    }
    case ConditionKind::language: {
      varies_by_language_ = true;
      string_view language = asked_.language;
      const std::size_t cookie = asked_.cookie.find("nf_lang=");
      if (cookie == 0 || (cookie != string_view::npos && asked_.cookie[cookie - 1] == ' ')) {
        language = asked_.cookie.substr(cookie + 8);
      }
      while (language.starts_with(' ')) language.remove_prefix(1);
      for (std::size_t i = 0; i + 1 < wanted.size() && language.size() >= 2; i += 2) {
        if (is_same_name(wanted.substr(i, 2), language.substr(0, 2))) return true;
      }
      return false;
    }
    case ConditionKind::host:
      return plan_->text(condition.name) == (asked_.secure ? "https" : "http") &&
             wanted == host_name(asked_.host);
  }
  return false;
}

void Route::apply(const RuleRecord& rule) noexcept {
  if (rule.status >= 300 && rule.status < 400) {
    redirect(rule);
  } else {
    rewrite(rule);
  }
}

// Whether `location` is the very address asked.
bool Route::is_own_address(string_view location) const noexcept {
  if (!location.starts_with('/')) {
    const string_view scheme = asked_.secure ? "https://" : "http://";
    const string_view host =
        location.substr(std::min(scheme.size(), location.size()), asked_.host.size());
    if (!location.starts_with(scheme) || !is_same_name(host, asked_.host)) return false;
    location.remove_prefix(scheme.size() + host.size());
  }
  const string_view query = asked_.query.size() > 1 ? asked_.query : string_view();
  return location.size() == address_.size() + query.size() && location.starts_with(address_) &&
         location.ends_with(query);
}

// A rule that leads to the very address asked is passed over: rule_ is null then.
void Route::redirect(const RuleRecord& rule) noexcept {
  Writer out(location_buffer_);
  fill(*plan_, rule.target, captures_, out);
  if (out.overflowed()) return end_with(End::too_long, 414);
  std::size_t size = out.size();
  if (rule.elsewhere == 0) {
    size = fold_slashes(location_buffer_.first(size), rule.keeps_slashes != 0);
  }
  out.rewind(size);
  if (rule.has_query == 0 && asked_.query.size() > 1) out.text(asked_.query);
  if (out.overflowed()) return end_with(End::too_long, 414);
  if (is_own_address(out.written())) {
    rule_ = nullptr;
    return;
  }
  fill(*plan_, rule.fragment, captures_, out);
  if (out.overflowed()) return end_with(End::too_long, 414);
  location_ = out.written();
  end_with(End::redirect, rule.status);
}

// The target's file at the address asked. Its key is put where a location would be.
void Route::rewrite(const RuleRecord& rule) noexcept {
  Writer out(location_buffer_);
  fill(*plan_, rule.target, captures_, out);
  if (out.overflowed()) return end_with(End::too_long, 414);
  string_view path = out.written();
  path = path.substr(0, path.find('?'));
  // Decoded behind itself.
  const Target target = parse_target(path, location_buffer_.subspan(out.size()));
  is_rewritten_ = true;
  found_status_ = rule.status;
  answered_count_ = 0;
  if (target.error != TargetError::none || rule.elsewhere != 0) {
    asked_.key_exists = target.error != TargetError::nothing && asked_.key_exists;
    path_ = {};
    is_directory_ = true;
    return not_found();
  }
  string_view key = target.key;
  asked_.key_exists = leave_base(key);
  address_of_target_ = path;
  begin_files(key, target.is_directory);
}

}  // namespace http::site
