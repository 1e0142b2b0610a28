// SPDX-License-Identifier: ISC
// tests/config/graph_test.cpp: application, sharing, order, and what describe says.
//
// Method: devices of tests/config/toys.hpp write down when they are made, used and unmade.

#include "config/graph.hpp"

#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/instances.hpp"
#include "tests/config/toys.hpp"

namespace {

using namespace toys;
using config::Instances;
using config::jobs;

constexpr auto plain = jobs(server(site, cable), server(site, secure(cable)));

TEST(Graph, ConnectsEachDeviceOnceInOrderAndDisconnectsInReverse) {
  Context context;
  {
    Instances<std::remove_cvref_t<decltype(plain)>, Context> instances(context);
    EXPECT_EQ(context.log, "+site +wire +server +secure +server ");
    context.log.clear();
    instances.for_each_job([](auto& one) { one.work(); });
    EXPECT_EQ(context.log, "[site on wire] [site on secure over wire] ");
    context.log.clear();
  }
  EXPECT_EQ(context.log, "-server -secure -server -wire -site ");
}

TEST(Graph, ALaterFailureDisconnectsWhatWasConnected) {
  for (unsigned n = 0; n < 5; ++n) {
    Context context;
    context.fail_after = n;
    using All = Instances<std::remove_cvref_t<decltype(plain)>, Context>;
    EXPECT_THROW({ All instances(context); }, int);
    EXPECT_EQ(std::ranges::count(context.log, '+'), n);
    EXPECT_EQ(std::ranges::count(context.log, '-'), n);
  }
}

TEST(Graph, TwoNamesAreTwoDevices) {
  constexpr auto app = jobs(server(site, cable), server(docs, cable));
  Context context;
  Instances<std::remove_cvref_t<decltype(app)>, Context> instances(context);
  EXPECT_EQ(context.log, "+site +wire +server +docs +server ");
  EXPECT_EQ(instances.get<std::remove_cvref_t<decltype(docs)>>().name(), "docs");
}

constexpr std::tuple target_keys{&threads};

TEST(Describe, WritesDevicesJobsAndKeysOnce) {
  constexpr auto json = config::graph_json<target_keys, plain>();
  EXPECT_EQ(
      std::string_view(json.data(), json.size()),
      R"({"devices":[{"name":"site","module":"store","from":[]},)"
      R"({"name":"cable","module":"wire","from":[]},)"
      R"({"name":"server","module":"job","from":[0,1]},)"
      R"({"name":"secure","module":"wire","from":[1]},)"
      R"({"name":"server","module":"job","from":[0,3]}],"jobs":[2,4],"keys":[)"
      R"({"name":"port","section":"WIRE","doc":"The port","stage":"both","type":"number",)"
      R"("default":"80","least":0,"most":65535},)"
      R"({"name":"quiet","section":"SERVER","doc":"Say \"nothing\"","stage":"both",)"
      R"("type":"switch","default":"false"},)"
      R"({"name":"threads","section":"TARGET","doc":"Threads","stage":"both","type":"number",)"
      R"("default":"1","least":1,"most":64}]})");
}

}  // namespace
