// SPDX-License-Identifier: ISC
// tests/http/fuzz/site_fuzz.cpp: any bytes as _redirects, _headers, a target and a plan.
//
// Held:  what the parsers make of any files is a plan that opens; a route ends after a bounded
//        number of questions, leads to no "//host", and writes no control character into a
//        Location or a field; bytes that open as a plan are safe to be asked.
//        Each input is read three times: in both dialects, and by the evidence in it, then for a
//        site with a base, hosts and [auth].
// Input: _redirects, NUL, _headers, NUL, a target.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "http/site/compile.hpp"
#include "http/site/fields.hpp"
#include "http/site/route.hpp"
#include "http/target.hpp"

namespace {

using namespace http::site;

void check_text(std::string_view text) {
  for (const char c : text) CHECK(static_cast<unsigned char>(c) >= 0x20 || c == '\t');
}

void ask(const Plan& plan, std::string_view target, unsigned answers, bool is_trusted) {
  std::array<char, 1024> decoded, address, key, location;
  const http::Target parsed = http::parse_target(target, decoded);
  if (parsed.error != http::TargetError::none) return;
  Asked asked;
  asked.host = "t1.h.example:80";
  asked.target = parsed.path.empty() ? "/" : parsed.path;
  asked.query = parsed.query;
  asked.language = "fr-FR, en";
  asked.authorization = "Basic YTpi";
  asked.key = parsed.key;
  asked.is_directory = parsed.is_directory;
  Route route;
  route.start(plan, asked, address, key, location);
  for (int questions = 0; route.wants(); ++questions) {
    CHECK(questions < 200);
    const bool is_there = ((answers >> (questions % 32)) & 1U) != 0;
    route.take(is_there ? kv::Result<kv::Stat>(kv::Stat{}) : base::failure(kv::Error::not_found));
  }
  if (is_trusted && route.end() == Route::End::redirect) {
    CHECK(!route.location().starts_with("//"));
    check_text(route.location());
  }
  if (route.end() == Route::End::too_long) return;
  std::array<char, 4096> lines;
  http::Writer out(lines);
  write_fields(plan, route.site(), route.address(), asked.host, true, out);
  if (!is_trusted) return;
  for (std::string_view rest = out.written(); !out.overflowed() && !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    CHECK(end != std::string_view::npos);
    check_text(rest.substr(0, end));
    rest.remove_prefix(end + 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t first = std::min(input.find('\0'), size);
  const std::size_t second = std::min(input.find('\0', first + 1), size);
  const std::string redirects = input.substr(0, first);
  const std::string headers = first < second ? input.substr(first + 1, second - first - 1) : "";
  std::string target = second < size ? input.substr(second + 1) : "/a/b-c";
  // No request has other bytes in its target (http/parser).
  std::ranges::replace_if(
      target, [](char c) { return (c >= 0 && c <= 0x20) || c == 0x7F; }, '~');
  for (const Dialect dialect : {Dialect::none, Dialect::cloudflare, Dialect::netlify}) {
    SiteSettings settings;
    std::vector<HostSettings> hosts;
    if (dialect != Dialect::none) {
      settings.dialect = dialect;
    } else {
      settings.base = "/a/";
      settings.auth.from_headers = true;
      settings.auth.users = {{"a", "s", std::string(digest_bytes, 'd')}};
      settings.auth.paths = {"/a/*/locked", "/:x/b*"};
      settings.auth.except = {target.substr(0, target.find('?'))};
      hosts = {{"h.example", {"www.h.example"}, ""}, {"t1.h.example", {}, "a"}};
    }
    settings.unsupported_is_warning = true;
    SiteFiles files;
    files.text = [&](const std::string& key) -> std::optional<std::string> {
      return key.ends_with("_redirects") ? redirects : headers;
    };
    files.has = [](const std::string& key) { return key == "404.html"; };
    const Compiled compiled = compile(settings, hosts, files);
    CHECK(compiled.has_errors() == compiled.plan.empty());
    const std::optional<Plan> plan = Plan::open(compiled.plan);
    CHECK(plan.has_value() == !compiled.plan.empty());
    if (plan) ask(*plan, target, static_cast<unsigned>(size) * 2654435761U, true);
  }
  // The bytes themselves, aligned, as what a store has.
  std::vector<std::uint64_t> words(size / 8 + 1);
  std::copy(data, data + size, reinterpret_cast<std::uint8_t*>(words.data()));
  if (const auto plan = Plan::open({reinterpret_cast<const std::byte*>(words.data()), size})) {
    ask(*plan, "/a/b-c", 0x55555555U, false);
  }
  return 0;
}
