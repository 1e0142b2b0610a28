// SPDX-License-Identifier: ISC
#include "http/site/compile.hpp"

#include <algorithm>

#include "http/site/fields.hpp"
#include "http/site/path.hpp"
#include "http/site/pattern.hpp"

namespace http::site {
namespace {

using Weight = Finding::Weight;

const char* name_of(Dialect dialect) {
  return dialect == Dialect::netlify ? "Netlify" : "Cloudflare";
}

std::string place_of(const Evidence& evidence) {
  return evidence.what + " in " + evidence.file + ":" + std::to_string(evidence.line);
}

// Requests that a pattern stands for: each placeholder by a sample, each star by three.
std::vector<std::string> samples_of(const std::vector<Part>& pattern) {
  std::vector<std::string> samples;
  for (const char* splat : {"", "crunch", "crunch/crunch"}) {
    std::string sample;
    for (const Part& part : pattern) {
      switch (part.kind) {
        case PartKind::literal:
          sample += part.text;
          break;
        case PartKind::segment:
        case PartKind::host_segment:
          sample += "crunch";
          break;
        case PartKind::splat:
          sample += splat;
          break;
        case PartKind::tail:
          if (*splat != '\0') sample.append(1, '/').append(splat);
          break;
        case PartKind::end_slash:
          break;
      }
    }
    samples.push_back(sample.empty() ? "/" : sample);
  }
  return samples;
}

// Patterns that are compared for the sake of findings: some seconds at most, whatever is in the
// files.
constexpr std::size_t comparisons_max = 100'000;

// Says which rules are never reached, since an earlier one takes all that they stand for; by asking
// the patterns themselves.
void find_shadowed(const SiteDraft& draft, const Reading& how, Findings& findings) {
  SiteDraft dynamic;
  for (const RuleDraft& rule : draft.rules) {
    if (!rule.is_static && rule.conditions.empty()) dynamic.rules.push_back(rule);
  }
  if (dynamic.rules.empty()) return;
  const std::vector<std::byte> bytes = assemble({dynamic}, {});
  const std::optional<Plan> plan = Plan::open(bytes);
  if (!plan) return;
  std::size_t said = 0, asked = 0;
  constexpr std::size_t said_max = 100;
  for (const RuleDraft& rule : draft.rules) {
    const std::vector<std::string> samples =
        rule.is_static ? std::vector{rule.source} : samples_of(rule.pattern);
    for (const RuleRecord& earlier : plan->rules()) {
      if (earlier.line >= rule.line) break;
      if (++asked > comparisons_max) return;
      const bool is_covered = std::ranges::all_of(samples, [&](const std::string& sample) {
        Captures captures;
        return matches(*plan, earlier.pattern, sample, false, captures);
      });
      if (!is_covered) continue;
      if (++said > said_max) return;
      const auto source = std::ranges::find(draft.rules, earlier.line, &RuleDraft::line);
      findings.push_back({Weight::warning, how.file, rule.line,
                          "never reached: " + shown(source->source) + " in line " +
                              std::to_string(earlier.line) + " comes first; move it above"});
      break;
    }
  }
}

// No more warnings than this are given for one site; errors and notes are not limited.
void limit(Findings& findings) {
  constexpr std::size_t warnings_max = 1000;
  std::size_t warnings = 0;
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.weight == Weight::warning && ++warnings > warnings_max;
  });
  if (warnings <= warnings_max) return;
  findings.push_back({Weight::warning, "_redirects, _headers", 0,
                      std::to_string(warnings - warnings_max) +
                          " more lines without effect; mend those above first"});
}

class Compiler {
 public:
  Compiler(const SiteSettings& settings, const std::vector<HostSettings>& hosts,
           const SiteFiles& files)
      : settings_(settings), hosts_(hosts), files_(files) {}

  Compiled run() {
    std::vector<SiteDraft> sites;
    std::vector<HostDraft> drafts;
    if (hosts_.empty()) sites.push_back(read_site(""));
    for (const HostSettings& host : hosts_) {
      const std::string root = host.root.empty() ? "" : host.root + "/";
      auto known = std::ranges::find(sites, root, &SiteDraft::root);
      if (known == sites.end()) {
        sites.push_back(read_site(root));
        known = sites.end() - 1;
      }
      const auto site = static_cast<std::uint32_t>(known - sites.begin());
      const auto canonical = static_cast<std::uint32_t>(drafts.size());
      add_host(drafts, {host.name, site, canonical});
      for (const std::string& alias : host.aliases) add_host(drafts, {alias, site, canonical});
    }
    const bool is_said = settings_.dialect || settings_.clean_urls || settings_.not_found ||
                         settings_.strict_hosts || !settings_.base.empty() ||
                         !settings_.auth.users.empty() || !hosts_.empty();
    const std::vector<LockDraft> locks = locks_of(sites);
    if (!out_.has_errors() && (is_said || has_files_)) {
      out_.plan = assemble(sites, drafts,
                           {settings_.strict_hosts ? strict_hosts : 0, settings_.base, locks});
      if (!Plan::open(out_.plan)) {
        out_.findings.push_back(
            {Weight::error, "crunch", 0, "the plan that was made is not sound"});
        out_.plan.clear();
      }
    }
    return std::move(out_);
  }

