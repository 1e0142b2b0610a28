// SPDX-License-Identifier: ISC
// The client of xenstore against a store that this test plays: its replies are foreign bytes.

#include "targets/xen/xenstore.hpp"

#include <gtest/gtest.h>

#include "kv/xenstore/xenstore.hpp"
#include "tests/targets/xen/played_store.hpp"

namespace xen_target {
namespace {

using Error = Xenstore::Error;

static_assert(kv::XenstoreTransport<Xenstore>);

class XenStore : public testing::Test {
 protected:
  XenStore() { client.begin(&store.ring, PlayedStore::port); }

  PlayedHost host;
  PlayedStore store{host};
  Xenstore client{host};
};

TEST_F(XenStore, ReadsWritesAndLists) {
  store.values = {
      {"name", "site"}, {"empty", ""}, {"device/vif/0/mac", "m"}, {"device/vif/10/mac", "n"}};
  EXPECT_EQ(client.get("name"), "site");
  EXPECT_EQ(client.get("empty"), "");
  EXPECT_EQ(client.get("other").error(), Error::not_found);
  EXPECT_EQ(client.list("device/vif"), (std::vector<std::string>{"0", "10"}));
  EXPECT_EQ(client.list("nowhere").error(), Error::not_found);
  ASSERT_TRUE(client.put("state", "4"));
  EXPECT_EQ(store.values["state"], "4") << "without a zero at its end";
  EXPECT_EQ(base::run_now(client.read("state")), "4");
  EXPECT_EQ(base::run_now(client.directory("device")), std::vector<std::string>{"vif"});
}

TEST_F(XenStore, ReadsNumbers) {
  store.values = {{"a", "42"}, {"b", "4x"}, {"c", ""}, {"d", "-1"}, {"e", "99999999999999999999"},
                  {"f", "0"}};
  EXPECT_EQ(client.number("a", 7), 42U);
  EXPECT_EQ(client.number("f", 7), 0U);
  for (const char* bad : {"b", "c", "d", "e", "none"}) EXPECT_EQ(client.number(bad, 7), 7U) << bad;
}

TEST_F(XenStore, ValuesMayBeLargerThanTheRing) {
  for (const std::size_t bytes : {1000U, 1024U, 1025U, 2048U, 4096U}) {
    std::string value(bytes, 'v');
    value.back() = '!';
    store.values["long"] = value;
    EXPECT_EQ(client.get("long"), value) << bytes;
  }
  const std::string value(4000, 'w');
  ASSERT_TRUE(client.put("long", value));
  EXPECT_EQ(store.values["long"], value);
  EXPECT_EQ(client.put("long", std::string(4096, 'w')).error(), Error::refused) << "with its path";
}

TEST_F(XenStore, EventsComeOnceForEachToken) {
  ASSERT_TRUE(client.watch("control/shutdown", "control"));
  ASSERT_TRUE(client.watch("device", "vif"));
  EXPECT_EQ(client.next_event(), "control");
  EXPECT_EQ(client.next_event(), "vif");
  EXPECT_EQ(client.next_event(), std::nullopt);
  store.set("device/a", "1");
  store.set("device/b", "1");
  store.set("elsewhere", "1");
  EXPECT_EQ(client.get("device/a"), "1") << "behind events";
  EXPECT_TRUE(client.has_events()) << "they came with an answer, for which their port fired";
  EXPECT_EQ(client.next_event(), "vif");
  EXPECT_FALSE(client.has_events());
  EXPECT_EQ(client.next_event(), std::nullopt);
  ASSERT_TRUE(client.unwatch("device", "vif"));
  store.set("device/a", "2");
  EXPECT_EQ(client.next_event(), std::nullopt);
}

TEST_F(XenStore, OnlyItsOwnReplyCounts) {
  store.values["name"] = "site";
  store.put(XS_READ, 77, "another's");
  store.put(XS_READ, 0, "nobody's");
  EXPECT_EQ(client.get("name"), "site");
  store.put(XS_WRITE, 2, "of another kind");  // of the next request
  EXPECT_EQ(client.get("name").error(), Error::refused);
  EXPECT_EQ(client.get("name"), "site");
}

TEST_F(XenStore, GivesUpOnAStoreThatIsSilent) {
  store.is_silent = true;
  host.on_wait = [this] {
    store.act();
    host.now += Xenstore::patience_ns / 4;
  };
  EXPECT_EQ(client.get("name").error(), Error::timed_out);
  store.is_silent = false;
  store.values["name"] = "site";
  EXPECT_EQ(client.get("name"), "site") << "a late one may still work";
  // One that takes no requests: half of one is stuck in the ring.
  host.on_wait = [this] { host.now += Xenstore::patience_ns / 4; };
  EXPECT_EQ(client.put("long", std::string(3000, 'x')).error(), Error::broken);
  EXPECT_EQ(client.get("name").error(), Error::broken);
}

TEST_F(XenStore, StopsUsingARingThatMakesNoSense) {
  const std::pair<const char*, std::function<void()>> ways[] = {
      {"more replies than the ring holds", [this] { store.ring.rsp_prod += 1025; }},
      {"replies that go back", [this] { --store.ring.rsp_prod; }},
      {"more requests taken than sent", [this] { store.ring.req_cons += 1; }},
      {"requests that go back", [this] { store.ring.req_cons -= 1025; }},
      {"a reply that is too long",
       [this] {
         const xsd_sockmsg header{XS_READ, 1, 0, 4097};
         std::memcpy(store.ring.rsp, &header, sizeof header);
         store.ring.rsp_prod += sizeof header;
       }},
      {"a reply without an end",
       [this] {
         const xsd_sockmsg header{XS_READ, 1, 0, 0xffffffff};
         std::memcpy(store.ring.rsp, &header, sizeof header);
         store.ring.rsp_prod += sizeof header;
       }},
  };
  for (const auto& [what, way] : ways) {
    SCOPED_TRACE(what);
    store.ring = {};
    client.begin(&store.ring, PlayedStore::port);
    way();
    EXPECT_EQ(client.get("name").error(), Error::broken);
    EXPECT_EQ(client.put("name", "x").error(), Error::broken);
    EXPECT_EQ(client.next_event(), std::nullopt);
  }
  store.ring = {};
  store.requests.clear();
  client.begin(&store.ring, PlayedStore::port);
  store.values["name"] = "site";
  EXPECT_EQ(client.get("name"), "site") << "a new ring, as after a restore";
}

// The ring's page is the store's to write: what we wrote there is not what we go by.
TEST_F(XenStore, ItsOwnIndicesAreNotReadBack) {
  store.values["name"] = "site";
  EXPECT_EQ(client.get("name"), "site");
  for (const std::uint32_t lie : {1U, 0U - 1U, 512U, 0x80000000U}) {
    store.ring.req_prod += lie;
    store.on_act = [&] { store.ring.rsp_cons += lie; };  // when it has answered
    EXPECT_EQ(client.get("name"), "site") << lie;
  }
}

// A value may be the key of a certificate.
TEST_F(XenStore, WhatWasAnsweredStaysNeitherInTheClientNorInTheRing) {
  const std::string secret = "the key of a certificate";
  store.values["vm-data/tls/key"] = secret;
  store.put(XS_READ, 77, "another's: " + secret);
  EXPECT_EQ(client.get("vm-data/tls/key"), secret);
  const auto holds = [&](const void* at, std::size_t bytes) {
    return std::string_view(static_cast<const char*>(at), bytes).find(secret) !=
           std::string_view::npos;
  };
  EXPECT_FALSE(holds(&client, sizeof client));
  EXPECT_FALSE(holds(&store.ring, sizeof store.ring));
}

TEST_F(XenStore, EventsAreBounded) {
  for (int i = 0; i < 300; ++i) {
    store.put(XS_WATCH_EVENT, 0, "p" + std::string(1, '\0') + std::to_string(i) + '\0');
    store.give();
  }
  store.put(XS_WATCH_EVENT, 0, "no token");
  store.values["name"] = "site";
  EXPECT_EQ(client.get("name"), "site");
  std::size_t count = 0;
  while (client.next_event()) ++count;
  EXPECT_EQ(count, Xenstore::events_max);
}

TEST(XenStoreWithout, ARingNothingWorks) {
  PlayedHost host;
  Xenstore client(host);
  EXPECT_EQ(client.get("name").error(), Error::broken);
  EXPECT_EQ(client.next_event(), std::nullopt);
}

}  // namespace
}  // namespace xen_target
