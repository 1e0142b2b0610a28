// SPDX-License-Identifier: ISC
// The parser of _redirects (http/site/draft.hpp), as Cloudflare and as Netlify read it.
//
// Source:  Cloudflare's and Netlify's documentation of the file, and what their own programs answer
//          (tests/http/site).
#include <algorithm>
#include <set>

#include "http/site/draft.hpp"
#include "http/site/path.hpp"

namespace http::site {
namespace {

using std::string_view;
using Weight = Finding::Weight;

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

bool is_address(string_view text) {
  const std::string small = lower(text.substr(0, 8));
  return small.starts_with("http://") || small.starts_with("https://");
}

class Parser {
 public:
  Parser(const Reading& how, Findings& findings) : how_(how), findings_(findings) {}

  Redirects run(string_view text) {
    if (text.size() > file_bytes_max) {
      say(Weight::error, 0, "has more than 1,048,576 bytes; make it shorter");
      return {};
    }
    Lines lines(text);
    for (string_view line; lines.next(line);) {
      line_ = line;
      number_ = lines.number();
      if (line.size() > line_bytes_max) {
        refuse("is longer than 8,192 bytes; make it shorter", Weight::error);
        continue;
      }
      std::vector<string_view> words = words_of(line);
      const auto comment = std::ranges::find_if(words, [](string_view w) { return w[0] == '#'; });
      words.erase(comment, words.end());
      if (words.empty()) continue;
      if (has_control(line)) {
        refuse("has a control character in it; take it out");
      } else if (how_.dialect == Dialect::netlify) {
        read_netlify(words);
      } else {
        read_cloudflare(words);
      }
      if (statics_ > static_rules_max) return stop("more than 65,536 rules without placeholders");
      if (dynamics_ > dynamic_rules_max) return stop("more than 1,000 rules with placeholders");
    }
    if (how_.dialect == Dialect::cloudflare && dynamics_ > 100) {
      say(Weight::note, 0, "has more than 100 rules with placeholders; Cloudflare reads 100");
    }
    return std::move(out_);
  }

 private:
  void say(Weight weight, std::uint32_t line, std::string text) {
    findings_.push_back({weight, how_.file, line, std::move(text)});
  }
  void refuse(const std::string& why, Weight weight = Weight::warning) {
    say(weight, number_, shown(line_) + ": " + why);
  }
  void unsupported(const std::string& why) {
    refuse(why + ", or say unsupported = \"warn\" to leave such lines out",
           how_.unsupported_is_warning ? Weight::warning : Weight::error);
  }
  Redirects stop(const char* why) {
    say(Weight::error, number_, std::string(why) + "; the limit is there");
    return {};
  }

  // ---- Cloudflare -------------------------------------------------------------------------------

  void read_cloudflare(const std::vector<string_view>& words) {
    if (words.size() == 1) return refuse("has no target; write \"SOURCE TARGET STATUS\"");
    if (words.size() > 3)
      return refuse("has more than three words; write \"SOURCE TARGET STATUS\"");
    RuleDraft rule;
    rule.line = number_;
    string_view source = words[0];
    if (is_address(source) || source.find("://") != string_view::npos) {
      return refuse("names a host, which Cloudflare ignores in a source; write its path");
    }
    source = cut(source).path;
    // A slash too many is none.
    rule.source = normal_path(std::string(1, '/').append(source));
    rule.status = 302;
    if (words.size() == 3) {
      const std::optional<int> status = number_at(words[2]);
      constexpr std::array known{200, 301, 302, 303, 307, 308};
      const bool is_whole =
          std::ranges::all_of(words[2], [](char c) { return c >= '0' && c <= '9'; });
      if (!is_whole || !status || std::ranges::find(known, *status) == known.end()) {
        return refuse(
            "the status must be 200, 301, 302, 303, 307 or 308; Cloudflare ignores such a "
            "line");
      }
      rule.status = static_cast<std::uint16_t>(*status);
    }
    const string_view target = words[1];
    if (!target.starts_with('/') && !lower(target.substr(0, 8)).starts_with("https://")) {
      return refuse(target.starts_with("http:")
                        ? "the target must begin with \"/\" or \"https://\"; Cloudflare ignores "
                          "such a line"
                        : "the target does not begin with \"/\"; Cloudflare and Netlify ignore "
                          "such a line; write \"/" +
                              std::string(target) + "\"");
    }
    const bool elsewhere = !target.starts_with('/');
    if (is_index_loop(rule.source, target)) {
      if (rule.source == how_.base + "*" && rule.status == 200 &&
          (target == how_.base + "index.html" || target == how_.base + "index")) {
        out_.spa_line = out_.spa_line == 0 ? number_ : out_.spa_line;
        return;  // the compiler says what becomes of it
      }
      return refuse(
          "would lead to itself by the clean address of index.html; Cloudflare ignores "
          "such a line; write the target without \"index.html\"");
    }
    if (!sources_.insert(rule.source).second) {
      return refuse("never reached: this source is in an earlier line; delete one of them");
    }
    if (rule.status == 200 && elsewhere) {
      return refuse("a rewrite to another site; Cloudflare ignores such a line");
    }
    std::string why;
    rule.pattern = cloudflare_pattern(rule.source, 0, rule.captures, why);
    has_placeholders_ = has_placeholders_ || !rule.captures.empty() || !why.empty();
    if (!why.empty()) return refuse(why);
    rule.is_static = rule.captures.empty();
    // There, what stands below a placeholder is filled in as if it had one.
    rule.keeps_slashes = !has_placeholders_ && rule.status != 200;
    add(std::move(rule), target, elsewhere);
  }

