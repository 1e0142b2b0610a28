// SPDX-License-Identifier: ISC
// tests/tls/archetype_test.cpp: tls::Over on a stack that has nothing but what net::Stack says.
//
// Method: compiled, never run.

#include <gtest/gtest.h>

#include "tests/net/archetype.hpp"
#include "tls/over.hpp"

template class tls::Over<net::ArchetypeStack>;
static_assert(net::Stack<tls::Over<net::ArchetypeStack>>);
static_assert(net::Listener<tls::Over<net::ArchetypeStack>::Listener>);
static_assert(net::Flow<tls::Over<net::ArchetypeStack>::Flow>);
// A stack again: once more, over itself.
static_assert(net::Stack<tls::Over<tls::Over<net::ArchetypeStack>>>);

TEST(Archetype, IsEnoughForTlsOver) { SUCCEED(); }
