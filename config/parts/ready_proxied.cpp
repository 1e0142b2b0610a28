// SPDX-License-Identifier: ISC
// config/parts/ready_proxied.cpp: the PROXY protocol over one stack, for ready_made.hpp.
//
// CMakeLists.txt compiles it once for each that is named there.

#include "config/parts/ready_made.hpp"

template class net::proxied::Over<CRUNCH_STACK>;