  // Such a line would redirect for ever on Cloudflare, whose pages have addresses without index.
  [[nodiscard]] bool is_index_loop(string_view source, string_view target) const {
    if (!target.starts_with('/') ||
        !(target.ends_with("/index") || target.ends_with("/index.html"))) {
      return false;
    }
    return source.ends_with("/*") || (source.ends_with("/") && how_.clean_urls != CleanUrls::exact);
  }

  // ---- Netlify ----------------------------------------------------------------------------------

  void read_netlify(const std::vector<string_view>& words) {
    RuleDraft rule;
    rule.line = number_;
    if (words.size() == 1) return refuse("has no target; write \"SOURCE TARGET STATUS\"");
    std::size_t at = 1;
    const bool has_target = !number_at(words[1]);
    std::vector<string_view> queries;
    if (has_target) {
      while (at < words.size() && !words[at].starts_with('/') && !is_address(words[at])) {
        queries.push_back(words[at++]);
      }
      if (at == words.size()) {
        return refuse(
            "the target does not begin with \"/\" or \"https://\"; Cloudflare and Netlify "
            "ignore such a line; write \"/" +
            std::string(words.back()) + "\"");
      }
    }
    const string_view target = has_target ? words[at++] : string_view();
    const std::optional<int> status =
        at < words.size() ? number_at(words[at]) : std::optional<int>();
    if (status) {
      rule.forced = words[at].ends_with('!');
      ++at;
    }
    string_view source = words[0];
    if (!read_source(source, rule)) return;
    if (!read_queries(queries, rule)) return;
    for (; at < words.size(); ++at) {
      if (!read_condition(words[at], rule)) return;
    }
    const int code = status.value_or(301);
    constexpr std::array known{200, 301, 302, 303, 307, 308, 401, 403, 404, 410, 451};
    if (std::ranges::find(known, code) == known.end()) {
      return refuse("the status " + std::to_string(code) +
                    " is none that is served; write 200, "
                    "301, 302, 303, 307, 308, 401, 403, 404, 410 or 451");
    }
    rule.status = static_cast<std::uint16_t>(code);
    const bool elsewhere = is_address(target);
    if (code == 200 && elsewhere) {
      return unsupported(
          "an appliance does not fetch pages from other sites; write 302, and "
          "browsers go there");
    }
    if (rule.is_static && rule.conditions.empty() && !sources_.insert(rule.source).second) {
      return refuse("never reached: this source is in an earlier line; delete one of them");
    }
    if (!has_target && (code != 200 || !source.ends_with("/*"))) {
      return refuse("has no target; only \"SOURCE/* 200\" needs none; write one before the status");
    }
    const std::string own = std::string(source.substr(0, source.size() - 1)) + ":splat";
    rule.keeps_slashes = code >= 300 && code < 400;
    add(std::move(rule), has_target ? target : string_view(own), elsewhere);
  }

  bool read_source(string_view& source, RuleDraft& rule) {
    if (is_address(source)) {
      Condition host{ConditionKind::host, lower(source.substr(0, source.find(':'))), "",
                     no_capture};
      source.remove_prefix(source.find("://") + 3);
      const std::size_t end = std::min(source.find('/'), source.size());
      host.value = source.substr(0, end);
      source = end == source.size() ? string_view("/") : source.substr(end);
      if (host.value.empty() || host.value.find_first_of("*:") != std::string::npos) {
        refuse("a host with \"*\" or a port matches nothing; write each host in a line of its own");
        return false;
      }
      rule.conditions.push_back(std::move(host));
    }
    if (!source.starts_with('/')) {
      refuse("the source does not begin with \"/\"; write \"/" + std::string(source) + "\"");
      return false;
    }
    rule.source = normal_path(cut(source).path);
    if (cut(source).query.size() > 1) {
      refuse("a query in a source matches nothing; write \"" + std::string(cut(source).path) + " " +
             std::string(cut(source).query.substr(1)) + " TARGET\"");
      return false;
    }
    std::string why;
    rule.pattern = netlify_pattern(rule.source, false, rule.captures, why);
    if (!why.empty()) {
      refuse(why);
      return false;
    }
    rule.is_static = rule.conditions.empty() && rule.source.find('*') == std::string::npos &&
                     rule.source.find("/:") == std::string::npos;
    while (rule.is_static && rule.source.size() > 1 && rule.source.ends_with('/')) {
      rule.source.pop_back();
    }
    return true;
  }

