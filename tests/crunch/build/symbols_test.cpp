// SPDX-License-Identifier: ISC
// Names of functions as backtraces have them.
//
// Method: a table of names as the demangler gives them, most of them from real images.

#include "crunch/build/symbols.hpp"

#include <gtest/gtest.h>

namespace crunch::build {
namespace {

struct Name {
  const char* demangled;
  const char* short_name;
};

constexpr Name names[] = {
    {"main", "main"},
    {"memcpy", "memcpy"},
    {"base::Loop::run()", "base::Loop::run"},
    {"base::Loop::is_over() const", "base::Loop::is_over"},
    {"http::Server<kv::Store, net::Stack>::run(int)", "http::Server::run"},
    {"virtio_target::(anonymous namespace)::Clock::now()", "virtio_target::Clock::now"},
    {"(anonymous namespace)::read_null()", "read_null"},
    {"int kv::find<std::vector<int> >(std::vector<int> const&)", "kv::find"},
    {"net::lwip::options_of[abi:cxx11](net::lwip::AddressTexts const&)",
     "net::lwip::options_of[abi:cxx11]"},
    {"tcp_input_delayed_close.isra.0", "tcp_input_delayed_close.isra.0"},
    {"http::Server<A>::serve(http::Server<A>::serve(net::Flow)::_ZN4Frame.Frame*) [clone .actor]",
     "http::Server::serve"},
    {"target::run<boot(auto:1&)::{lambda(auto:1&)#1}>(int, char**)::{lambda()#1}::operator()() "
     "const",
     "target::run"},
    // Operators have the characters that end other names in theirs.
    {"base::Task<int>::operator()() const", "base::Task::operator()"},
    {"operator new(unsigned long)", "operator new"},
    {"base::operator<(base::Instant, base::Instant)", "base::operator<"},
    {"base::operator<<(base::Log&, int)", "base::operator<<"},
    {"base::operator<=>(base::Instant, base::Instant)", "base::operator<=>"},
    {"std::unique_ptr<int, void (*)(void*)>::operator->() const", "std::unique_ptr::operator->"},
    {"", ""},
    {"<", "<"},
    {"(", "("},
};

TEST(ShortName, IsWithoutParametersAndTemplateArguments) {
  for (const Name& name : names) EXPECT_EQ(short_name(name.demangled), name.short_name);
}

TEST(ShortName, HasABound) {
  EXPECT_EQ(short_name(std::string(500, 'n') + "()"), std::string(60, 'n'));
  EXPECT_EQ(short_name("(" + std::string(500, 'n')), "(" + std::string(59, 'n'));
}

}  // namespace
}  // namespace crunch::build
