// SPDX-License-Identifier: ISC
// crunch/embed/site_rules.hpp: the rules files of a directory, compiled.
//
// States:  compile_rules, say_findings.   Used by: embed (a site's plan), serve (the preview's).
// Reads:   _redirects and _headers at the root of each host's folder, and which platform's own file
//          lies in DIR or beside it.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crunch/embed/site_file.hpp"

namespace crunch::embed {

// The files that the rules can be in, by their paths in the site.
[[nodiscard]] std::vector<std::string> rules_files_of(const SiteFile& site);

[[nodiscard]] http::site::Compiled compile_rules(const SiteFile& site, const std::string& root);

// One line for each finding, in the words of the command line: "crunch: warning: ...".
void say_findings(const http::site::Findings& findings,
                  const std::function<void(const std::string&)>& say);

}  // namespace crunch::embed
