// SPDX-License-Identifier: ISC
// crunch/version.hpp: the version, as a literal; the number itself is in CMakeLists.txt.

#pragma once

#ifndef CRUNCH_VERSION
#define CRUNCH_VERSION "0.1.0"
#endif