  bool read_queries(const std::vector<string_view>& words, RuleDraft& rule) {
    for (const string_view word : words) {
      const std::size_t equals = word.find('=');
      if (equals == 0 || equals == string_view::npos) {
        refuse(shown(word) + " is neither a target nor a query; write \"name=value\" or a path");
        return false;
      }
      Condition condition;
      condition.name = word.substr(0, equals);
      condition.value = word.substr(equals + 1);
      if (condition.value.size() > 1 && condition.value[0] == ':') {
        condition.kind = ConditionKind::query_captures;
        if (rule.captures.size() == captures_max) {
          refuse("has more than 8 placeholders; write fewer");
          return false;
        }
        condition.capture = static_cast<std::uint8_t>(rule.captures.size());
        rule.captures.push_back(condition.value.substr(1));
        condition.value.clear();
      }
      rule.conditions.push_back(std::move(condition));
      rule.is_static = false;
    }
    return true;
  }

  bool read_condition(string_view word, RuleDraft& rule) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string name = lower(word.substr(0, equals));
    const string_view value = equals == word.size() ? string_view() : word.substr(equals + 1);
    if (name == "language") {
      Condition condition{ConditionKind::language, name, "", no_capture};
      for (string_view rest = value; !rest.empty();) {
        const std::string one = lower(trimmed(rest.substr(0, rest.find(','))));
        if (one.size() >= 2) condition.value += one.substr(0, 2);
        rest.remove_prefix(std::min(
            rest.size(), rest.find(',') == string_view::npos ? rest.size() : rest.find(',') + 1));
      }
      rule.conditions.push_back(std::move(condition));
      rule.is_static = false;
      return true;
    }
    if (name == "country") {
      unsupported(std::string(word) +
                  ": an appliance does not know where visitors are; take the "
                  "condition away");
    } else if (name == "role" || name == "sign" || name == "signed") {
      unsupported(std::string(word) +
                  ": an appliance does not know who visitors are; take the "
                  "condition away");
    } else if (name == "cookie") {
      unsupported(std::string(word) +
                  ": an appliance does not read cookies; take the condition "
                  "away");
    } else {
      refuse(shown(word) +
             " is no condition that is known, so the rule never matches; take it away");
    }
    return false;
  }

  // ---- both -------------------------------------------------------------------------------------

  void add(RuleDraft rule, string_view target, bool elsewhere) {
    const Cut parts = cut(target);
    rule.elsewhere = elsewhere;
    rule.has_query = parts.query.size() > 1;
    rule.target_text = target;
    const bool is_netlify = how_.dialect == Dialect::netlify;
    std::string path =
        !elsewhere   ? normal_path(parts.path, rule.keeps_slashes ? Slashes::keep : Slashes::fold)
        : is_netlify ? escaped(parts.path)
                     : normal_address(parts.path);
    if (rule.has_query) path += escaped(parts.query);
    rule.target = pieces_of(path, rule.captures);
    if (parts.fragment.size() > 1) {
      rule.fragment = pieces_of(escaped(parts.fragment), rule.captures);
    }
    if (path.size() + parts.fragment.size() > location_bytes_max) {
      return refuse("the target is longer than 4,096 bytes; make it shorter", Weight::error);
    }
    if (how_.dialect == Dialect::cloudflare && line_.size() > 2000) {
      say(Weight::note, number_, "is longer than 2,000 bytes; Cloudflare ignores such a line");
    }
    ++(rule.is_static ? statics_ : dynamics_);
    out_.rules.push_back(std::move(rule));
  }

  const Reading& how_;
  Findings& findings_;
  Redirects out_;
  std::set<std::string> sources_;
  string_view line_;
  std::uint32_t number_ = 0;
  std::size_t statics_ = 0, dynamics_ = 0;
  bool has_placeholders_ = false;  // some line so far
};

}  // namespace

Redirects parse_redirects(string_view text, const Reading& how, Findings& out) {
  return Parser(how, out).run(text);
}

}  // namespace http::site
