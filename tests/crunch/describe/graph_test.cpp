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
    R"({"name":"http-port","section":"HTTP","doc":"The port","stage":"both","type":"port",)"
    R"("default":"80","value":"8080","origin":"crunch.toml:3"},)"
    R"({"name":"store","section":"SITE","doc":"The store","stage":"build","type":"word",)"
    R"("words":["crunched","directory"],"default":"crunched","value":"crunched",)"
    R"("origin":"default"},{"name":"log","section":"HTTP",)"
    R"("doc":"The log","stage":"boot","type":"word",)"
    R"("default":"off","value":"off","origin":"default"}]})";

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
            "\nConnected in this order, disconnected in the reverse\n"
            "  1  site\n"
            "  2  wire\n"
            "  3  server on 1, 2\n"
            "  4  tls on 2\n"
            "  5  deep \"tls\" on 4\n"
            "  6  both on 5, 4\n"
            "\nBoot keys\n"
            "  --http-port=8080  crunch.toml:3  The port\n"
            "  --log=off         default        The log\n"
            "\nBuild keys: crunch build --set KEY=VALUE\n"
            "  store=crunched  default  The store (crunched|directory)\n");
}

TEST(Describe, Dot) {
  std::string dot = dot_of(graph);
  EXPECT_NE(dot.find("d2 [label=\"3. server\\njob\", style=bold];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("d4 [label=\"5. deep \\\"tls\\\"\\nstack\"];"), std::string::npos) << dot;
  EXPECT_NE(dot.find("d5 -> d4;"), std::string::npos) << dot;
  EXPECT_NE(dot.find("\\l  --http-port=8080  crunch.toml:3  The port\\l"), std::string::npos)
      << dot;
  EXPECT_NE(dot.find("  store=crunched  default  The store (crunched|directory)\\l\";\n}\n"),
            std::string::npos)
      << dot;
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
