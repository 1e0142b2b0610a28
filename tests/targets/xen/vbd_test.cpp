// SPDX-License-Identifier: ISC
// Finding and connecting disks: against a played xenstore in which this test is dom0, and its
// xen-blkback.

#include <gtest/gtest.h>

#include <optional>

#include "targets/xen/vbds.hpp"
#include "tests/base/simulated_time.hpp"
#include "tests/targets/xen/lines.hpp"
#include "tests/targets/xen/played_disk.hpp"
#include "tests/targets/xen/played_store.hpp"

namespace xen_target {
namespace {

constexpr std::string_view first = "51712";
constexpr std::string_view second = "51728";

class XenVbd : public testing::Test {
 protected:
  XenVbd() {
    client.begin(&store.ring, PlayedStore::port);
    vbds.serve(loop);
    store.on_act = [this] { act(); };
    add(first, 2048);
  }
  static std::string front(std::string_view name) { return "device/vbd/" + std::string(name); }
  static std::string back(std::string_view name) {
    return "/local/domain/7/backend/vbd/1/" + std::string(name);
  }
  void add(std::string_view name, std::uint64_t sectors) {
    store.values[front(name) + "/backend"] = back(name);
    store.values[front(name) + "/backend-id"] = "7";
    say(name, "sectors", std::to_string(sectors));
    say(name, "sector-size", "512");
    say(name, "info", "0");
    say(name, "feature-flush-cache", "1");
    say(name, "online", "1");
    say(name, "state", "2");
  }
  // What the back end of a disk says.
  void say(std::string_view name, const std::string& key, const std::string& value) {
    store.set(back(name) + "/" + key, value);
  }
  std::string said(std::string_view name, const char* key) {
    return store.values[front(name) + "/" + key];
  }
  // As xen-blkback: when a ring is there, it is connected.
  void act() {
    for (const std::string_view name : {first, second}) {
      if (connects && said(name, "state") == "3" && store.values[back(name) + "/state"] == "2") {
        say(name, "state", "4");
      }
    }
  }
  void look() {
    while (client.next_event()) vbds.look();
  }
  std::string error(unsigned number = 1) {
    const auto found = vbds.find(number, "a-device");
    return found ? "none" : found.error();
  }
  Blkfront& begin() {
    const auto found = vbds.find(1, "a-device");
    if (!found) throw std::runtime_error(found.error());
    look();
    return **found;
  }
  // A call's result; nothing: it is under way.
  std::optional<bool> read(Blkfront& device) {
    std::optional<bool> out;
    const auto call = [](Blkfront& of, std::optional<bool>& to) -> base::Task<void> {
      std::vector<std::byte> bytes(512);
      const auto result = co_await of.read(1, bytes);
      to = result.has_value();
    };
    base::Loop own(time, time);
    own.spawn(call(device, out));
    own.turn(own.now());
    return out;
  }

