// SPDX-License-Identifier: ISC
// bench/instructions/instructions.cpp: requests through the whole server, for callgrind to count.
//
//   bench_instructions COUNT [browser|plain [blocks|dynamic|static]]
//
//   serves COUNT GETs on one connection, of a site with 20 blocks of fields, 100 rules with
//   placeholders or 2,000 without; otherwise of one without rules.
//
// Method:  http::Server over kv::Crunched and a flow in memory. Under callgrind, instructions are
//          collected from the moment a read has given the request's bytes to the moment a write is
//          asked for; scripts/bench instructions prints the number for each request.

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/head.hpp"
#include "http/server.hpp"
#include "http/site/compile.hpp"
#include "kv/crunched/crunched.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/kv/crunched_site.hpp"
#include "tests/net/memory_flow.hpp"

namespace {

// 539 bytes, as Firefox 128 sends them for a page that it has in its cache.
constexpr std::string_view browser_get =
    "GET /docs/page0042.html HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0esr\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/png,image/svg+xml,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Connection: keep-alive\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "If-None-Match: \"0123456789abcdef0123456789abcdef\"\r\n"
    "\r\n";

constexpr std::string_view plain_get = "GET /docs/page0042.html HTTP/1.1\r\nHost: a\r\n\r\n";

void collect() { CALLGRIND_TOGGLE_COLLECT; }

struct Silence final : base::Console {
  void write(std::string_view) noexcept override {}
};

// A thousand pages of 1 to 30 KiB, each in four encodings, with heads made as embed makes them.
void fill(kv::CrunchedSite& site) {
  for (int i = 0; i < 1000; ++i) {
    char key[32];
    std::snprintf(key, sizeof key, "docs/page%04d.html", i);
    std::vector<kv::CrunchedSite::GivenForm> forms;
    for (std::size_t e = 0; e < kv::encoding_count; ++e) {
      auto encoding = static_cast<kv::Encoding>(e);
      std::string bytes(static_cast<std::size_t>(1024 + i % 30 * 1000) / (e + 1), 'x');
      bytes += key;
      kv::HeadFields head = http::make_head(
          {key, encoding, kv::digest_of(base::bytes_of(bytes)), bytes.size(), 784111777, true});
      forms.push_back({encoding, std::move(bytes), std::move(head)});
    }
    site.add(key, 784111777, forms);
  }
}

// Rules of which none is for the page that is asked for, and blocks of which two are.
std::shared_ptr<const http::site::Rules> rules_of(std::string_view kind) {
  std::string redirects = "/unused /elsewhere 301\n", headers = "/unused\n  X-A: 1\n";
  for (int i = 0; kind == "static" && i < 2000; ++i) {
    redirects += "/old/page" + std::to_string(i) + " /docs/ 301\n";
  }
  for (int i = 0; kind == "dynamic" && i < 100; ++i) {
    redirects += "/old" + std::to_string(i) + "/:year/* /docs/:splat 301\n";
  }
  if (kind == "blocks") {
    headers = "/*\n  X-Frame-Options: DENY\n  Referrer-Policy: no-referrer\n";
    for (int i = 0; i < 18; ++i) {
      headers += "/section" + std::to_string(i) + "/*\n  Cache-Control: public, max-age=60\n";
    }
    headers += "/docs/*\n  X-Docs: yes\n";
  }
  http::site::SiteSettings settings;
  settings.dialect = http::site::Dialect::cloudflare;
  settings.clean_urls = http::site::CleanUrls::serve;
  http::site::SiteFiles files;
  files.has = [](const std::string&) { return false; };
  files.text = [&](const std::string& key) -> std::optional<std::string> {
    return key == "_redirects" ? redirects : headers;
  };
  return http::site::Rules::open(http::site::compile(settings, {}, files).plan, false);
}

}  // namespace

int main(int argc, char** argv) {
  int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  bool plain = argc > 2 && std::string_view(argv[2]) == "plain";
  std::string_view request = plain ? plain_get : browser_get;
  kv::CrunchedSite site;
  fill(site);
  kv::Crunched store(site.site());
  base::SimulatedTime time;
  base::Loop loop(time, time);
  net::MemoryStack stack(loop);
  Silence console;
  http::AccessLog log(console, loop, http::LogFormat::off);
  http::Options options;
  options.requests_per_connection_max = 0;
  http::Server server(store, stack, loop, options, log);
  if (!server.listen(80)) return 1;
  if (argc > 3) server.use(rules_of(argv[3]));
  loop.spawn(server.run());
  loop.turn(time.now());
  auto wire = stack.dial(80);
  std::uint64_t bytes = 0;
  for (int i = -10; i < count; ++i) {  // the first ones warm up
    if (i == 0) wire->on_read = wire->on_write = collect;
    wire->push(request);
    for (int turn = 0; turn < 3; ++turn) loop.turn(time.now());
    net::MemoryPipe& answers = wire->pipes[1];
    bytes += answers.size();
    answers.take(answers.size());
  }
  wire->on_read = wire->on_write = nullptr;
  std::printf("%d requests of %zu bytes, %llu bytes answered, %llu writes\n", count, request.size(),
              static_cast<unsigned long long>(bytes),
              static_cast<unsigned long long>(wire->writes));
  server.drain();
  for (int turn = 0; turn < 10 && loop.spawned_count() > 0; ++turn) loop.turn(time.now());
  return 0;
}