 private:
  void add_host(std::vector<HostDraft>& drafts, const HostDraft& host) {
    if (std::ranges::find(drafts, host.name, &HostDraft::name) != drafts.end()) {
      out_.findings.push_back({Weight::error, "crunch.toml", 0,
                               "the host " + shown(host.name) + " is there twice; name it once"});
    }
    drafts.push_back(host);
  }

  SiteDraft read_site(const std::string& root) {
    SiteDraft site;
    site.root = root;
    const std::optional<std::string> redirects = files_.text(root + "_redirects");
    const std::optional<std::string> headers = files_.text(root + "_headers");
    const bool has_rules = redirects || headers;
    has_files_ = has_files_ || has_rules;
    decide_dialect(site, redirects.value_or(""), headers.value_or(""), has_rules);
    decide_modes(site);
    Reading how{root + "_redirects",
                site.dialect,
                site.clean_urls,
                settings_.unsupported_is_warning,
                settings_.base.empty() ? "/" : settings_.base,
                settings_.auth.from_headers};
    if (redirects) {
      Redirects read = parse_redirects(*redirects, how, out_.findings);
      site.rules = std::move(read.rules);
      if (read.spa_line != 0) take_spa_line(site, how, read.spa_line);
      find_shadowed(site, how, out_.findings);
    }
    if (headers) {
      how.file = root + "_headers";
      site.blocks = parse_headers(*headers, how, out_.findings);
      check_sizes(site, how);
    }
    if (site.not_found == NotFound::spa) {
      site.spa_page = root + (files_.has(root + "200.html") ? "200.html" : "index.html");
    }
    if (has_rules) summarize(site, how);
    return site;
  }

  // Those of [auth] come first.
  std::vector<LockDraft> locks_of(const std::vector<SiteDraft>& sites) {
    std::vector<LockDraft> locks;
    auto add = [&](const std::string& path, LockKind kind) {
      std::vector<std::string> names;
      std::string why;
      LockDraft lock{netlify_pattern(normal_path(path), true, names, why), settings_.auth.users,
                     all_sites, kind};
      if (!why.empty()) {
        out_.findings.push_back(
            {Weight::error, "crunch.toml", 0, "[auth] " + shown(path) + ": " + why});
      }
      locks.push_back(std::move(lock));
    };
    if (!settings_.auth.users.empty()) {
      for (const std::string& path : settings_.auth.paths) add(path, LockKind::path);
      for (const std::string& path : settings_.auth.except) add(path, LockKind::exception);
    }
    for (const SiteDraft& site : sites) {
      for (const BlockDraft& block : site.blocks) {
        if (block.users.empty()) continue;
        locks.push_back({block.pattern, block.users,
                         static_cast<std::uint32_t>(&site - sites.data()),
                         block.with_host ? LockKind::host_and_path : LockKind::path});
      }
    }
    if (!locks.empty()) {
      out_.findings.push_back(
          {Weight::note, "crunch.toml", 0,
           "[auth]: over plain HTTP names and passwords can be read on the way; "
           "serve these pages by HTTPS"});
    }
    return locks;
  }

  void decide_dialect(SiteDraft& site, const std::string& redirects, const std::string& headers,
                      bool has_rules) {
    if (settings_.dialect) {
      site.dialect = *settings_.dialect;
      site.dialect_why = "crunch.toml says so";
      return;
    }
    if (!has_rules) return;
    if (!files_.marker.empty()) {
      site.dialect = files_.marker == "netlify.toml" ? Dialect::netlify : Dialect::cloudflare;
      site.dialect_why = files_.marker;
      return;
    }
    Evidences evidences;
    look_for_evidence(redirects, headers, evidences);
    const bool is_netlify = evidences.netlify.line != 0, is_other = evidences.cloudflare.line != 0;
    if (is_netlify && is_other) {
      out_.findings.push_back(
          {Weight::error, site.root + evidences.netlify.file, evidences.netlify.line,
           evidences.netlify.what + " is Netlify's only, and " + place_of(evidences.cloudflare) +
               " Cloudflare's only; say [site] dialect = \"netlify\" or \"cloudflare\" in "
               "crunch.toml"});
    }
    site.dialect = is_netlify ? Dialect::netlify : Dialect::cloudflare;
    site.dialect_why = is_netlify ? printable(place_of(evidences.netlify))
                       : is_other ? printable(place_of(evidences.cloudflare))
                                  : "nothing in them is Netlify's only";
  }

