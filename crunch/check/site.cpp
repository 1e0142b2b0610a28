// SPDX-License-Identifier: ISC
#include "crunch/check/site.hpp"

#include <algorithm>

#include "crunch/embed/describe.hpp"
#include "crunch/embed/site_rules.hpp"
#include "http/head.hpp"
#include "kv/digest.hpp"

namespace crunch::check {
namespace {

using std::string_view;

std::string lower(string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// A head as text; the date is left out.
class HeadText final : public http::HeadSink {
 public:
  HeadText(Answer& answer, std::span<char> buffer) : answer_(answer), out_(buffer) {}
  void begin(http::Status status) override {
    answer_.status = status;
    answer_.head.assign(http::words_of(status)).append("\n");
  }
  void fields(const kv::Head& head, std::span<const kv::Head::Offset> sets) override {
    for (const kv::Head::Offset set : sets) {
      head.at(set).for_each([this](string_view name, string_view value) { field(name, value); });
    }
  }
  void field(string_view name, string_view value) override {
    answer_.head.append(name).append(": ").append(value).append("\n");
    if (name == "Location") answer_.location = value;
  }
  http::Writer& begin_value(string_view name) override {
    name_ = name;
    out_.rewind(0);
    return out_;
  }
  void end_value() override { field(name_, out_.written()); }

 private:
  Answer& answer_;
  std::string name_;
  http::Writer out_;
};

}  // namespace

Site::Site(const embed::Options& options)
    : settings_(embed::read_site_file(options.root)),
      tree_(options.root, embed::walk_options_of(options, settings_)) {
  for (std::size_t i = 0; i < files().size(); ++i) {
    const string_view key = files()[i].key;
    numbers_.insert_or_assign(key, i);
    small_.try_emplace(lower(key), i);
    for (std::size_t slash = key.rfind('/'); slash != string_view::npos && slash > 0;
         slash = key.rfind('/', slash - 1)) {
      if (!numbers_.try_emplace(key.substr(0, slash), no_file).second) break;
    }
  }
  http::site::Compiled compiled = embed::compile_rules(settings_, options.root);
  findings_ = std::move(compiled.findings);
  if (!compiled.plan.empty()) rules_ = http::site::Rules::open(compiled.plan, false);
}

std::size_t Site::find(string_view key) const {
  const auto at = numbers_.find(key);
  return at == numbers_.end() ? no_file : at->second;
}

std::size_t Site::find_in_any_case(string_view key) const {
  const auto at = small_.find(lower(key));
  return at == small_.end() ? no_file : at->second;
}

kv::Result<kv::Stat> Site::stat(kv::Key key) const {
  const auto at = numbers_.find(key);
  if (key.empty()) return base::failure(kv::Error::value_expected);
  if (at == numbers_.end()) return base::failure(kv::Error::not_found);
  if (at->second == no_file) return base::failure(kv::Error::value_expected);
  kv::Stat stat;
  stat.modified_s = files()[at->second].modified.tv_sec;
  stat.set(kv::Encoding::identity, {files()[at->second].size_bytes, {}, {}});
  return stat;
}

Url Site::address_of(std::size_t file) const {
  string_view key = files()[file].key;
  Url url;
  url.scheme = "https";
  url.authority = any_host;
  std::size_t root_bytes = 0;
  for (const http::site::HostSettings& host : settings_.hosts) {
    const bool is_in = host.root.empty() || key.starts_with(host.root + "/");
    const bool is_nearer = url.authority == any_host || host.root.size() > root_bytes;
    if (!is_in || !is_nearer) continue;
    url.authority = host.name;
    root_bytes = host.root.size();
  }
  if (root_bytes > 0) key.remove_prefix(root_bytes + 1);
  url.path = "/";
  url = resolve(url, settings_.settings.base);
  url.path.append(http::path_of(key), 1);
  return url;
}

bool Site::is_own(const Url& url) const {
  if (!url.is_http()) return false;
  if (!has_hosts()) return url.authority == any_host;
  const string_view name = http::site::host_name(url.authority);
  return std::ranges::any_of(settings_.hosts, [name](const http::site::HostSettings& host) {
    return host.name == name || std::ranges::find(host.aliases, name) != host.aliases.end();
  });
}

std::string Site::type_of(std::size_t file) const {
  const string_view key = files()[file].key;
  string_view type = settings_.type_of(key);
  if (type.empty()) type = embed::named_type(key);
  return lower(type.substr(0, type.find_first_of("; ")));
}

Client::Client(const Site& site, bool with_heads)
    : site_(site),
      with_heads_(with_heads),
      key_(options_.target_bytes_max + http::lookup_slack),
      value_(16'384) {}

kv::Result<kv::Stat> Client::stat(kv::Key key) {
  kv::Result<kv::Stat> stat = site_.stat(key);
  if (!stat || !with_heads_) return stat;
  const embed::Source& source = site_.files()[site_.find(key)];
  embed::Reading reading(site_.tree(), source);
  embed::Text text;
  crypto::Sha256 sha256;
  std::vector<std::byte> piece(std::size_t{1} << 20U);
  while (const std::size_t count = reading.read(piece)) {
    text.add(base::Bytes(piece).first(count));
    sha256.update(base::Bytes(piece).first(count));
  }
  const std::string type = embed::media_type_of(key, text, site_.settings().type_of(key));
  kv::Form form = stat->form(kv::Encoding::identity);
  form.digest = kv::digest_of(sha256.finish());
  heads_.push_back(std::make_unique<kv::StoredHead>(
      http::make_head({.key = key,
                       .digest = form.digest,
                       .size_bytes = form.size_bytes,
                       .modified_s = stat->modified_s,
                       .type = type,
                       .caching = site_.settings().caching_of(key)})));
  form.head = heads_.back()->head();
  stat->set(kv::Encoding::identity, form);
  return stat;
}

Answer Client::ask(const Url& url, string_view fields) {
  heads_.clear();
  options_.is_secure = url.scheme == "https";
  options_.hsts_s = options_.is_secure ? hsts_s : 0;
  request_ = "GET " + url.target() + " HTTP/1.1\r\nHost: " + url.authority + "\r\n";
  request_.append(fields).append("\r\n");
  parser_.reset();
  const http::Parse parsed = parser_.parse(request_);
  if (parsed != http::Parse::complete) {
    exchange_.refuse(
        parser_.request(), options_,
        parsed == http::Parse::refused ? parser_.refusal() : http::Status::fields_too_large);
  } else if (site_.rules() != nullptr) {
    exchange_.begin(parser_.request(), options_, key_, site_.rules(), visit_.get());
  } else {
    exchange_.begin(parser_.request(), options_, key_);
  }
  while (exchange_.step() == http::Exchange::Step::stat) {
    exchange_.take_stat(stat(exchange_.key()));
  }
  Answer answer;
  HeadText head(answer, value_);
  exchange_.answer(0, head);
  if (exchange_.step() == http::Exchange::Step::value ||
      (exchange_.step() == http::Exchange::Step::done && answer.status == http::Status::ok)) {
    answer.file = site_.find(exchange_.key());
  }
  if (parsed == http::Parse::complete && site_.rules() != nullptr) {
    const http::site::Route& route = visit_->route();
    answer.site = &route.site();
    answer.address = route.address();
    answer.rule_line = route.rule() == nullptr ? 0 : route.rule()->line;
  }
  return answer;
}

const Journey& Client::follow(const Url& url) {
  const std::string name = url.scheme + "//" + url.authority + url.target();
  if (const auto at = kept_.find(name); at != kept_.end()) return at->second;
  if (kept_.size() >= kept_max) kept_.clear();
  Journey journey;
  journey.end = url;
  journey.end.fragment.clear();
  journey.end.has_fragment = false;
  for (;;) {
    journey.answer = ask(journey.end);
    if (!journey.answer.is_redirect()) break;
    Url next = resolve(journey.end, journey.answer.location);
    if (!next.has_fragment) {
      next.fragment = journey.end.fragment;
      next.has_fragment = journey.end.has_fragment;
    }
    journey.end = std::move(next);
    if (++journey.hops > Journey::hops_max) {
      journey.is_loop = true;
      break;
    }
    if (!site_.is_own(journey.end)) {
      journey.leaves = true;
      break;
    }
  }
  return kept_.emplace(name, std::move(journey)).first->second;
}

}  // namespace crunch::check
