// SPDX-License-Identifier: ISC
// tests/http/site/site.hpp: a site in memory with its rules, and a server for it.

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "http/site/compile.hpp"
#include "http/site/rules.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace http_test {

// A site in memory, and what it has for rules.
struct Files {
  std::map<std::string, std::string> bytes;

  [[nodiscard]] http::site::Compiled compiled(
      const std::vector<http::site::HostSettings>& hosts = {},
      const http::site::SiteSettings& settings = {}) const {
    http::site::SiteFiles files;
    files.has = [this](const std::string& key) { return bytes.contains(key); };
    files.text = [this](const std::string& key) -> std::optional<std::string> {
      const auto at = bytes.find(key);
      return at == bytes.end() ? std::nullopt : std::optional(at->second);
    };
    return http::site::compile(settings, hosts, files);
  }
  [[nodiscard]] std::shared_ptr<const http::site::Rules> rules(
      const std::vector<http::site::HostSettings>& hosts = {},
      const http::site::SiteSettings& settings = {}) const {
    const http::site::Compiled made = compiled(hosts, settings);
    for (const http::site::Finding& finding : made.findings) {
      EXPECT_NE(finding.weight, http::site::Finding::Weight::error) << finding.message();
    }
    return http::site::Rules::open(made.plan, false);
  }
};

template <class Store>
class Site {
 public:
  Site(const Files& files, std::shared_ptr<const http::site::Rules> rules,
       const http::Options& options = {})
      : world(options) {
    for (const auto& [key, bytes] : files.bytes) {
      site_of(world.store).put(key, bytes, site_modified_s);
    }
    world.server.use(std::move(rules));
  }
  std::string ask(const std::string& requests) {
    auto wire = world.dial();
    wire->push(requests);
    world.settle();
    std::string answer = wire->take();
    wire->end();
    return answer;
  }
  // "status", "status location" or "status: body".
  std::string outcome(const std::string& request) {
    const std::string answer = ask(request);
    const std::string status = answer.substr(9, 3);
    const std::size_t location = answer.find("\r\nLocation: ");
    if (location != std::string::npos) {
      return status + " " +
             answer.substr(location + 12, answer.find('\r', location + 2) - location - 12);
    }
    return status + ": " + answer.substr(answer.find("\r\n\r\n") + 4);
  }
  World<Store> world;
};

inline std::string get_of(const std::string& host, const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

}  // namespace http_test
