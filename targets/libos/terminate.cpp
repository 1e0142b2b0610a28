// SPDX-License-Identifier: ISC
// What an uncaught exception ends in: its type and words on the console, then abort,
// whose report follows.
//
// It takes the place of libstdc++'s own handler, which brings 47 KB of demangler along.

#include <cxxabi.h>
#include <cstdlib>
#include <exception>
#include <typeinfo>

#include "targets/libos/report.hpp"

namespace __gnu_cxx {

void __verbose_terminate_handler() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type != nullptr) {
    libos::say({"\nuncaught exception of type ", type->name()});
    try {
      throw;
    } catch (const std::exception& error) {
      libos::say({": ", error.what()});
    } catch (...) {
    }
    libos::say({"\n"});
  }
  std::abort();
}

}  // namespace __gnu_cxx
