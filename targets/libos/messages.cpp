// SPDX-License-Identifier: ISC
// What the C library says about itself, in English and on the console.
//
// Its own versions look for translations, which are files, and bring what reads and converts files
// along: 110 KB. These take their place, as the linker is told to have them first.

#include <cstdlib>

#include "targets/libos/report.hpp"

extern "C" {

// assert()'s. Abort gives the report.
[[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned line,
                                const char* function) {
  libos::say({file, ":", libos::decimal(line), ": ", function == nullptr ? "?" : function,
              ": assertion failed: ", assertion, "\n"});
  std::abort();
}

// gettext()'s, by both of its names.
char* __dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
char* dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
}
