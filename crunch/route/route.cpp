// SPDX-License-Identifier: ISC
#include "crunch/route/route.hpp"

#include <algorithm>

#include "crunch/check/site.hpp"
#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "http/site/pattern.hpp"

namespace crunch::route {
namespace {

using check::Answer;
using http::Url;
using http::site::SiteRecord;
using std::string_view;

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The request's further lines; Host decides which site is asked.
std::string lines_of(const std::vector<std::string>& fields, Url& url) {
  std::string lines;
  for (const std::string& field : fields) {
    const std::size_t colon = field.find(':');
    if (colon == std::string::npos || colon == 0 ||
        field.find_first_of("\r\n") != std::string::npos) {
      throw Usage("-H takes 'Name: value', not " + in_quotes(field));
    }
    string_view value = string_view(field).substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    std::string name = field.substr(0, colon);
    std::ranges::transform(name, name.begin(), small);
    if (name == "host") {
      url.authority = value;
    } else {
      lines.append(field, 0, colon).append(": ").append(value).append("\r\n");
    }
  }
  return lines;
}

class Explanation {
 public:
  Explanation(const check::Site& site, const std::string& root)
      : site_(site), root_(root), client_(site, true) {}

  std::string of(Url url, const std::string& fields) {
    for (std::size_t hops = 0; hops <= check::Journey::hops_max; ++hops) {
      const Answer answer = client_.ask(url, fields);
      say("GET " + url.target());
      say_host(url);
      say_rule(answer);
      say_file(url, answer);
      say_blocks(url, answer);
      say_answer(answer);
      if (!answer.is_redirect()) return text_;
      const bool was_here = site_.is_own(url) || !site_.has_hosts();
      const std::string before = url.authority;
      url = http::resolve(url, answer.location);
      const bool stays = site_.has_hosts() ? site_.is_own(url) : url.authority == before;
      if (!was_here || !stays) return text_;
      say("");
    }
    return text_ + "and so on: the redirects go in a circle\n";
  }

 private:
  void say(const std::string& line) { text_ += line + "\n"; }

  void say_host(const Url& url) {
    const string_view name = http::site::host_name(url.authority);
    const auto& hosts = site_.settings().hosts;
    if (hosts.empty()) return say("host     any: crunch.toml names none");
    for (const http::site::HostSettings& host : hosts) {
      const std::string folder =
          host.root.empty() ? "" : ", whose root is the folder " + in_quotes(host.root);
      if (host.name == name) return say("host     " + host.name + folder);
      if (std::ranges::find(host.aliases, name) != host.aliases.end()) {
        return say("host     " + std::string(name) + ": an alias of " + host.name);
      }
    }
    say("host     " + std::string(name) + ": no [[host]] has this name; " +
        (site_.settings().settings.strict_hosts ? "strict-hosts refuses it"
                                                : hosts.front().name + ", the first, answers"));
  }

  // A line of a rules file, as it is written.
  [[nodiscard]] std::string line_of(const SiteRecord& part, const char* file,
                                    std::uint32_t number) const {
    const std::string name = std::string(site_.rules()->plan().text(part.root)) + file;
    const std::string text = read_file(root_ + "/" + name);
    http::site::Lines lines(text);
    string_view line;
    while (lines.next(line) && lines.number() < number) {
    }
    return name + ":" + std::to_string(number) + ": " + std::string(http::site::trimmed(line));
  }

  void say_rule(const Answer& answer) {
    if (site_.rules() == nullptr) return say("rule     none: the site has no rules");
    if (answer.site == nullptr) return;
    if (answer.rule_line == 0) return say("rule     none decides");
    say("rule     " + line_of(*answer.site, "_redirects", answer.rule_line));
  }

  void say_file(const Url& url, const Answer& answer) {
    if (answer.is_redirect()) {
      if (answer.rule_line == 0) say("file     none: the address is another");
      return;
    }
    if (answer.file == check::no_file) return say("file     none");
    const std::string& key = site_.files()[answer.file].key;
    say("file     " + in_quotes(key) + ": " + why(url, answer, key));
  }

  [[nodiscard]] std::string why(const Url& url, const Answer& answer,
                                const std::string& key) const {
    if (answer.rule_line != 0) return "where the rule leads";
    if (http::code_of(answer.status) >= 400) return "the nearest page that says so";
    std::string asked = http::without_escapes(url.path);
    while (asked.starts_with('/')) asked.erase(0, 1);
    while (asked.ends_with('/')) asked.pop_back();
    const bool has_root = answer.site != nullptr && site_.rules() != nullptr;
    const string_view root = has_root ? site_.rules()->plan().text(answer.site->root) : "";
    const string_view found = string_view(key).substr(root.size());
    if (found == asked) return "the file of that name";
    if (found == asked + ".html") return "clean URLs: the name without .html";
    if (found == (asked.empty() ? "" : asked + "/") + "index.html") return "the folder's page";
    return "the page for addresses without a file (not-found = \"spa\")";
  }

  void say_blocks(const Url& url, const Answer& answer) {
    if (site_.rules() == nullptr || answer.site == nullptr) return;
    const http::site::Plan& plan = site_.rules()->plan();
    std::string host(http::site::host_name(url.authority));
    std::ranges::transform(host, host.begin(), small);
    const bool fold = answer.site->dialect == http::site::Dialect::netlify;
    const char* label = "headers  ";
    for (const http::site::BlockRecord& block : plan.blocks(answer.site->blocks)) {
      http::site::Captures captures;
      const std::string subject = (block.with_host != 0 ? host : "") + answer.address;
      if (!http::site::matches(plan, block.pattern, subject, fold, captures)) continue;
      say(label + line_of(*answer.site, "_headers", block.line));
      label = "         ";
    }
    if (string_view(label) == "headers  ") say("headers  no block matches " + answer.address);
  }

  void say_answer(const Answer& answer) {
    const char* label = "answer   ";
    for (string_view rest = answer.head; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      say(label + std::string(rest.substr(0, end)));
      rest.remove_prefix(end + 1);
      label = "         ";
    }
  }

  const check::Site& site_;
  const std::string root_;
  check::Client client_;
  std::string text_;
};

}  // namespace

std::string explain(const Options& options) {
  const check::Site site(options.site);
  Url base;
  base.scheme = "http";
  base.authority = site.has_hosts() ? site.settings().hosts.front().name : "localhost";
  if (options.url.empty() ||
      (!options.url.starts_with('/') && options.url.find("://") == std::string::npos)) {
    throw Usage("give an address: \"/about\", or \"https://www.example.org/about\"");
  }
  Url url = http::resolve(base, options.url);
  if (!url.is_http()) throw Usage(in_quotes(options.url) + " is no address of http or https");
  const std::string fields = lines_of(options.fields, url);
  std::string text = Explanation(site, options.site.root).of(url, fields);
  for (const http::site::Finding& finding : site.findings()) {
    if (finding.weight != http::site::Finding::Weight::error) continue;
    text += "The rules have errors and count for nothing: " + finding.message() + "\n";
  }
  return text;
}

}  // namespace crunch::route