  base::SimulatedTime time;
  base::Loop loop{time, time};
  PlayedHost host;
  PlayedStore store{host};
  Xenstore client{host};
  Grants grants{host};
  Lines lines;
  base::Log log{lines};
  Vbds vbds{host, grants, client, log};
  bool connects = true;
};

TEST_F(XenVbd, ConnectsADisk) {
  Blkfront& device = begin();
  EXPECT_EQ(device.info(), (block::Info{512, 2048, false}));
  EXPECT_EQ(said(first, "protocol"), "x86_64-abi");
  EXPECT_EQ(said(first, "feature-persistent"), "1");
  EXPECT_NE(host.page_of(static_cast<std::uint32_t>(std::stoul(said(first, "ring-ref"))), true),
            nullptr);
  EXPECT_EQ(said(first, "event-channel"), std::to_string(device.port()));
  const std::size_t count = store.written.size();
  ASSERT_GE(count, 2U);
  EXPECT_EQ(store.written[count - 2], "device/vbd/51712/state=3") << "after everything else";
  EXPECT_EQ(store.written[count - 1], "device/vbd/51712/state=4") << "when the disk is known";
  EXPECT_EQ(lines.text, "");
  std::vector<Host::Port> ports{77};
  vbds.add_ports(ports);
  EXPECT_EQ(ports, (std::vector<Host::Port>{77, device.port()}));
}

TEST_F(XenVbd, DisksHaveTheOrderOfTheirNumbers) {
  add("768", 64);
  add(second, 4096);
  store.values["device/vbd/768/state"] = "";
  for (const auto& [number, sectors] : {std::pair{2U, 2048U}, std::pair{3U, 4096U}}) {
    const auto found = vbds.find(number, "a-device");
    ASSERT_TRUE(found) << found.error();
    EXPECT_EQ((*found)->info().sector_count, sectors);
  }
  EXPECT_EQ(said("768", "state"), "") << "what nobody asks for is not connected";
  EXPECT_EQ(error(2),
            "--a-device=2: that block device is another store's already; name another one");
  EXPECT_EQ(
      error(4).find("--a-device=4: this machine has 3 block devices; give it another one (xl: "
                    "disk = ["),
      0U);
}

TEST_F(XenVbd, SaysWhenThereIsNone) {
  store.values.clear();
  EXPECT_EQ(error().find("--a-device=1: this machine has 0 block devices"), 0U);
}

TEST_F(XenVbd, ReadsWhatTheBackEndSays) {
  say(first, "info", "4");
  say(first, "sector-size", "4096");
  say(first, "feature-flush-cache", "0");
  EXPECT_EQ(begin().info(), (block::Info{4096, 256, true}));
  EXPECT_EQ(lines.text, "") << "a disk that is only read needs no flush";
}

TEST_F(XenVbd, WarnsWhereThereIsNoFlush) {
  say(first, "feature-flush-cache", "0");
  begin();
  EXPECT_NE(lines.text.find("device/vbd/51712: its back end offers no flush"), std::string::npos);
}

TEST_F(XenVbd, RefusesDisksThatCannotBe) {
  const struct {
    const char* sectors;
    const char* sector_bytes;
  } rows[] = {{"0", "512"},
              {"-1", "512"},
              {"a", "512"},
              {"", "512"},
              {"18446744073709551615", "512"},
              {"36028797018963968", "512"},  // its bytes would be 0 again
              {"99999999999999999999999", "512"},
              {"2048", "0"},
              {"2048", "1"},
              {"2048", "1000"},
              {"2048", "65536"},
              {"2048", "4294967808"},  // 512 in 32 bits
              {"2048", "18446744073709551615"},
              {"7", "4096"}};
  for (const auto& row : rows) {
    say(first, "sectors", row.sectors);
    say(first, "sector-size", row.sector_bytes);
    say(first, "state", "2");
    const std::string said_why = error();
    EXPECT_EQ(said_why.find("--a-device=1: the backend of device/vbd/51712 says that its disk has"),
              0U)
        << row.sectors << " of " << row.sector_bytes << ": " << said_why;
    EXPECT_NE(said_why.find("it cannot be used"), std::string::npos);
    EXPECT_EQ(said(first, "state"), "6") << "and the ring is taken back";
    EXPECT_EQ(host.page_of(static_cast<std::uint32_t>(std::stoul(said(first, "ring-ref"))), true),
              nullptr);
  }
  EXPECT_FALSE(vbds.poll());
}

TEST_F(XenVbd, WaitsForABackEndOnlySoLong) {
  host.on_wait = [this] {
    store.act();
    host.now += 1'000'000'000;
  };
  say(first, "state", "6");
  EXPECT_NE(error().find("does not wait for us: " + back(first) + "/state is 6"),
            std::string::npos);
  connects = false;
  say(first, "state", "2");
  EXPECT_NE(error().find("does not connect: " + back(first) + "/state is 2"), std::string::npos);
  EXPECT_EQ(said(first, "state"), "6");
  connects = true;
  EXPECT_EQ(error(), "none") << "later it works";
}

TEST_F(XenVbd, ComesBackAfterItsBackEndWasRestarted) {
  Blkfront& device = begin();
  const Host::Port before = device.port();
  say(first, "state", "5");
  look();
  EXPECT_FALSE(device.is_open());
  EXPECT_EQ(host.closed.count(before), 1U);
  EXPECT_EQ(said(first, "state"), "1") << "ready for another one";
  say(first, "state", "2");
  look();
  EXPECT_TRUE(device.is_heard());
  EXPECT_EQ(said(first, "state"), "4");
  EXPECT_NE(device.port(), before);
  EXPECT_NE(lines.text.find("connected again"), std::string::npos);
}

// As xen-blkback does, which has the pages of all requests mapped.
TEST_F(XenVbd, ABackEndLetsGoWhenWeAreClosed) {
  Blkfront& device = begin();
  const auto ring = static_cast<std::uint32_t>(std::stoul(said(first, "ring-ref")));
  host.hold(ring, true);
  store.on_act = [&] {
    if (said(first, "state") == "6") host.hold(ring, false);
  };
  say(first, "state", "5");
  look();
  EXPECT_FALSE(device.is_open());
  EXPECT_EQ(device.left_count(), 0U);
  EXPECT_EQ(said(first, "state"), "1");
}

TEST_F(XenVbd, ADiskThatIsTakenAwayIsLeftClosed) {
  Blkfront& device = begin();
  say(first, "online", "0");
  say(first, "state", "5");
  look();
  EXPECT_EQ(said(first, "state"), "6");
  store.values.clear();
  const std::size_t written = store.written.size();
  store.fire("device/vbd");
  look();
  EXPECT_EQ(store.written.size(), written) << "nothing into a folder that is gone";
  EXPECT_FALSE(device.is_open());
  // And it is given back.
  add(first, 2048);
  store.fire("device/vbd");
  look();
  EXPECT_TRUE(device.is_heard());
}

TEST_F(XenVbd, ADiskThatChangesIsNotUsedAnyMore) {
  const std::pair<const char*, const char*> ways[] = {{"sectors", "2047"},  {"sectors", "4096"},
                                                      {"sectors", "0"},     {"sector-size", "4096"},
                                                      {"sector-size", "x"}, {"info", "4"}};
  Blkfront& device = begin();
  for (const bool is_other_one : {false, true}) {
    for (const auto& [key, value] : ways) {
      SCOPED_TRACE(std::string(key) + "=" + value);
      ASSERT_TRUE(device.is_heard());
      lines.text.clear();
      const std::string good = store.values[back(first) + "/" + key];
      // While it is connected, as Linux does; or of the back end that comes next.
      if (is_other_one) say(first, "state", "6");
      look();
      say(first, key, value);
      say(first, "state", is_other_one ? "2" : "4");
      look();
      EXPECT_FALSE(device.is_open());
      EXPECT_NE(lines.text.find("is not used any more: its disk has another size"),
                std::string::npos)
          << lines.text;
      EXPECT_EQ(said(first, "state"), "6") << "and none is asked for";
      EXPECT_EQ(device.info(), (block::Info{512, 2048, false}));
      EXPECT_EQ(read(device), false) << "at once";
      say(first, key, good);
      say(first, "state", "2");
      look();
    }
  }
}

TEST_F(XenVbd, ABackEndThatBreaksTheProtocolIsClosed) {
  Blkfront& device = begin();
  PlayedStore& other_end = store;
  auto* const ring = reinterpret_cast<blkif_sring*>(
      host.page_of(static_cast<std::uint32_t>(std::stoul(said(first, "ring-ref"))), true));
  ring->rsp_prod = 99;
  EXPECT_FALSE(vbds.is_broken());
  static_cast<void>(vbds.poll());
  EXPECT_TRUE(vbds.is_broken());
  EXPECT_FALSE(vbds.prepare_to_sleep());
  vbds.look();
  EXPECT_FALSE(device.is_open());
  EXPECT_FALSE(vbds.is_broken());
  EXPECT_TRUE(vbds.prepare_to_sleep());
  EXPECT_EQ(other_end.values[front(first) + "/state"], "6");
  EXPECT_NE(lines.text.find("is not used any more: it answered more than was asked of it"),
            std::string::npos);
}

TEST_F(XenVbd, ConnectsAgainInADomainThatWasMadeAnew) {
  add(second, 64);
  Blkfront& device = begin();
  Blkfront& other = **vbds.find(2, "a-device");
  store.ring = {};
  store.watches.clear();
  say(first, "state", "2");
  std::erase_if(store.values,
                [](const auto& one) { return one.first.find("51728") != one.first.npos; });
  client.begin(&store.ring, PlayedStore::port);
  grants.begin_again();
  vbds.begin_again();
  look();
  EXPECT_TRUE(device.is_heard());
  EXPECT_EQ(said(first, "state"), "4");
  EXPECT_FALSE(other.is_open());
  EXPECT_NE(lines.text.find("disk device/vbd/51728: there is no such device here"),
            std::string::npos);
}

}  // namespace
}  // namespace xen_target
