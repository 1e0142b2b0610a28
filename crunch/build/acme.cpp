// SPDX-License-Identifier: ISC
#include "crunch/build/acme.hpp"

#include <algorithm>

#include "crunch/certificate/authority.hpp"
#include "crunch/embed/site_file.hpp"
#include "crunch/failure.hpp"

namespace crunch::build {
namespace {

// The names of the site's hosts, each once.
std::vector<std::string> names_of(const std::string& site) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  if (site.empty()) return names;
  for (const http::site::HostSettings& host : embed::read_site_file(site).hosts) {
    add(host.name);
    std::ranges::for_each(host.aliases, add);
  }
  return names;
}

class Choices {
 public:
  explicit Choices(std::vector<Setting>& settings) : settings_(settings) {}

  // The value; empty: none was chosen.
  [[nodiscard]] std::string find(std::string_view name) const {
    const auto found = std::ranges::find(settings_, name, &Setting::name);
    return found == settings_.end() ? "" : found->value;
  }
  void choose(const std::string& name, const std::string& value) {
    const auto place = std::ranges::lower_bound(settings_, name, {}, &Setting::name);
    const Setting chosen{name, value, Setting::Origin::option, "--acme"};
    if (place != settings_.end() && place->name == name) {
      *place = chosen;
    } else {
      settings_.insert(place, chosen);
    }
  }

 private:
  std::vector<Setting>& settings_;
};

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace

void choose_acme(Options& options, std::vector<Setting>& settings) {
  if (!options.acme) return;
  if (!options.certificates.empty() || options.self_signed) {
    throw Usage(
        "--acme gets the certificate when the image runs: leave out --cert, --key and "
        "--self-signed");
  }
  Choices choices(settings);
  std::string names = choices.find("acme-names");
  if (names.empty()) names = joined(names_of(options.embed.root));
  const std::string problem = certificate::problem_of_authority(*options.acme, names);
  if (!problem.empty()) throw Usage("--acme: " + problem);
  choices.choose("acme-client", "true");
  choices.choose("acme", *options.acme);
  if (!names.empty()) choices.choose("acme-names", names);
  if (choices.find("vault").empty()) choices.choose("vault", "any");
  if (!options.roots) options.roots = certificate::roots_of_authority(*options.acme);
}

}  // namespace crunch::build
