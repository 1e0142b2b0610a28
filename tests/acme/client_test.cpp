// SPDX-License-Identifier: ISC
// tests/acme/client_test.cpp: the client against a CA that is played; a simulated year.
//
// Method: a driver of a few lines carries out the client's steps in simulated time. The year has
// seeds: faults of the CA and of the network, days without the CA, and power cuts, after which a
// new client has only what was stored. Each hour a certificate must be valid.

#include "acme/client.hpp"

#include <random>

#include "tests/acme/authority.hpp"

namespace {

using acme_test::PlayedCa;
using http::client::Response;

constexpr std::int64_t start_s = 1'800'000'000;
constexpr std::int64_t day_s = 86'400;

class Seeded final : public base::Entropy {
 public:
  explicit Seeded(unsigned seed) : random_(seed) {}
  void fill(base::MutableBytes out) noexcept override {
    for (std::byte& one : out) one = static_cast<std::byte>(random_());
  }

 private:
  std::mt19937 random_;
};

struct World {
  explicit World(std::int64_t lifetime_s = 90 * day_s, unsigned seed = 1)
      : ca(lifetime_s), entropy(seed) {
    settings.directory = "https://ca/dir";
    settings.names = {"example.org", "www.example.org"};
    settings.agrees = true;
    settings.clock_set_s = start_s - day_s;
    start();
  }
  void start() {
    client = std::make_unique<acme::Client>(settings, stored[acme::account_entry],
                                            stored[acme::certificate_entry], entropy);
  }

  // One step; a Wait ends at `until_s` at the latest. The Wait, if it was one.
  std::optional<acme::Wait> step(std::int64_t until_s) {
    acme::Step step = client->next(now_s);
    if (const auto* wait = std::get_if<acme::Wait>(&step)) {
      EXPECT_GT(wait->until_s, now_s) << wait->why;
      now_s = std::min(until_s, wait->until_s);
      return *wait;
    }
    if (const auto* ask = std::get_if<acme::Ask>(&step)) {
      ++asked;
      const Response response = ca.answer(*ask, now_s);
      now_s += 1;
      response.status == 0 ? client->failed("the connection broke", now_s)
                           : client->received(response, now_s);
    } else if (const auto* answer = std::get_if<acme::Answer>(&step)) {
      ca.answers[answer->token] = answer->key_authorization;
    } else if (const auto* withdraw = std::get_if<acme::Withdraw>(&step)) {
      ca.answers.erase(withdraw->token);
    } else if (const auto* store = std::get_if<acme::Store>(&step)) {
      if (store_fails-- > 0) {
        client->failed("the vault is full", now_s);
      } else {
        stored[store->name] = store->bytes;
      }
    }
    return {};
  }

  // How many certificates there are at that time.
  unsigned settle_at(std::int64_t until_s) {
    for (int i = 0; i < 500 && now_s < until_s; ++i) step(until_s);
    return ca.issued;
  }

  // Until it waits for more than five minutes; why.
  std::string settle() {
    for (int i = 0; i < 500; ++i) {
      const std::int64_t before_s = now_s;
      const auto wait = step(now_s + day_s);
      if (wait && wait->until_s > before_s + 300) return wait->why;
    }
    return "it never rests";
  }

