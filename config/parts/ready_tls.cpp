// SPDX-License-Identifier: ISC
// config/parts/ready_tls.cpp: TLS over one stack, for ready_made.hpp.
//
// CMakeLists.txt compiles it once for each that is named there.

#include "config/parts/ready_made.hpp"

template class tls::Connection<CRUNCH_STACK::Flow>;
template class tls::Over<CRUNCH_STACK>;
