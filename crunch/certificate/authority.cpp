// SPDX-License-Identifier: ISC
#include "crunch/certificate/authority.hpp"

#include <sstream>

#include "acme/client.hpp"

namespace crunch::certificate {

std::string problem_of_authority(const std::string& ca, const std::string& names) {
  acme::Settings settings;
  settings.directory = acme::directory_of(ca);
  std::istringstream rest(names);
  for (std::string name; std::getline(rest, name, ',');) settings.names.push_back(name);
  if (settings.names.empty()) settings.names.emplace_back("not-known-yet.example");
  return acme::problem_of(settings);
}

std::string roots_of_authority(const std::string& ca) {
  // The servers of the staging CA have certificates of the other one.
  return acme::directory_of(ca) != ca ? "letsencrypt" : "debian";
}

}  // namespace crunch::certificate
