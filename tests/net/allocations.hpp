// SPDX-License-Identifier: ISC
// tests/net/allocations.hpp: counts what the program allocates, by replacing operator new.

#pragma once

#include <cstddef>

// Calls of operator new so far, in every thread.
std::size_t allocation_count();