  void decide_modes(SiteDraft& site) const {
    site.clean_urls = site.dialect == Dialect::cloudflare ? CleanUrls::automatic
                      : site.dialect == Dialect::netlify  ? CleanUrls::netlify
                                                          : CleanUrls::serve;
    if (settings_.clean_urls) site.clean_urls = *settings_.clean_urls;
    site.not_found = settings_.not_found.value_or(NotFound::page);
    if (site.dialect == Dialect::netlify && site.not_found == NotFound::page) {
      site.not_found = NotFound::root_page;
    }
  }

  void take_spa_line(SiteDraft& site, const Reading& how, std::uint32_t line) {
    if (files_.has(site.root + "404.html")) {
      out_.findings.push_back({Weight::warning, how.file, line,
                               "the line has no effect beside a 404.html: as on Cloudflare, that "
                               "answers what is not there; delete one of them"});
      return;
    }
    if (settings_.not_found && *settings_.not_found != NotFound::spa) {
      out_.findings.push_back({Weight::warning, how.file, line,
                               "the line has no effect beside not-found in crunch.toml; delete one "
                               "of them"});
      return;
    }
    site.not_found = NotFound::spa;
  }

  // Of addresses whose fields, of all blocks that fit them, are more than one answer may have. Each
  // block is asked for addresses of its own; others are seen to at their requests.
  void check_sizes(const SiteDraft& site, const Reading& how) {
    SiteDraft blocks;
    blocks.dialect = site.dialect;
    blocks.blocks = site.blocks;
    const std::vector<std::byte> bytes = assemble({blocks}, {});
    const std::optional<Plan> plan = Plan::open(bytes);
    if (!plan) return;
    std::string lines(4 * address_fields_bytes_max, '\0');
    std::size_t asked = 0;
    for (const BlockDraft& block : site.blocks) {
      std::size_t most = 0;
      for (const std::string& sample : samples_of(block.pattern)) {
        asked += site.blocks.size();
        if (asked > comparisons_max) return;
        const std::size_t host_bytes =
            block.with_host ? std::min(sample.find('/'), sample.size()) : 0;
        Writer out(lines);
        write_fields(*plan, plan->sites()[0], std::string_view(sample).substr(host_bytes),
                     std::string_view(sample).substr(0, host_bytes), true, out);
        most = std::max(most, out.overflowed() ? lines.size() : out.size());
      }
      if (most > address_fields_bytes_max) {
        out_.findings.push_back({Weight::error, how.file, block.line,
                                 "addresses of this block get more than 8,192 bytes of fields, of "
                                 "all blocks that fit them; an answer can have no more; make them "
                                 "shorter"});
        return;
      }
      if (most > address_fields_bytes_max / 2 && !is_long_said_) {
        is_long_said_ = true;
        out_.findings.push_back({Weight::warning, how.file, block.line,
                                 "addresses of this block get more than 4,096 bytes of fields; "
                                 "every answer carries them; make them shorter"});
      }
    }
  }

  void summarize(const SiteDraft& site, const Reading& how) {
    const auto statics = std::ranges::count_if(site.rules, &RuleDraft::is_static);
    out_.findings.push_back(
        {Weight::note, how.file.substr(0, how.file.rfind('_')) + "_redirects, _headers", 0,
         std::to_string(site.rules.size()) + " rules (" + std::to_string(statics) + " static), " +
             std::to_string(site.blocks.size()) + " blocks, read as " + name_of(site.dialect) +
             "'s: " + site.dialect_why});
  }

  const SiteSettings& settings_;
  const std::vector<HostSettings>& hosts_;
  const SiteFiles& files_;
  Compiled out_;
  bool has_files_ = false;
  bool is_long_said_ = false;
};

}  // namespace

bool Compiled::has_errors() const {
  return std::ranges::find(findings, Weight::error, &Finding::weight) != findings.end();
}
bool Compiled::has_warnings() const {
  return std::ranges::find(findings, Weight::warning, &Finding::weight) != findings.end();
}

Compiled compile(const SiteSettings& settings, const std::vector<HostSettings>& hosts,
                 const SiteFiles& files) {
  Compiled compiled = Compiler(settings, hosts, files).run();
  for (Finding& finding : compiled.findings) {
    finding.file = printable(finding.file);
    finding.text = printable(finding.text);
  }
  limit(compiled.findings);
  return compiled;
}

}  // namespace http::site
