// SPDX-License-Identifier: ISC
// crunch/check/site.hpp: the server's answers for a directory, without the bytes of files.
//
// States:  Site (the files, the rules), Client (asks), Answer.   Used by: crunch/{check,route}.
// Answers: as an image of the same directory would: http::Exchange decides, with the same plan and
//          the same keys. Only the values are left out.
// Threads: a Site does not change; each thread has a Client of its own.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crunch/embed/embed.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/embed/walk.hpp"
#include "http/exchange.hpp"
#include "http/parser.hpp"
#include "http/site/rules.hpp"
#include "http/url.hpp"
#include "kv/field_pool.hpp"

namespace crunch::check {

using http::Url;

inline constexpr std::size_t no_file = ~std::size_t{0};

class Site {
 public:
  // Takes of `options` what says which files there are. Throws a Failure.
  explicit Site(const embed::Options& options);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  [[nodiscard]] const std::vector<embed::Source>& files() const noexcept { return tree_.files(); }
  [[nodiscard]] const embed::Tree& tree() const noexcept { return tree_; }
  [[nodiscard]] const embed::SiteFile& settings() const noexcept { return settings_; }
  // Null: the site has none, or they have errors.
  [[nodiscard]] const std::shared_ptr<const http::site::Rules>& rules() const noexcept {
    return rules_;
  }
  [[nodiscard]] const http::site::Findings& findings() const noexcept { return findings_; }

  // The number of the file with this key, or no_file.
  [[nodiscard]] std::size_t find(std::string_view key) const;
  // The same, whatever the case of letters; of several the first.
  [[nodiscard]] std::size_t find_in_any_case(std::string_view key) const;
  [[nodiscard]] kv::Result<kv::Stat> stat(kv::Key key) const;

  // The address that leads to the file, at the host whose folder it is in.
  [[nodiscard]] Url address_of(std::size_t file) const;
  // Whether the site answers for it; otherwise it is another's.
  [[nodiscard]] bool is_own(const Url& url) const;
  // Names that the site has by crunch.toml; without any, its addresses are at `any_host`.
  [[nodiscard]] bool has_hosts() const noexcept { return !settings_.hosts.empty(); }
  static constexpr std::string_view any_host = "site.invalid";

  // The media type by name, without parameters.
  [[nodiscard]] std::string type_of(std::size_t file) const;

 private:
  embed::SiteFile settings_;
  embed::Tree tree_;
  http::site::Findings findings_;
  std::shared_ptr<const http::site::Rules> rules_;
  std::unordered_map<std::string_view, std::size_t> numbers_;  // no_file: a dictionary
  std::unordered_map<std::string, std::size_t> small_;         // by keys in small letters
};

struct Answer {
  http::Status status = http::Status::ok;
  std::string head;      // status line and fields
  std::string location;  // of a redirect
  std::size_t file = no_file;
  std::uint32_t rule_line = 0;  // of _redirects; 0: no rule decided
  const http::site::SiteRecord* site = nullptr;
  std::string address;  // in normal form; empty without rules

  [[nodiscard]] bool is_redirect() const { return !location.empty(); }
};

// Where one gets to by following redirects.
struct Journey {
  Url end;               // its fragment is a redirect's
  Answer answer;         // the last
  std::size_t hops = 0;  // at the site
  bool leaves = false;   // it ends at another site
  bool is_loop = false;  // more hops than hops_max
  static constexpr std::size_t hops_max = 10;
};

class Client {
 public:
  // `with_heads`: answers have the fields that describe a file's bytes, which are read for them.
  explicit Client(const Site& site, bool with_heads = false);

  // `fields`: further lines of the request, each with its line end.
  [[nodiscard]] Answer ask(const Url& url, std::string_view fields = {});
  [[nodiscard]] const Journey& follow(const Url& url);

 private:
  static constexpr std::size_t kept_max = 20'000;
  static constexpr std::uint32_t hsts_s = 15'768'000;  // as images say by default

  [[nodiscard]] kv::Result<kv::Stat> stat(kv::Key key);

  const Site& site_;
  const bool with_heads_;
  std::vector<std::unique_ptr<kv::StoredHead>> heads_;  // of the answer being made
  http::Options options_;
  http::HeadParser parser_{options_};
  http::Exchange exchange_;
  std::unique_ptr<http::site::Visit> visit_ = std::make_unique<http::site::Visit>();
  std::vector<char> key_;
  std::vector<char> value_;  // of a field, while it is put together
  std::string request_;
  std::unordered_map<std::string, Journey> kept_;
};

}  // namespace crunch::check
