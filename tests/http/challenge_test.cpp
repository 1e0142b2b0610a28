// SPDX-License-Identifier: ISC
// tests/http/challenge_test.cpp: the texts by which a CA sees that a host is ours.
//
// Method:  one token is known. It is answered before redirects, hosts and the site's own files;
//          every other request means what it would mean without it.

#include <gtest/gtest.h>

#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"

namespace {

using http_test::get;

class Texts final : public http::ChallengeTexts {
 public:
  [[nodiscard]] std::shared_ptr<const std::string> find(
      std::string_view token) const noexcept override {
    return token == "token" ? text_ : nullptr;
  }

 private:
  std::shared_ptr<const std::string> text_ = std::make_shared<const std::string>("token.key");
};

http_test::Answer answer_to(const http::Options& options, const std::string& request) {
  http_test::World<http_test::ScriptedStore> world(options);
  const auto wire = world.dial();
  wire->push(request);
  world.settle();
  std::string bytes = wire->take(), why;
  auto answer = http_test::take_answer(bytes, request.starts_with("HEAD"), why);
  EXPECT_TRUE(answer) << request << why;
  EXPECT_EQ(bytes, "");
  return answer.value_or(http_test::Answer{});
}

constexpr const char* known = "/.well-known/acme-challenge/token";

TEST(Challenge, IsAnsweredBeforeTheRedirectAndForEveryHost) {
  const Texts texts;
  for (const std::uint16_t https_port : {std::uint16_t{0}, std::uint16_t{443}}) {
    http::Options options;
    options.https_port = https_port;
    options.hosts = {"a.example"};
    options.challenges = &texts;
    for (const char* target : {known, "/.well-known/acme-challenge/token?x",
                               "http://b.example/.well-known/acme-challenge/token"}) {
      const http_test::Answer answer = answer_to(options, get(target));
      EXPECT_EQ(answer.status, 200) << target;
      EXPECT_EQ(answer.body, "token.key");
      EXPECT_EQ(answer.field("Content-Type"), "application/octet-stream");
      EXPECT_EQ(answer.field("Content-Length"), "9");
    }
    const http_test::Answer head = answer_to(options, http_test::ask("HEAD", known));
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), "9");
  }
}

TEST(Challenge, OtherRequestsAreAsWithoutIt) {
  const Texts texts;
  const std::string requests[] = {get("/.well-known/acme-challenge/other"),
                                  get("/.well-known/acme-challenge/"),
                                  get("/.well-known/acme-challenge/token/"),
                                  get("/token"),
                                  get("/a.txt"),
                                  http_test::ask("OPTIONS", known),
                                  http_test::ask("POST", known)};
  for (const std::uint16_t https_port : {std::uint16_t{0}, std::uint16_t{443}}) {
    for (const std::string& request : requests) {
      http::Options options;
      options.https_port = https_port;
      const http_test::Answer without = answer_to(options, request);
      options.challenges = &texts;
      const http_test::Answer with = answer_to(options, request);
      EXPECT_EQ(with.status, without.status) << request;
      EXPECT_EQ(with.body, without.body) << request;
    }
  }
  EXPECT_EQ(answer_to({}, get(known)).status, 404);
}

}  // namespace
