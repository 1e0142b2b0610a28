// SPDX-License-Identifier: ISC
#include "crunch/embed/site_rules.hpp"

#include <filesystem>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"

namespace crunch::embed {
namespace {

namespace fs = std::filesystem;

// The file of a platform that the directory was made for.
std::string marker_of(const std::string& root) {
  fs::path folder = fs::absolute(root).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  for (const fs::path& place : {folder, folder.parent_path()}) {
    for (const char* name : {"netlify.toml", "wrangler.toml", "wrangler.json", "wrangler.jsonc",
                             "_routes.json", "_worker.js"}) {
      std::error_code none;
      if (fs::exists(place / name, none)) return name;
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> rules_files_of(const SiteFile& site) {
  std::vector<std::string> files{"_redirects", "_headers"};
  for (const http::site::HostSettings& host : site.hosts) {
    if (host.root.empty()) continue;
    for (const char* name : {"/_redirects", "/_headers"}) files.push_back(host.root + name);
  }
  return files;
}

http::site::Compiled compile_rules(const SiteFile& site, const std::string& root) {
  http::site::SiteFiles files;
  files.marker = marker_of(root);
  files.has = [&root](const std::string& key) {
    std::error_code none;
    return fs::is_regular_file(fs::path(root) / key, none);
  };
  files.text = [&](const std::string& key) -> std::optional<std::string> {
    if (!files.has(key)) return std::nullopt;
    // One byte more, so that the parser says that it is too long.
    const std::string path = (fs::path(root) / key).string();
    if (fs::file_size(path) > http::site::file_bytes_max) {
      return std::string(http::site::file_bytes_max + 1, '#');
    }
    return read_file(path, http::site::file_bytes_max);
  };
  return http::site::compile(site.settings, site.hosts, files);
}

void say_findings(const http::site::Findings& findings,
                  const std::function<void(const std::string&)>& say) {
  for (const http::site::Finding& finding : findings) {
    switch (finding.weight) {
      case http::site::Finding::Weight::note:
        say("crunch: note: " + finding.message());
        break;
      case http::site::Finding::Weight::warning:
        say("crunch: warning: " + finding.message());
        break;
      case http::site::Finding::Weight::error:
        say("crunch: " + finding.message());
        break;
    }
  }
}

}  // namespace crunch::embed
