// SPDX-License-Identifier: ISC
// crunch/check/rules.hpp: the effects of a site's rules, found by asking the compiled plan.
//
// States:  check_rules.   Used by: crunch/check/check.
// Asks:    each static source, each dynamic rule with sample captures, each file.

#pragma once

#include "crunch/check/findings.hpp"
#include "crunch/check/site.hpp"

namespace crunch::check {

void check_rules(const Site& site, Report& report);

}  // namespace crunch::check
