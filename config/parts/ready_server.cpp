// SPDX-License-Identifier: ISC
// config/parts/ready_server.cpp: the server over one store and one stack, for ready_made.hpp.
//
// CMakeLists.txt compiles it once for each that is named there.

#include "config/parts/ready_made.hpp"

template class http::Server<CRUNCH_STORE, CRUNCH_STACK>;