  PlayedCa ca;
  Seeded entropy;
  acme::Settings settings;
  std::map<std::string_view, std::string> stored;
  std::unique_ptr<acme::Client> client;
  std::int64_t now_s = start_s;
  int store_fails = 0;
  unsigned asked = 0;
};

TEST(AcmeClient, GetsACertificateAndRests) {
  World world;
  EXPECT_EQ(world.settle(), "the certificate lasts");
  EXPECT_EQ(world.ca.issued, 1U);
  EXPECT_GT(world.client->not_after_s(), start_s + 89 * day_s);
  EXPECT_TRUE(world.ca.answers.empty());
  EXPECT_NE(world.ca.last_account.find("\"termsOfServiceAgreed\":true"), std::string::npos);
  const std::string account = world.stored[acme::account_entry];
  world.start();  // nothing is asked for again
  EXPECT_EQ(world.settle(), "the certificate lasts");
  EXPECT_EQ(world.ca.issued, 1U);
  EXPECT_EQ(world.stored[acme::account_entry], account);
}

TEST(AcmeClient, NamesThatNoCaCouldCheckAreRefused) {
  World world;
  EXPECT_EQ(acme::problem_of(world.settings), "");
  for (const char* name :
       {"*.example.org", "localhost", "192.0.2.1", "Example.org", "a b.org", ""}) {
    world.settings.names = {name};
    EXPECT_NE(acme::problem_of(world.settings), "") << name;
  }
  world.settings.names.clear();
  EXPECT_NE(acme::problem_of(world.settings), "");
}

TEST(AcmeClient, WaitsForTheClock) {
  World world;
  world.now_s = 100;
  const auto wait = world.step(start_s);
  ASSERT_TRUE(wait);
  EXPECT_NE(wait->why.find("the clock is not set"), std::string::npos);
  EXPECT_EQ(world.asked, 0U);
}

TEST(AcmeClient, SaysWhatTheCaWants) {
  World world;
  world.settings.agrees = false;
  world.start();
  EXPECT_NE(world.settle().find("--acme-agree=true"), std::string::npos);
  world.settings.agrees = true;
  world.settings.profile = "short";
  world.start();
  EXPECT_EQ(world.settle(), "the CA has no profile short");
  world.ca.meta = R"("externalAccountRequired":true,"profiles":{"short":"6 days"})";
  world.start();
  EXPECT_NE(world.settle().find("external account binding"), std::string::npos);
  world.settings.key_id = "kid";
  world.settings.mac_key = "secret";
  world.start();
  EXPECT_EQ(world.settle(), "the certificate lasts");
  EXPECT_NE(world.ca.last_order.find("\"profile\":\"short\""), std::string::npos);
  EXPECT_NE(world.ca.last_account.find("externalAccountBinding"), std::string::npos);
}

TEST(AcmeClient, BadNoncesAreAskedAgainAtOnceButNotForEver) {
  World world;
  int bad = 4;
  world.ca.fault = [&](const acme::Ask& ask, const std::string&) -> std::optional<Response> {
    if (ask.method != http::client::Method::post || bad-- <= 0) return {};
    return world.ca.bad_nonce();
  };
  EXPECT_EQ(world.settle(), "the certificate lasts");
  EXPECT_LT(world.client->not_after_s(), start_s + 90 * day_s + 300);

  World other;
  other.ca.fault = [&](const acme::Ask& ask, const std::string&) -> std::optional<Response> {
    if (ask.method != http::client::Method::post) return {};
    return other.ca.bad_nonce();
  };
  for (int i = 0; i < 200 && other.now_s < start_s + 3600; ++i) other.step(start_s + 3600);
  EXPECT_LT(other.asked, 100U);
}

TEST(AcmeClient, EveryOtherNonceMayBeBad) {
  World world;
  unsigned asked = 0;
  world.ca.fault = [&](const acme::Ask& ask, const std::string&) -> std::optional<Response> {
    if (ask.method != http::client::Method::post || ++asked % 2 == 0) return {};
    return world.ca.bad_nonce();
  };
  EXPECT_EQ(world.settle(), "the certificate lasts");
  EXPECT_EQ(world.ca.issued, 1U);
}

// A CA that makes an account each time it is asked, and then knows it not.
TEST(AcmeClient, AnAccountThatIsAlwaysLostIsNotMadeForEver) {
  World world;
  world.ca.fault = [&](const acme::Ask&, const std::string& path) -> std::optional<Response> {
    if (path != "/order") return {};
    return PlayedCa::reply(400, R"({"type":"urn:ietf:params:acme:error:accountDoesNotExist"})");
  };
  for (int i = 0; i < 200 && world.now_s < start_s + 3600; ++i) world.step(start_s + 3600);
  EXPECT_GE(world.now_s, start_s + 3600);
  EXPECT_LT(world.asked, 40U);
}

TEST(AcmeClient, ACertificateOfTwoMinutesIsRenewedInTime) {
  World world(120);
  EXPECT_EQ(world.settle_at(start_s + 125), 2U);
}

// A connection that broke is tried again soon, and then ever later.
TEST(AcmeClient, SaysWhenItTriesAgain) {
  World world;
  world.ca.fault = [](const acme::Ask&, const std::string&) { return PlayedCa::reply(0, ""); };
  std::int64_t most_s = 0;
  for (int i = 0; i < 100 && world.now_s < start_s + day_s; ++i) {
    const std::int64_t before_s = world.now_s;
    const auto wait = world.step(start_s + 2 * day_s);
    if (!wait) continue;
    EXPECT_EQ(wait->kind, acme::Wait::Kind::failure);
    EXPECT_EQ(wait->why, "the connection broke");
    EXPECT_LE(wait->until_s - before_s, most_s == 0 ? 10 : 3600);
    most_s = std::max(most_s, wait->until_s - before_s);
  }
  EXPECT_GT(most_s, 1800);
  EXPECT_LE(most_s, 3600);
}

TEST(AcmeClient, RetryAfterOfARateLimitIsKept) {
  World world;
  world.ca.fault = [](const acme::Ask&, const std::string& path) -> std::optional<Response> {
    if (path != "/order") return {};
    Response out = PlayedCa::reply(
        429, R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"})");
    out.fields.push_back({"retry-after", "200000"});
    return out;
  };
  std::optional<acme::Wait> wait;
  for (int i = 0; i < 50 && !(wait && wait->until_s > start_s + day_s); ++i) {
    wait = world.step(start_s + 100);
  }
  ASSERT_TRUE(wait);
  EXPECT_GE(wait->until_s, start_s + 200'000);
  EXPECT_NE(wait->why.find("too many"), std::string::npos);
}

TEST(AcmeClient, ACertificateForOtherNamesIsNotTaken) {
  World world;
  world.ca.wrong_names = true;
  EXPECT_NE(world.settle().find("not for our key and names"), std::string::npos);
  EXPECT_EQ(world.stored[acme::certificate_entry], "");
}

TEST(AcmeClient, WhatCouldNotBeStoredIsStoredLater) {
  World world;
  world.store_fails = 3;
  for (int i = 0; i < 500 && world.stored[acme::certificate_entry].empty(); ++i) {
    world.step(start_s + day_s);
  }
  EXPECT_NE(world.stored[acme::account_entry], "");
  EXPECT_NE(world.stored[acme::certificate_entry], "");
  EXPECT_EQ(world.ca.issued, 1U);
}

TEST(AcmeClient, AFullVaultIsNotTriedAgainAtOnce) {
  World world;
  world.store_fails = 1000;
  for (int i = 0; i < 2000 && world.now_s < start_s + day_s; ++i) world.step(start_s + day_s);
  EXPECT_GE(world.now_s, start_s + day_s);
  EXPECT_GT(world.store_fails, 900);
}

TEST(AcmeClient, AYear) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const std::int64_t lifetime_s = seed % 2 == 0 ? 6 * day_s : 90 * day_s;
    World world(lifetime_s, seed);
    std::mt19937 random(seed);
    const auto chance = [&random](unsigned percent) { return random() % 100 < percent; };
    std::int64_t away_until_s = 0;
    world.ca.fault = [&](const acme::Ask& ask, const std::string&) -> std::optional<Response> {
      if (world.now_s < away_until_s || chance(3)) return PlayedCa::reply(0, "");
      if (chance(3)) return PlayedCa::reply(503, "busy");
      if (ask.method == http::client::Method::post && chance(20)) return world.ca.bad_nonce();
      if (chance(5)) world.now_s += 30;
      return {};
    };
    world.now_s = 1000;  // the clock is not set
    ASSERT_TRUE(world.step(2000));
    world.now_s = start_s;
    const std::int64_t end_s = start_s + 365 * day_s;
    unsigned cuts = 0, hours = 0;
    for (std::int64_t hour_s = start_s + 3600; hour_s < end_s; hour_s += 3600) {
      for (int i = 0; i < 1000 && world.now_s < hour_s; ++i) {
        world.step(hour_s);
        if (random() % 500 == 0 && ++cuts > 0) world.start();
      }
      if (random() % 1000 == 0) away_until_s = hour_s + lifetime_s / 8;
      // A day for the first one.
      if (hour_s < start_s + day_s) continue;
      ++hours;
      ASSERT_GT(world.client->not_after_s(), world.now_s) << "hour " << hours;
      ASSERT_NE(world.stored[acme::certificate_entry], "");
    }
    EXPECT_GT(cuts, 5U);
    const auto renewals = static_cast<unsigned>(365 * day_s / (lifetime_s * 6 / 10));
    EXPECT_GE(world.ca.issued, 365 * day_s / lifetime_s);
    EXPECT_LE(world.ca.issued, renewals * 3 / 2 + 3);
  }
}

}  // namespace
