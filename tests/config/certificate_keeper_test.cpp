// SPDX-License-Identifier: ISC
// tests/config/certificate_keeper_test.cpp: what visitors, the CA and the log see of a client.
//
// Method: the CA is played (tests/acme/authority.hpp), in simulated time; a driver of a few lines
//         carries out the steps, with a vault that may be full.

#include "config/parts/certificate_keeper.hpp"

#include <random>
#include <set>
#include <string>

#include "config/instances.hpp"
#include "kv/rw.hpp"
#include "tests/acme/authority.hpp"

namespace {

using acme_test::PlayedCa;
using config::AcmeWords;
using config::CertificateKeeper;

constexpr std::int64_t start_s = 1'800'000'000;
constexpr std::int64_t day_s = 86'400;

class Seeded final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& one : out) one = static_cast<std::byte>(random_());
  }

 private:
  std::mt19937 random_{1};
};

class Lines final : public base::Console {
 public:
  void write(std::string_view text) noexcept override { said += text; }
  std::string said;
};

AcmeWords words() {
  AcmeWords out;
  out.authority = "https://ca/dir";
  out.names = {"a.example", "b.example"};
  out.agrees = true;
  return out;
}

struct World {
  explicit World(std::int64_t lifetime_s = 90 * day_s) : ca(lifetime_s) { start(); }
  void start() {
    keeper = std::make_unique<CertificateKeeper>(settings_of(words()), stored["account.pem"],
                                                 stored["certificate.pem"], entropy, log, shared);
  }

  void step(std::int64_t until_s) {
    acme::Step step = keeper->next(now_s);
    if (const auto* wait = std::get_if<acme::Wait>(&step)) {
      keeper->say(*wait);
      now_s = std::min(until_s, wait->until_s);
    } else if (const auto* ask = std::get_if<acme::Ask>(&step)) {
      if (!token.empty()) ca.answers[token] = text_of(token);
      keeper->received(ca.answer(*ask, now_s), now_s);
      now_s += 1;
    } else if (const auto* answer = std::get_if<acme::Answer>(&step)) {
      token = answer->token;
      keeper->answer(*answer, now_s);
    } else if (const auto* withdraw = std::get_if<acme::Withdraw>(&step)) {
      keeper->withdraw(*withdraw);
      withdrawn.insert(withdraw->token);
    } else if (const auto* store = std::get_if<acme::Store>(&step)) {
      if (!is_full) stored[std::string(store->name)] = store->bytes;
      keeper->stored(*store, is_full ? "the vault is full" : "", now_s);
    }
  }
  void go_on_until(std::int64_t until_s) {
    for (int i = 0; i < 3000 && now_s < until_s; ++i) step(until_s);
    ASSERT_GE(now_s, until_s);
  }
  std::string text_of(const std::string& name) const {
    const auto text = keeper->find(name);
    return text != nullptr ? *text : "";
  }
  std::int64_t served_until_s() const {
    const auto now = shared.get();
    return now != nullptr ? now->identities().front().not_after_s() : 0;
  }

  Seeded entropy;
  Lines console;
  base::Log log{console};
  tls::SharedContext shared;
  PlayedCa ca;
  std::int64_t now_s = start_s;
  std::map<std::string, std::string> stored;
  std::string token;
  std::set<std::string> withdrawn;
  bool is_full = false;
  std::unique_ptr<CertificateKeeper> keeper;
};

TEST(CertificateKeeper, ServesWhatItGotAndAnswersTheCa) {
  World world;
  EXPECT_TRUE(world.shared.is_expected());
  EXPECT_FALSE(world.shared.is_set());
  world.go_on_until(start_s + day_s);
  EXPECT_TRUE(world.shared.is_set());
  EXPECT_GT(world.served_until_s(), start_s + 89 * day_s);
  EXPECT_EQ(world.keeper->orders(), 1U);
  EXPECT_EQ(world.withdrawn, (std::set<std::string>{"token0", "token1"}));
  EXPECT_EQ(world.text_of("token0"), "");
  EXPECT_NE(world.console.said.find("serves HTTPS with a certificate for a.example, b.example; "),
            std::string::npos)
      << world.console.said;
}

TEST(CertificateKeeper, WhatWasStoredIsServedFromTheStart) {
  World world;
  world.go_on_until(start_s + day_s);
  world.shared.set(nullptr);
  world.start();
  EXPECT_TRUE(world.shared.is_set());
  world.go_on_until(start_s + 2 * day_s);
  EXPECT_EQ(world.keeper->orders(), 0U);
  // A step that was half done when memory was short.
  world.keeper->start_again();
  world.go_on_until(start_s + 3 * day_s);
  EXPECT_EQ(world.ca.issued, 1U);
}

TEST(CertificateKeeper, WhileTheVaultIsFullTheOldOneStaysUntilItEnds) {
  World world(9 * day_s);
  world.go_on_until(start_s + day_s);
  const std::int64_t first_s = world.served_until_s();
  world.is_full = true;
  world.go_on_until(first_s - 3600);
  EXPECT_GE(world.ca.issued, 2U);
  EXPECT_EQ(world.served_until_s(), first_s);
  EXPECT_NE(world.console.said.find("acme: the vault is full; it is tried again at 2027-01-"),
            std::string::npos)
      << world.console.said;
  EXPECT_NE(world.console.said.find(" UTC (the certificate in use stays)"), std::string::npos);
  world.go_on_until(first_s + day_s);
  EXPECT_GT(world.served_until_s(), world.now_s);
  world.is_full = false;
  world.go_on_until(first_s + 2 * day_s);
  EXPECT_NE(world.stored["certificate.pem"], "");
}

TEST(CertificateKeeper, WhatNoCaCouldServeIsSaidAtTheStart) {
  const auto refused = [](const AcmeWords& what) -> std::string {
    try {
      static_cast<void>(settings_of(what));
    } catch (const config::StartError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refused(words()), "");
  AcmeWords none = words();
  none.names.clear();
  EXPECT_TRUE(refused(none).starts_with("--acme: there is no name to get a certificate for"));
  AcmeWords wild = words();
  wild.names = {"*.example.org"};
  EXPECT_TRUE(refused(wild).starts_with("--acme: *.example.org: a CA gives wildcards only"));
  AcmeWords half = words();
  half.key_id = "kid-1";
  EXPECT_TRUE(refused(half).starts_with("--acme-eab-kid and --acme-eab-key belong together"));
  half.mac_key = "not base64!";
  EXPECT_TRUE(refused(half).starts_with("--acme-eab-key: what it names is not base64"));
  for (const char* key : {"-_8AAQ", "+/8AAQ==", "+/8AAQ"}) {
    half.mac_key = key;
    EXPECT_EQ(settings_of(half).mac_key, std::string("\xfb\xff\0\1", 4)) << key;
  }
}

TEST(CertificateKeeper, EachCaHasAFolderOfItsOwn) {
  for (const auto& [url, folder] : std::map<std::string, std::string>{
           {acme::directory_of("letsencrypt"), "acme/acme-v02.api.letsencrypt.org-directory/"},
           {"https://localhost:14000/dir", "acme/localhost-14000-dir/"},
           {"https://.x/?a=%20&b", "acme/-x--a--20-b/"}}) {
    EXPECT_EQ(config::vault_folder_of(url), folder);
    EXPECT_TRUE(kv::is_vault_key(folder + "account.pem"));
  }
  EXPECT_TRUE(kv::is_vault_key(config::vault_folder_of("https://" + std::string(999, 'x')) + "x"));
}

}  // namespace
