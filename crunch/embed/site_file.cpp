// SPDX-License-Identifier: ISC
#include "crunch/embed/site_file.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "crunch/failure.hpp"
#include "crunch/files.hpp"
#include "http/caching.hpp"
#include "http/site/auth.hpp"
#include "http/site/path.hpp"
#include "kv/key.hpp"

namespace crunch::embed {
namespace {

constexpr std::uint64_t file_bytes_max = 1U << 20U;
// Heads are small.
constexpr std::size_t type_bytes_max = 120;
constexpr std::size_t caching_bytes_max = 120;

bool is_token_character(char c) {
  constexpr std::string_view also = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         also.find(c) != std::string_view::npos;
}

// RFC 9110 section 8.3.1: type "/" subtype, and parameters of which only the letters are looked at.
bool is_media_type(std::string_view text) {
  std::string_view essence = text.substr(0, text.find_first_of("; "));
  std::size_t slash = essence.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == essence.size()) return false;
  return std::ranges::all_of(essence.substr(0, slash), is_token_character) &&
         std::ranges::all_of(essence.substr(slash + 1), is_token_character);
}

bool is_field_value(std::string_view text) {
  return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// A table's lines in the order of the file: toml++ sorts them by name.
std::vector<PathSetting> read_patterns(const toml::table& table, const std::string& path,
                                       const std::string& what, std::size_t bytes_max,
                                       bool (*is_good)(std::string_view)) {
  struct Line {
    std::uint32_t number;
    PathSetting setting;
  };
  std::vector<Line> lines;
  for (const auto& [key, node] : table) {
    const std::uint32_t number = key.source().begin.line;
    const std::string place = path + ":" + std::to_string(number) + ": ";
    const std::string pattern(key.str());
    const auto* text = node.as_string();
    if (text == nullptr || text->get().size() > bytes_max || !is_good(text->get())) {
      throw Failure(place + "the value for " + in_quotes(pattern) + " must be " + what +
                    ", of at most " + std::to_string(bytes_max) + " bytes");
    }
    if (pattern.empty() || (pattern.front() != '/' && pattern.find('/') != std::string::npos)) {
      throw Failure(place + in_quotes(pattern) +
                    " fits no file: write \"*.ext\" for names, \"/folder/*\" for paths");
    }
    lines.push_back({number, {PathPattern(pattern), text->get()}});
  }
  std::ranges::stable_sort(lines, {}, &Line::number);
  std::vector<PathSetting> settings;
  for (Line& line : lines) settings.push_back(std::move(line.setting));
  return settings;
}

std::string_view last_fit(const std::vector<PathSetting>& settings, std::string_view key) {
  for (auto at = settings.rbegin(); at != settings.rend(); ++at) {
    if (at->pattern.fits(key)) return at->value;
  }
  return {};
}

[[noreturn]] void refuse(const std::string& path, const toml::key& key, const std::string& why) {
  throw Failure(path + ":" + std::to_string(key.source().begin.line) + ": '" +
                std::string(key.str()) + "' " + why);
}

// One of `words`, as the value of the same place.
template <class T, std::size_t count>
T choose(const toml::node& node, const std::pair<const char*, T> (&words)[count],
         const std::string& path, const toml::key& key) {
  std::string known;
  for (const auto& [word, value] : words) {
    const auto* text = node.as_string();
    if (text != nullptr && text->get() == word) return value;
    known += (known.empty() ? "\"" : ", \"") + std::string(word) + "\"";
  }
  refuse(path, key, "takes one of " + known);
}

bool truth(const toml::node& node, const std::string& path, const toml::key& key) {
  const auto* value = node.as_boolean();
  if (value == nullptr) refuse(path, key, "takes true or false");
  return value->get();
}

// The path that all addresses begin with; "/" is none.
std::string base_of(const toml::node& node, const std::string& path, const toml::key& key) {
  const auto* text = node.as_string();
  const std::string base = text == nullptr ? "" : text->get();
  constexpr std::size_t base_bytes_max = 200;
  const bool is_good = base.starts_with('/') && base.ends_with('/') &&
                       base.size() <= base_bytes_max && base.find('%') == std::string::npos &&
                       http::site::normal_path(base) == base && !base.starts_with("/.crunch/");
  if (!is_good) {
    refuse(path, key,
           "takes a path with a slash at both ends and without escapes, of at most 200 bytes: "
           "\"/project/\"");
  }
  return base == "/" ? "" : base;
}

http::site::SiteSettings read_site_table(const toml::table& table, const std::string& path) {
  using http::site::CleanUrls, http::site::Dialect, http::site::NotFound;
  constexpr std::pair<const char*, Dialect> dialects[] = {
      {"auto", Dialect::none}, {"cloudflare", Dialect::cloudflare}, {"netlify", Dialect::netlify}};
  constexpr std::pair<const char*, CleanUrls> clean_urls[] = {
      {"off", CleanUrls::off},           {"serve", CleanUrls::serve},
      {"auto", CleanUrls::automatic},    {"slash", CleanUrls::slash},
      {"no-slash", CleanUrls::no_slash}, {"exact", CleanUrls::exact},
      {"netlify", CleanUrls::netlify}};
  constexpr std::pair<const char*, NotFound> not_found[] = {
      {"page", NotFound::page}, {"spa", NotFound::spa}, {"none", NotFound::none}};
  constexpr std::pair<const char*, bool> unsupported[] = {{"error", false}, {"warn", true}};
  http::site::SiteSettings settings;
  for (const auto& [key, node] : table) {
    if (key == "dialect") {
      const Dialect dialect = choose(node, dialects, path, key);
      if (dialect != Dialect::none) settings.dialect = dialect;
    } else if (key == "clean-urls") {
      settings.clean_urls = choose(node, clean_urls, path, key);
    } else if (key == "not-found") {
      settings.not_found = choose(node, not_found, path, key);
    } else if (key == "unsupported") {
      settings.unsupported_is_warning = choose(node, unsupported, path, key);
    } else if (key == "strict-hosts") {
      settings.strict_hosts = truth(node, path, key);
    } else if (key == "base") {
      settings.base = base_of(node, path, key);
    } else {
      refuse(path, key,
             "is not known in [site]: it takes base, dialect, clean-urls, not-found, unsupported "
             "and strict-hosts");
    }
  }
  return settings;
}

// "name:salt:digest". The line is not shown, since it contains a secret.
http::site::User user_of(const toml::node& node, const std::string& path, const toml::key& key) {
  const auto* text = node.as_string();
  const std::string line = text == nullptr ? "" : text->get();
  const std::size_t first = line.find(':'), second = line.find(':', first + 1);
  http::site::User user;
  bool is_good = second != std::string::npos && first > 0 && second > first + 1 &&
                 second <= http::site::credential_bytes_max &&
                 line.size() - second - 1 == 2 * http::site::digest_bytes;
  for (std::size_t i = second + 1; is_good && i < line.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(line.data() + i, line.data() + i + 2, byte, 16);
    is_good = error == std::errc() && end == line.data() + i + 2;
    user.digest += static_cast<char>(byte);
  }
  if (!is_good) {
    refuse(path, key, "takes lines as `crunch auth NAME` prints them: \"NAME:SALT:SHA256\"");
  }
  user.name = line.substr(0, first);
  user.salt = line.substr(first + 1, second - first - 1);
  return user;
}

std::string auth_path(const toml::node& node, const std::string& path, const toml::key& key) {
  const auto* text = node.as_string();
  if (text == nullptr || !text->get().starts_with('/')) {
    refuse(path, key, "takes paths: \"/*\", \"/internal/*\"");
  }
  return text->get();
}

template <class T>
std::vector<T> list_of(const toml::node& node, const std::string& path, const toml::key& key,
                       T (*read)(const toml::node&, const std::string&, const toml::key&)) {
  if (!node.is_array()) refuse(path, key, "takes a list: [\"...\"]");
  std::vector<T> all;
  for (const toml::node& one : *node.as_array()) all.push_back(read(one, path, key));
  return all;
}

http::site::AuthSettings read_auth_table(const toml::table& table, const std::string& path) {
  http::site::AuthSettings auth;
  auth.paths = {"/*"};
  for (const auto& [key, node] : table) {
    if (key == "users") {
      auth.users = list_of(node, path, key, user_of);
    } else if (key == "paths") {
      auth.paths = list_of(node, path, key, auth_path);
    } else if (key == "except") {
      auth.except = list_of(node, path, key, auth_path);
    } else if (key == "from-headers") {
      auth.from_headers = truth(node, path, key);
    } else {
      refuse(path, key, "is not known in [auth]: it takes users, paths, except and from-headers");
    }
  }
  if (auth.users.empty() && !auth.from_headers) {
    throw Failure(path + ": [auth] has no users; `crunch auth NAME` prints a line for one");
  }
  return auth;
}

std::string host_name(const toml::node& node, const std::string& path, const toml::key& key) {
  const auto* text = node.as_string();
  std::string name = text == nullptr ? "" : text->get();
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  const bool is_name = !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (!is_name) refuse(path, key, "takes names of hosts, without ports: \"www.example.org\"");
  return name;
}

http::site::HostSettings read_host(const toml::table& table, const std::string& path) {
  http::site::HostSettings host;
  for (const auto& [key, node] : table) {
    if (key == "name") {
      host.name = host_name(node, path, key);
    } else if (key == "aliases" && node.is_array()) {
      for (const toml::node& one : *node.as_array()) {
        host.aliases.push_back(host_name(one, path, key));
      }
    } else if (key == "root" && node.is_string()) {
      host.root = node.as_string()->get();
      while (host.root.ends_with('/')) host.root.pop_back();
      if (host.root.starts_with('/') || !kv::is_normal(host.root)) {
        refuse(path, key, "takes a folder of the site: \"docs\"");
      }
    } else {
      refuse(path, key, "is not known in [[host]]: it takes name, aliases = [\"...\"] and root");
    }
  }
  if (host.name.empty()) throw Failure(path + ": a [[host]] has no name");
  return host;
}

}  // namespace

// Greedy from the left: after each '*' the first place that fits is as good as any later one.
bool PathPattern::fits(std::string_view key) const {
  std::string_view pattern = text_;
  std::string path;
  std::string_view text = key.substr(key.rfind('/') + 1);
  if (pattern.starts_with('/')) text = path = "/" + std::string(key);
  std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  while ((star = pattern.find('*')) != std::string_view::npos) {
    std::size_t at = text.find(pattern.substr(0, star));
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + star);
    pattern.remove_prefix(star + 1);
  }
  return text.ends_with(pattern);
}

