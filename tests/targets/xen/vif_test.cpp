// SPDX-License-Identifier: ISC
// Finding and connecting a network device, and what the toolstack asks of a guest: against a played
// xenstore in which this test is dom0.

#include "targets/xen/vifs.hpp"

#include <gtest/gtest.h>

#include "targets/xen/control.hpp"
#include "targets/xen/vm_data.hpp"
#include "tests/targets/xen/lines.hpp"
#include "tests/targets/xen/played_backend.hpp"
#include "tests/targets/xen/played_store.hpp"

namespace xen_target {
namespace {

constexpr const char* backend = "/local/domain/7/backend/vif/1/0";

class XenVif : public testing::Test {
 protected:
  XenVif() {
    client.begin(&store.ring, PlayedStore::port);
    add_device("0", "00:16:3e:00:00:01");
    offer(backend);
  }
  void offer(const std::string& at) {
    for (const char* feature : {"feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6",
                                "feature-ipv6-csum-offload", "online"}) {
      store.set(at + "/" + feature, "1");
    }
    store.set(at + "/state", "2");
  }
  void add_device(const std::string& number, const std::string& mac,
                  const std::string& at = backend) {
    const std::string path = "device/vif/" + number;
    store.values[path + "/backend"] = at;
    store.values[path + "/backend-id"] = "7";
    store.values[path + "/mac"] = mac;
  }
  void at_backend(const std::string& key, const std::string& value) {
    store.set(std::string(backend) + "/" + key, value);
  }
  void look() {
    while (client.next_event()) vif.look();
  }
  std::uint32_t number(const char* key) {
    return static_cast<std::uint32_t>(std::stoul(store.values[std::string("device/vif/0/") + key]));
  }
  std::string start_error() {
    try {
      vif.begin();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

  PlayedHost host;
  PlayedStore store{host};
  Xenstore client{host};
  Grants grants{host};
  Lines lines;
  base::Log log{lines};
  Vif vif{host, grants, client, log};
};

TEST_F(XenVif, ConnectsTheFirstDevice) {
  add_device("10", "00:16:3e:00:00:0a");
  store.values["device/vif/0/mtu"] = "1400";
  at_backend("ip", "192.0.2.2/24 2001:db8::2/64");
  ASSERT_EQ(start_error(), "");
  EXPECT_EQ(vif.device().mac(), (net::Mac{0, 0x16, 0x3e, 0, 0, 1}));
  EXPECT_EQ(vif.device().mtu_bytes(), 1400U);
  EXPECT_TRUE(vif.device().offload().send);
  EXPECT_EQ(vif.device().offload().segmentation_bytes, Netfront::segmentation_bytes);
  EXPECT_EQ(vif.addresses(), "192.0.2.2/24 2001:db8::2/64");
  EXPECT_EQ(number("state"), 4U);
  EXPECT_EQ(store.written.back(), "device/vif/0/state=4") << "after everything else";
  EXPECT_EQ(number("request-rx-copy"), 1U);
  EXPECT_NE(host.page_of(number("tx-ring-ref"), true), nullptr);
  EXPECT_NE(host.page_of(number("rx-ring-ref"), true), nullptr);
  EXPECT_EQ(number("event-channel"), vif.device().port());
}

class XenVifs : public XenVif {
 protected:
  XenVifs() {
    add_device("10", "00:16:3e:00:00:0a", last);
    add_device("2", "00:16:3e:00:00:02", second);
    offer(second);
    offer(last);
    vifs.begin();
  }
  void look_at_all() {
    while (client.next_event()) vifs.look();
  }
  bool has(const std::string& path) { return store.values.contains(path); }

  static constexpr const char* second = "/local/domain/7/backend/vif/1/2";
  static constexpr const char* last = "/local/domain/7/backend/vif/1/10";
  Vifs vifs{host, grants, client, log};
};

TEST_F(XenVifs, AFurtherOneIsConnectedWhenItIsAskedFor) {
  EXPECT_EQ(vifs.count(), 3U);
  EXPECT_EQ(vifs.first().mac().back(), 1);
  EXPECT_FALSE(has("device/vif/2/state"));
  const auto found = vifs.find(2, "a-device");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ((*found)->mac().back(), 2) << "by number, not by name";
  EXPECT_EQ(store.values["device/vif/2/state"], "4");
  EXPECT_FALSE(has("device/vif/10/state"));
  EXPECT_EQ(vifs.used(), 2U);
  std::vector<Host::Port> ports{77};
  vifs.add_ports(ports);
  EXPECT_EQ(ports, (std::vector<Host::Port>{77, vifs.first().port(), (*found)->port()}));
}

TEST_F(XenVifs, SaysWhyThereIsNoneToBeHad) {
  ASSERT_TRUE(vifs.find(2, "a-device"));
  at_backend("state", "2");
  store.values["device/vif/10/mac"] = "none";
  const struct {
    unsigned number;
    const char* says;
  } rows[] = {{0, "--a-device=0: this machine has 3 network devices; give it another one"},
              {4, "--a-device=4: this machine has 3 network devices; give it another one"},
              {1, "--a-device=1: that network device is another stack's already"},
              {2, "--a-device=2: that network device is another stack's already"},
              {3, "--a-device=3: device/vif/10/mac in xenstore is no address"}};
  for (const auto& row : rows) {
    const auto found = vifs.find(row.number, "a-device");
    ASSERT_FALSE(found) << row.says;
    EXPECT_EQ(found.error().find(row.says), 0U) << found.error();
  }
  EXPECT_EQ(vifs.used(), 2U);
}

TEST_F(XenVifs, NoneTakesThePlaceOfAnother) {
  Netfront& further = **vifs.find(2, "a-device");
  for (const char* at : {backend, second}) store.set(std::string(at) + "/state", "4");
  look_at_all();
  const std::string before = store.values["device/vif/2/tx-ring-ref"];
  // The first goes; the one that is free comes instead, and not the one in use.
  std::erase_if(store.values, [](const auto& one) {
    return one.first.starts_with("device/vif/0") ||
           one.first.starts_with(std::string(backend) + "/");
  });
  store.fire("device/vif");
  look_at_all();
  EXPECT_TRUE(vifs.first().is_open());
  EXPECT_EQ(store.values["device/vif/10/state"], "4");
  EXPECT_TRUE(further.is_open());
  EXPECT_EQ(store.values["device/vif/2/tx-ring-ref"], before);
}

TEST_F(XenVif, PromisesWhatTheBackendCan) {
  const struct {
    const char* key;
    const char* value;
    bool sums;
    bool cuts;
  } rows[] = {{"feature-no-csum-offload", "1", false, false},
              {"feature-ipv6-csum-offload", "0", false, false},
              {"feature-sg", "0", true, false},
              {"feature-gso-tcpv4", "0", true, false},
              {"feature-gso-tcpv6", "", true, false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.key);
    const std::string before = store.values[std::string(backend) + "/" + row.key];
    at_backend(row.key, row.value);
    Vif one(host, grants, client, log);
    one.begin();
    EXPECT_EQ(one.device().offload().send, row.sums);
    EXPECT_EQ(one.device().offload().segmentation_bytes != 0, row.cuts);
    at_backend(row.key, before);
  }
}

TEST_F(XenVif, SaysWhyItCannotStart) {
  store.values["device/vif/0/mac"] = "00:16:3e:00:00";
  EXPECT_NE(start_error().find("mac"), std::string::npos);
  store.values["device/vif/0/mac"] = "00:16:3e:00:00:0g";
  EXPECT_NE(start_error().find("mac"), std::string::npos);
  at_backend("state", "6");
  host.on_wait = [this] {
    store.act();
    host.now += 1'000'000'000;
  };
  EXPECT_NE(start_error().find("/state is 6"), std::string::npos);
  std::erase_if(store.values, [](const auto& one) { return one.first.starts_with("device"); });
  EXPECT_NE(start_error().find("no network device"), std::string::npos);
}

TEST_F(XenVif, ComesBackAfterItsBackendWasRestarted) {
  ASSERT_EQ(start_error(), "");
  look();
  const Host::Port before = vif.device().port();
  at_backend("state", "6");
  look();
  EXPECT_FALSE(vif.device().is_open());
  EXPECT_EQ(host.closed.count(before), 1U);
  EXPECT_EQ(number("state"), 1U) << "ready for another one";
  at_backend("state", "2");
  look();
  EXPECT_TRUE(vif.device().is_open());
  EXPECT_EQ(number("state"), 4U);
  EXPECT_NE(number("event-channel"), before);
  PlayedBackend peer(host, {number("tx-ring-ref"), number("rx-ring-ref"), 0});
  at_backend("state", "4");
  look();
  const std::string announcement = peer.take().bytes;
  ASSERT_EQ(announcement.size(), 60U) << "bridges learn where it is";
  EXPECT_EQ(announcement.substr(0, 6), std::string(6, '\xff'));
  EXPECT_EQ(announcement.substr(12, 2), "\x80\x35");
}

TEST_F(XenVif, TheBackendGetsNothingBeforeItIsConnected) {
  host.last_port = PlayedStore::port;  // the next is another
  ASSERT_EQ(start_error(), "");
  look();
  const Host::Port port = vif.device().port();
  const base::Bytes frame = base::bytes_of(std::string_view("gathered"));
  ASSERT_TRUE(vif.device().send({.pieces = {&frame, 1}}, {}));
  vif.device().poll();
  EXPECT_EQ(host.notified[port], 0);
  PlayedBackend peer(host, {number("tx-ring-ref"), number("rx-ring-ref"), 0});
  EXPECT_EQ(peer.out->req_prod, 0U);
  at_backend("state", "4");
  look();
  EXPECT_EQ(host.notified[port], 1);
  EXPECT_EQ(peer.take().bytes, "gathered");
  at_backend("hotplug-status", "connected");
  look();
  EXPECT_EQ(host.notified[port], 1) << "once";
}

TEST_F(XenVif, ADeviceThatIsTakenAwayIsLeftClosed) {
  ASSERT_EQ(start_error(), "");
  look();
  at_backend("online", "0");
  at_backend("state", "5");
  look();
  EXPECT_EQ(number("state"), 6U);
  std::erase_if(store.values, [](const auto& one) {
    return one.first.starts_with("device") || one.first.starts_with(backend);
  });
  const std::size_t written = store.written.size();
  store.fire("device/vif");
  look();
  EXPECT_EQ(store.written.size(), written) << "nothing into a folder that is gone";
  // And another one in its place.
  add_device("1", "00:16:3e:00:00:01");
  at_backend("state", "2");
  for (const char* feature :
       {"feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload"}) {
    at_backend(feature, "1");
  }
  store.fire("device/vif");
  look();
  EXPECT_TRUE(vif.device().is_open());
  EXPECT_EQ(store.values["device/vif/1/state"], "4");
}

TEST_F(XenVif, DoesNotTakeOneThatCanDoLess) {
  ASSERT_EQ(start_error(), "");
  look();
  at_backend("state", "6");
  look();
  at_backend("feature-gso-tcpv6", "0");
  at_backend("state", "2");
  look();
  EXPECT_FALSE(vif.device().is_open());
  EXPECT_NE(lines.text.find("is not used"), std::string::npos) << lines.text;
}

TEST_F(XenVif, DoesNotAskForOneThatBrokeTheProtocol) {
  ASSERT_EQ(start_error(), "");
  at_backend("state", "4");
  look();
  PlayedBackend peer(host, {number("tx-ring-ref"), number("rx-ring-ref"), 0});
  peer.out->rsp_prod = 99;
  vif.device().poll();
  vif.look();
  EXPECT_FALSE(vif.device().is_open());
  EXPECT_EQ(number("state"), 6U);
  EXPECT_NE(lines.text.find("broke the protocol: it answered more"), std::string::npos)
      << lines.text;
}

TEST_F(XenVif, ConnectsAgainInADomainThatWasMadeAnew) {
  ASSERT_EQ(start_error(), "");
  store.ring = {};
  store.watches.clear();
  at_backend("state", "2");
  client.begin(&store.ring, PlayedStore::port);
  grants.begin_again();
  vif.begin_again();
  EXPECT_TRUE(vif.device().is_open());
  EXPECT_EQ(number("state"), 4U);
}

class XenControl : public testing::Test {
 protected:
  XenControl() { client.begin(&store.ring, PlayedStore::port); }
  std::vector<Control::Wish> look() {
    std::vector<Control::Wish> wishes;
    while (client.next_event()) {
      control.look([&](Control::Wish wish) { wishes.push_back(wish); });
    }
    return wishes;
  }

  PlayedHost host;
  PlayedStore store{host};
  Xenstore client{host};
  Lines lines;
  base::Log log{lines};
  Control control{client, log, 32 * 1024};
};

TEST_F(XenControl, GrantsEachWishOnce) {
  control.begin();
  EXPECT_TRUE(look().empty());
  EXPECT_EQ(store.values["control/feature-suspend"], "1");
  const std::pair<const char*, std::vector<Control::Wish>> rows[] = {
      {"poweroff", {Control::Wish::power_off}},
      {"halt", {Control::Wish::power_off}},
      {"reboot", {Control::Wish::reboot}},
      {"suspend", {Control::Wish::suspend}},
      {"dance", {}},
      {"", {}}};
  for (const auto& [text, wishes] : rows) {
    store.set("control/shutdown", text);
    EXPECT_EQ(look(), wishes) << text;
    EXPECT_EQ(store.values["control/shutdown"], "") << "it was heard";
  }
  EXPECT_NE(lines.text.find("'dance'"), std::string::npos);
}

TEST_F(XenControl, KeepsItsMemory) {
  store.values["memory/target"] = "32768";
  control.begin();
  store.set("memory/target", "16384");
  look();
  store.set("memory/target", "16384");
  look();
  const std::size_t at = lines.text.find("16 MiB was asked for and is refused");
  ASSERT_NE(at, std::string::npos) << lines.text;
  EXPECT_EQ(lines.text.find("refused", at + 40), std::string::npos) << "once";
}

TEST_F(XenControl, RefusesToStartWithLessThanItWasTold) {
  store.values["memory/target"] = "16384";
  EXPECT_THROW(control.begin(), std::runtime_error);
}

std::vector<std::string> words_of(Xenstore& client, std::string_view addresses,
                                  std::vector<std::string> arguments = {}) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return boot_words(client, addresses, argv);
}

TEST_F(XenControl, BootKeysComeFromTheHost) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of(client, ""), Words{});
  const char* const both = "192.0.2.2 2001:db8::2";
  EXPECT_EQ(words_of(client, both), (Words{"--ipv4=192.0.2.2/24", "--ipv6=2001:db8::2/64"}));
  EXPECT_EQ(words_of(client, " 192.0.2.2/28 "), Words{"--ipv4=192.0.2.2/28"});
  EXPECT_EQ(words_of(client, both, {"--dhcp", "--ipv6=off"}), Words{});
  EXPECT_EQ(words_of(client, both, {"--ipv4-gateway=192.0.2.1"}).size(), 2U) << "another key";
  store.values = {{"vm-data/keys/ipv4", "10.0.0.1/8"}, {"vm-data/keys/log", "json"}};
  EXPECT_EQ(words_of(client, both),
            (Words{"--ipv4=10.0.0.1/8", "--log=json", "--ipv6=2001:db8::2/64"}));
  store.values["vm-data/keys/log/more"] = "below a key";
  EXPECT_EQ(words_of(client, both), (Words{"--ipv4=10.0.0.1/8", "--ipv6=2001:db8::2/64"}))
      << "a directory is no key";
}

TEST_F(XenControl, CredentialsComeFromTheHostWhole) {
  EXPECT_EQ(credentials_of(client).key, "");
  store.values["vm-data/tls/cert"] = "certificate";
  EXPECT_EQ(credentials_of(client).certificates, "") << "without its key";
  store.values["vm-data/tls/key"] = "key";
  EXPECT_EQ(credentials_of(client).certificates, "certificate");
  EXPECT_EQ(credentials_of(client).key, "key");
}

}  // namespace
}  // namespace xen_target
