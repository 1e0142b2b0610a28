// SPDX-License-Identifier: ISC
// tests/http/site/cases_test.cpp: requests to small sites with rules, and the answers that
// Cloudflare's and Netlify's own programs give.
//
// Method: cases.tsv, whose first lines explain its columns. Each site is compiled, opened and asked
// without a server: what a route and the site's fields come to.

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "http/site/compile.hpp"
#include "http/site/fields.hpp"
#include "http/site/route.hpp"
#include "http/target.hpp"

namespace {

using namespace http::site;
using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return parts;
    at = end + separator.size();
  }
}

std::vector<Row> rows() {
  std::ifstream file(CASES);
  std::vector<std::string> names;
  std::vector<Row> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> cells = split(line, "\t");
    if (names.empty()) {
      names = cells;
      continue;
    }
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i) {
      row[names[i]] = cells.at(i) == "=" ? all.back()[names[i]] : cells.at(i);
    }
    all.push_back(row);
  }
  return all;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i] == 't' ? '\t' : text[i];
  }
  return out;
}

// A site in memory.
struct Site {
  std::set<std::string> keys;
  Compiled compiled;

  explicit Site(const Row& row) {
    for (const std::string& name : split(row.at("files"), " | ")) keys.insert(name.substr(1));
    SiteSettings settings;
    settings.dialect = row.at("dialect") == "netlify" ? Dialect::netlify : Dialect::cloudflare;
    const std::map<std::string, CleanUrls> clean{{"auto", CleanUrls::automatic},
                                                 {"slash", CleanUrls::slash},
                                                 {"no-slash", CleanUrls::no_slash},
                                                 {"exact", CleanUrls::exact}};
    const std::map<std::string, NotFound> absent{
        {"page", NotFound::page}, {"spa", NotFound::spa}, {"none", NotFound::none}};
    if (clean.contains(row.at("clean_urls"))) settings.clean_urls = clean.at(row.at("clean_urls"));
    if (absent.contains(row.at("not_found"))) settings.not_found = absent.at(row.at("not_found"));
    SiteFiles files;
    files.has = [this](const std::string& key) { return keys.contains(key); };
    files.text = [&row](const std::string& key) -> std::optional<std::string> {
      const std::string& text = row.at(key.substr(1));
      if (text == "-") return std::nullopt;
      return unescaped(text);
    };
    compiled = compile(settings, {}, files);
  }

  [[nodiscard]] kv::Result<kv::Stat> stat(kv::Key key) const {
    if (keys.contains(std::string(key))) return kv::Stat{};
    const std::string below = std::string(key) + "/";
    const auto at = keys.lower_bound(below);
    const bool is_dictionary = at != keys.end() && at->starts_with(below);
    return base::failure(is_dictionary ? kv::Error::value_expected : kv::Error::not_found);
  }
};

std::string small(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

struct Answer {
  int status = 0;
  std::string location = "-", served = "-", fields = "-";
  friend bool operator==(const Answer&, const Answer&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Answer& a) {
    return out << a.status << " location " << a.location << " served " << a.served << " fields "
               << a.fields;
  }
};

Answer ask(const Site& site, const Row& row) {
  const std::optional<Plan> plan = Plan::open(site.compiled.plan);
  if (!plan) return {};
  const std::string url = row.at("url").substr(7);
  const std::string host = url.substr(0, url.find('/'));
  const std::string target = url.substr(host.size());
  std::array<char, 1024> decoded, address, key, location;
  const http::Target parsed = http::parse_target(target, decoded);
  Asked asked;
  asked.host = host;
  asked.target = std::string_view(target).substr(0, target.find('?'));
  asked.query = parsed.query;
  asked.key = parsed.key;
  asked.is_directory = parsed.is_directory;
  Route route;
  route.start(*plan, asked, address, key, location);
  while (route.wants()) route.take(site.stat(route.key()));
  Answer answer;
  answer.status = route.status();
  const bool is_readable = row.at("method") == "GET" || row.at("method") == "HEAD";
  const bool is_refused = !is_readable && (route.is_clean() || route.end() == Route::End::value);
  if (is_refused) {
    answer.status = 405;
  } else if (route.end() == Route::End::redirect) {
    answer.location = route.location();
  } else if (route.end() == Route::End::value && row.at("method") == "GET") {
    answer.served = "/" + std::string(route.key());
  }
  if (row.at("request_headers") != "-" && answer.status == 200) {
    answer.status = 304;
    answer.served = "-";
  }
  std::array<char, 4096> buffer;
  http::Writer out(buffer);
  write_fields(*plan, route.site(), route.address(), asked.host, false, out);
  std::set<std::string> fields;
  for (const std::string& line : split(std::string(out.written()), "\r\n")) {
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    const std::string name = small(line.substr(0, colon));
    const bool is_wanted = row.at("response_headers").find("cache-control") != std::string::npos;
    if (name.starts_with("x-") || (name == "cache-control" && is_wanted)) {
      fields.insert(name + line.substr(colon));
    }
  }
  for (const std::string& field : fields) {
    answer.fields = (answer.fields == "-" ? "" : answer.fields + " | ") + field;
  }
  return answer;
}

TEST(SiteCases, AsTheHostsThemselves) {
  const std::vector<Row> all = rows();
  ASSERT_GE(all.size(), 80U);
  for (const Row& row : all) {
    const Site site(row);
    const Answer wanted{std::stoi(row.at("status")), row.at("location"), row.at("served"),
                        row.at("response_headers")};
    EXPECT_EQ(ask(site, row), wanted)
        << row.at("id") << " " << row.at("method") << " " << row.at("url") << ": " << row.at("why");
  }
}

}  // namespace
