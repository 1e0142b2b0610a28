// SPDX-License-Identifier: ISC
// tests/crunch/describe/graph_test.cpp: a graph as a tree and for graphviz, and graphs that are
// none.

#include "crunch/describe/graph.hpp"

#include <gtest/gtest.h>

#include "crunch/failure.hpp"

namespace {

using namespace crunch::describe;

constexpr std::string_view graph =
    R"({"devices":[{"name":"site","module":"kv_ro","from":[]},)"
    R"({"name":"wire","module":"stack","from":[]},)"
    R"({"name":"server","module":"job","from":[0,1]},{"name":"tls","module":"stack","from":[1]},)"
    R"({"name":"deep \"tls\"","module":"stack","from":[3]},)"
    R"({"name":"both","module":"job","from":[4,3]}],"jobs":[2,5],"keys":[)"
    R"({"name":"http-port","section":"HTTP","doc":"The port","type":"number","default":"80"},)"
    R"({"name":"log","section":"HTTP","doc":"The log","type":"word","default":"off"}]})";

TEST(Describe, ATreeForEachJobWithSharedDevicesDrawnOnce) {
  EXPECT_EQ(text_of(graph),
            "server : job\n"
            "├── site : kv_ro\n"
            "└── wire : stack\n"
            "both : job\n"
            "├── deep \"tls\" : stack\n"
            "│   └── tls : stack\n"
            "│       └── wire : stack\n"
            "└── tls : stack (above)\n"
            "\nBoot keys\n"
            "  --http-port=80  The port\n"
            "  --log=off       The log\n");
}

TEST(Describe, Dot) {
  std::string dot = dot_of(graph);
  EXPECT_NE(dot.find("d2 [label=\"server\\njob\", style=bold];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("d4 [label=\"deep \\\"tls\\\"\\nstack\"];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("d5 -> d4;"), std::string::npos) << dot;
}

TEST(Describe, WhatIsNoGraphIsASentence) {
  for (std::string_view bad :
       {"", "{", "[]", R"({"devices":[]})", R"({"devices":[{"name":1}],"jobs":[],"keys":[]})",
        R"({"devices":[{"name":"a","module":"b","from":[0]}],"jobs":[0],"keys":[]})",
        R"({"devices":[],"jobs":[0],"keys":[]})"}) {
    EXPECT_THROW(static_cast<void>(text_of(bad)), crunch::Failure) << bad;
    EXPECT_THROW(static_cast<void>(dot_of(bad)), crunch::Failure) << bad;
    EXPECT_THROW(static_cast<void>(json_of(bad)), crunch::Failure) << bad;
  }
}

}  // namespace