std::string_view SiteFile::type_of(std::string_view key) const { return last_fit(types, key); }
std::string_view SiteFile::caching_of(std::string_view key) const { return last_fit(caching, key); }

bool is_site_table(std::string_view name) {
  return name == "types" || name == "cache" || name == "site" || name == "host" || name == "auth";
}

std::string site_file_of(const std::string& site) {
  namespace fs = std::filesystem;
  if (site.empty()) return "";
  // "public" and "public/" are the same directory.
  fs::path folder = fs::absolute(site).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  // A link that leads nowhere is a mistake to be told.
  auto is_there = [](const fs::path& file) {
    std::error_code error;
    return fs::exists(fs::symlink_status(file, error));
  };
  const fs::path beside = folder.parent_path() / site_file_name, inside = folder / site_file_name;
  auto shown = [](const fs::path& file) {
    return file.lexically_proximate(fs::current_path()).string();
  };
  if (!is_there(inside)) return is_there(beside) ? shown(beside) : "";
  if (is_there(beside) && folder.has_parent_path() && folder != folder.root_path()) {
    throw Failure("there are two settings files, " + in_quotes(shown(beside)) + " and " +
                  in_quotes(shown(inside)) + "; keep one of them");
  }
  return shown(inside);
}

SiteFile read_site_file(const std::string& site) {
  const std::string path = site_file_of(site);
  return path.empty() ? SiteFile() : parse_site_file(read_file(path, file_bytes_max), path);
}

