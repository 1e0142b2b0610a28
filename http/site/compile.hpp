// SPDX-License-Identifier: ISC
// http/site/compile.hpp: a site's rules files and settings become one plan.
//
// States:  SiteSettings, HostSettings, Compiled, compile.   Used by: crunch (embed, serve).
// Without I/O: what is in the site is asked for by a function.
// May include: std, http/site.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/site/draft.hpp"

namespace http::site {

// [auth] of crunch.toml.
struct AuthSettings {
  std::vector<User> users;
  std::vector<std::string> paths, except;  // patterns
  bool from_headers = false;               // Basic-Auth in _headers counts
};

// [site] of crunch.toml, as far as it says something.
struct SiteSettings {
  std::optional<Dialect> dialect;  // none: by the evidence
  std::optional<CleanUrls> clean_urls;
  std::optional<NotFound> not_found;
  bool unsupported_is_warning = false;
  bool strict_hosts = false;
  std::string base;  // "/project/": nothing is outside of it; empty: "/"
  AuthSettings auth;
};

// One [[host]].
struct HostSettings {
  std::string name;
  std::vector<std::string> aliases;
  std::string root;  // a folder of the site, without slashes around it; empty: the whole
};

// What the compiler asks about the site. Keys are as in the store.
struct SiteFiles {
  // The text of a file, if it is there.
  std::function<std::optional<std::string>(const std::string& key)> text;
  std::function<bool(const std::string& key)> has;
  // Which platform's own file lies in or beside the site ("netlify.toml"); empty: none.
  std::string marker;
};

struct Compiled {
  std::vector<std::byte> plan;  // empty: there are no rules, or there are errors
  Findings findings;
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool has_warnings() const;
};

[[nodiscard]] Compiled compile(const SiteSettings& settings, const std::vector<HostSettings>& hosts,
                               const SiteFiles& files);

// ---- between the compiler and the assembler -----------------------------------------------------

struct SiteDraft {
  std::string root;  // with '/' at its end, or empty
  std::string spa_page, dialect_why;
  Dialect dialect = Dialect::none;
  CleanUrls clean_urls = CleanUrls::serve;
  NotFound not_found = NotFound::page;
  std::vector<RuleDraft> rules;
  std::vector<BlockDraft> blocks;
};
struct LockDraft {
  std::vector<Part> pattern;
  std::vector<User> users;
  std::uint32_t site = all_sites;
  LockKind kind = LockKind::path;
};

// What is for all of a plan's sites.
struct PlanSettings {
  std::uint32_t flags = 0;
  std::string base;
  std::vector<LockDraft> locks;
};
struct HostDraft {
  std::string name;
  std::uint32_t site = 0, canonical = 0;
};

// The bytes of http/site/plan.hpp.
[[nodiscard]] std::vector<std::byte> assemble(const std::vector<SiteDraft>& sites,
                                              const std::vector<HostDraft>& hosts,
                                              const PlanSettings& settings = {});

}  // namespace http::site
