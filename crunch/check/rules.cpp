// SPDX-License-Identifier: ISC
#include "crunch/check/rules.hpp"

#include <algorithm>
#include <map>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "http/site/pattern.hpp"

namespace crunch::check {
namespace {

using http::site::Plan;
using http::site::RuleRecord;
using http::site::SiteRecord;
using std::string_view;

// A text that the pattern fits: "sample" for each capture.
std::string sample_of(const Plan& plan, http::site::Range pattern) {
  using Kind = http::site::PartKind;
  std::string text;
  for (const http::site::PartRecord& part : plan.parts(pattern)) {
    switch (part.kind) {
      case Kind::literal:
        text += plan.text(part.text);
        break;
      case Kind::segment:
      case Kind::host_segment:
      case Kind::splat:
        text += "sample";
        break;
      case Kind::tail:
        text += "/sample";
        break;
      case Kind::end_slash:
        break;
    }
  }
  return text;
}

class RuleCheck {
 public:
  RuleCheck(const Site& site, Report& report)
      : site_(site), plan_(site.rules()->plan()), client_(site), report_(report) {}

  void run() {
    for (const SiteRecord& part : plan_.sites()) check_rules_of(part);
    for (std::size_t i = 0; i < site_.files().size(); ++i) {
      check_stopped();
      check_file(i);
    }
    for (const auto& [place, hidden] : hidden_) {
      std::string sentence = "keeps " + in_quotes(hidden.example) + " from being served";
      if (hidden.count > 1) {
        sentence += ", and " + std::to_string(hidden.count - 1) + " more";
      }
      report_.add({Code::hidden_file, place.first, place.second, sentence,
                   "rename the files, or take the rule away"});
    }
    for (const SiteRecord& part : plan_.sites()) check_blocks_of(part);
  }

 private:
  struct Hidden {
    std::size_t count = 0;
    std::string example;
  };

  [[nodiscard]] std::string file_of(const SiteRecord& part, const char* name) const {
    return std::string(plan_.text(part.root)) + name;
  }

  [[nodiscard]] Url start_of(const SiteRecord& part, string_view path) const {
    Url url;
    url.scheme = "https";
    url.authority = Site::any_host;
    const auto number = static_cast<std::size_t>(&part - plan_.sites().data());
    for (std::size_t i = 0; i < plan_.hosts().size(); ++i) {
      const http::site::HostRecord& host = plan_.hosts()[i];
      if (host.site == number && host.canonical == i) url.authority = plan_.text(host.name);
    }
    url.path = path;
    return url;
  }

  void check_rules_of(const SiteRecord& part) {
    for (const RuleRecord& rule : plan_.rules().subspan(part.rules.first, part.rules.count)) {
      check_stopped();
      const string_view literal = plan_.text(rule.literal);
      const std::string path =
          literal.empty() ? sample_of(plan_, rule.pattern) : std::string(literal);
      if (!path.starts_with('/')) continue;
      const Url start = start_of(part, path);
      addresses_[&part].push_back(path);
      // Another rule, or a file, comes first: the compiler has said so.
      if (client_.ask(start).rule_line != rule.line) continue;
      check_journey(file_of(part, "_redirects"), rule, client_.follow(start), !literal.empty());
    }
  }

  void check_journey(const std::string& file, const RuleRecord& rule, const Journey& journey,
                     bool is_exact) {
    if (journey.is_loop) {
      report_.add({Code::redirect_loop, file, rule.line, "its addresses are redirected in a circle",
                   "let one of the rules lead to a file"});
      return;
    }
    if (journey.hops > 1) {
      report_.add({Code::redirect_chain, file, rule.line,
                   "it takes " + std::to_string(journey.hops) + " redirects to get to " +
                       in_quotes(journey.end.target()),
                   is_exact ? "write that as the target" : "lead to the last address at once"});
    }
    const int status = http::code_of(journey.answer.status);
    if (is_exact && !journey.leaves && status >= 400 && status != rule.status) {
      report_.add({Code::rule_target, file, rule.line,
                   "it leads to " + in_quotes(target_of(rule, journey)) + ", which is not there",
                   "lead it to a file that is there"});
    }
  }

  // Of a rewrite the address is the one that was asked.
  [[nodiscard]] std::string target_of(const RuleRecord& rule, const Journey& journey) const {
    if (journey.hops > 0) return journey.end.target();
    std::string text;
    for (const http::site::PieceRecord& piece : plan_.pieces(rule.target)) {
      text += plan_.text(piece.text);
    }
    return text;
  }

  // Is it served, at some address?
  void check_file(std::size_t file) {
    const Url url = site_.address_of(file);
    const Answer answer = client_.ask(url);
    const Journey& journey = client_.follow(url);
    const bool is_shown = !journey.leaves && journey.answer.file == file;
    if (is_shown) addresses_[answer.site].push_back(journey.end.path);
    if (is_shown || answer.rule_line == 0 || answer.site == nullptr) return;
    for (const RuleRecord& rule :
         plan_.rules().subspan(answer.site->rules.first, answer.site->rules.count)) {
      // Netlify's "!" says that it is meant so.
      if (rule.line == answer.rule_line && rule.forced != 0 &&
          answer.site->dialect == http::site::Dialect::netlify) {
        return;
      }
    }
    Hidden& hidden = hidden_[{file_of(*answer.site, "_redirects"), answer.rule_line}];
    if (hidden.count++ == 0) hidden.example = site_.files()[file].key;
  }

  void check_blocks_of(const SiteRecord& part) {
    const std::vector<std::string>& addresses = addresses_[&part];
    const bool fold = part.dialect == http::site::Dialect::netlify;
    for (const http::site::BlockRecord& block : plan_.blocks(part.blocks)) {
      check_stopped();
      const std::string host =
          block.with_host == 0 ? "" : std::string(start_of(part, "/").authority);
      const bool is_used = std::ranges::any_of(addresses, [&](const std::string& address) {
        http::site::Captures captures;
        return http::site::matches(plan_, block.pattern, host + address, fold, captures);
      });
      // A block for a host that crunch.toml does not name may still be asked for.
      if (is_used || block.with_host != 0) continue;
      report_.add({Code::unused_block, file_of(part, "_headers"), block.line,
                   "no page or file is at an address that it matches",
                   "write the addresses as visitors ask for them (without .html where clean "
                   "URLs leave it out), or take it away"});
    }
  }

  const Site& site_;
  const Plan& plan_;
  Client client_;
  Report& report_;
  std::map<const SiteRecord*, std::vector<std::string>> addresses_;  // that are answered
  std::map<std::pair<std::string, std::uint32_t>, Hidden> hidden_;   // by file and line
};

}  // namespace

void check_rules(const Site& site, Report& report) {
  for (const http::site::Finding& finding : site.findings()) {
    if (finding.weight == http::site::Finding::Weight::note) continue;
    report.add({Code::rule, finding.file, finding.line, finding.text, ""});
  }
  if (site.rules() != nullptr) RuleCheck(site, report).run();
}

}  // namespace crunch::check