SiteFile parse_site_file(const std::string& bytes, const std::string& path) {
  SiteFile file;
  file.path = path;
  toml::table all;
  try {
    all = toml::parse(bytes, path);
  } catch (const toml::parse_error& error) {
    throw Failure(file.path + ":" + std::to_string(error.source().begin.line) + ": " +
                  std::string(error.description()));
  }
  if (const toml::table* types = all["types"].as_table()) {
    file.types = read_patterns(
        *types, file.path, "a media type, as in \"application/x-foo\"", type_bytes_max,
        [](std::string_view text) { return is_field_value(text) && is_media_type(text); });
  }
  if (const toml::table* cache = all["cache"].as_table()) {
    file.caching = read_patterns(*cache, file.path,
                                 "\"immutable\" or a value of Cache-Control, as in "
                                 "\"public, max-age=3600\"",
                                 caching_bytes_max, is_field_value);
    for (PathSetting& line : file.caching) {
      if (line.value == "immutable") line.value = http::immutable;
    }
  }
  if (const toml::table* table = all["site"].as_table()) {
    file.settings = read_site_table(*table, file.path);
  }
  if (const toml::table* table = all["auth"].as_table()) {
    file.settings.auth = read_auth_table(*table, file.path);
  }
  if (const toml::array* hosts = all["host"].as_array()) {
    for (const toml::node& host : *hosts) {
      if (host.is_table()) file.hosts.push_back(read_host(*host.as_table(), file.path));
    }
  }
  return file;
}

}  // namespace crunch::embed
