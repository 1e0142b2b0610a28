// SPDX-License-Identifier: ISC
// tests/tls/archetype_test.cpp: tls::Over on a stack that is a net::ServerStack and no more.
//
// Method: compiled, never run.

#include <gtest/gtest.h>

#include "tests/net/archetype.hpp"
#include "tls/over.hpp"

template class tls::Over<net::ArchetypeServerStack>;
static_assert(net::ServerStack<tls::Over<net::ArchetypeServerStack>>);
static_assert(net::Listener<tls::Over<net::ArchetypeServerStack>::Listener>);
static_assert(net::Flow<tls::Over<net::ArchetypeServerStack>::Flow>);
// A stack again: once more, over itself.
static_assert(net::ServerStack<tls::Over<tls::Over<net::ArchetypeServerStack>>>);

TEST(Archetype, IsEnoughForTlsOver) { SUCCEED(); }
