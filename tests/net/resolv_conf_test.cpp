// SPDX-License-Identifier: ISC
// tests/net/resolv_conf_test.cpp: the DNS servers of the machine, from a file that changes.
//
// Method:  a file of the test's own; instants by hand.

#include "net/sockets/resolv_conf.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using namespace std::chrono_literals;
using net::sockets::ResolvConf;

class ResolvConfFile : public ::testing::Test {
 protected:
  ResolvConfFile() {
    char name[] = "/tmp/resolv_conf_test.XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ResolvConfFile() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return (folder_ / "resolv.conf").string(); }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  static std::string shown(ResolvConf& file, base::Duration at) {
    const net::NameServers::List list = file.list(base::Instant{} + at);
    std::string out;
    for (const net::Endpoint& each : list.all()) out += net::address_text(each) + " ";
    return out;
  }
  std::filesystem::path folder_;
};

TEST_F(ResolvConfFile, IsReadAgainAfterAWhile) {
  ResolvConf file(path());
  EXPECT_EQ(shown(file, 0s), "") << "it is not there yet";
  write("nameserver 192.0.2.1\n");
  EXPECT_EQ(shown(file, 1s), "");
  EXPECT_EQ(shown(file, 5s), "192.0.2.1 ");
  write("nameserver 192.0.2.2\nnameserver ::1\n");
  EXPECT_EQ(shown(file, 9s), "192.0.2.1 ");
  EXPECT_EQ(shown(file, 10s), "192.0.2.2 ::1 ");
  std::filesystem::remove(path());
  EXPECT_EQ(shown(file, 1h), "192.0.2.2 ::1 ") << "what cannot be read changes nothing";
  std::filesystem::create_directory(path());
  EXPECT_EQ(shown(file, 2h), "192.0.2.2 ::1 ");
}

TEST_F(ResolvConfFile, ALongOneIsReadAtItsFront) {
  write("nameserver 192.0.2.1\n" + std::string(1'000'000, '#'));
  ResolvConf file(path());
  EXPECT_EQ(shown(file, 0s), "192.0.2.1 ");
}

TEST_F(ResolvConfFile, ConfiguredServersAreTheOnlyOnes) {
  write("nameserver 192.0.2.1\n");
  ResolvConf file(path());
  const net::Endpoint one = net::ipv4(198, 51, 100, 1, 53);
  file.configure({&one, 1});
  EXPECT_EQ(shown(file, 0s), "198.51.100.1 ");
  EXPECT_EQ(shown(file, 1h), "198.51.100.1 ");
}

}  // namespace
