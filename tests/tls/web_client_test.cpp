// SPDX-License-Identifier: ISC
// tests/tls/web_client_test.cpp: a request to an https URL, through all layers: the name, Happy
// Eyeballs, TLS and HTTP.
//
// Method:  a server of ours on the kernel's loopback interface; its name is localhost, which is
//          looked up without a server, and of whose two addresses only one answers.

#include "config/parts/web_client.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/net/worlds.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client_world.hpp"

namespace {

using http::client::Error;
using http::client::Fetched;

class WebClient : public ::testing::Test {
 protected:
  using Names = config::Dialing<net::Sockets>;
  using Secure = config::SecureDialing<net::Sockets>;

  template <class Listener>
  static Task<void> serve(Listener& listener, std::string answer) {
    for (;;) {
      auto flow = co_await listener.accept();
      if (!flow) co_return;
      auto asked = co_await flow->read(4096, long_time);
      if (!asked) continue;
      EXPECT_TRUE(co_await send(*flow, answer));
      static_cast<void>(co_await flow->shutdown(long_time));
    }
  }
  Task<void> fetch(std::string url, const authority::Certificate& root) {
    auto plain = world_.stack().listen(0);
    auto secure = over_.listen(0);
    REQUIRE(plain.has_value() && secure.has_value());
    const std::string port = std::to_string(secure->port());
    world_.loop().spawn(serve(*plain, "HTTP/1.1 302 Found\r\nLocation: https://localhost:" + port +
                                          "/moved\r\nContent-Length: 0\r\n\r\n"));
    world_.loop().spawn(serve(*secure, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    Names names(world_.loop(), authority::entropy(), world_.stack(), {});
    Secure over_tls(world_.loop(), names, client_world::client_context(root));
    http::client::Client<Names, Secure> client(world_.loop(), names, over_tls);
    const http::client::Request request;
    http::client::Limits limits;
    limits.redirects_max = 1;
    url += std::to_string(url.starts_with("https") ? secure->port() : plain->port());
    Fetched fetched = co_await client.fetch(url, request, limits);
    fetched_.emplace(std::move(fetched));
    plain->close();
    secure->close();
    co_await settle(world_);
  }

  SocketsWorld world_;
  client_world::Issued issued_ = client_world::issue("P-256", "", "P-256");
  tls::Over<net::Sockets> over_{world_.stack(), world_.loop(),
                                client_world::server_context(issued_)};
  std::optional<Fetched> fetched_;
};

TEST_F(WebClient, FetchesByTls) {
  run(world_, fetch("https://localhost:", issued_.root));
  ASSERT_TRUE(fetched_);
  ASSERT_TRUE(*fetched_) << fetched_->error().what;
  EXPECT_EQ((*fetched_)->body, "hello");
}

TEST_F(WebClient, FollowsARedirectToTls) {
  run(world_, fetch("http://localhost:", issued_.root));
  ASSERT_TRUE(fetched_);
  ASSERT_TRUE(*fetched_) << fetched_->error().what;
  EXPECT_EQ((*fetched_)->body, "hello");
}

TEST_F(WebClient, SaysWhyACertificateIsRefused) {
  const client_world::Issued other = client_world::issue("P-256", "", "P-256");
  run(world_, fetch("https://localhost:", other.root));
  ASSERT_TRUE(fetched_);
  ASSERT_FALSE(*fetched_);
  const http::client::Failure& failure = fetched_->error();
  EXPECT_EQ(failure.error, Error::not_connected);
  EXPECT_NE(failure.what.find("127.0.0.1"), std::string::npos) << failure.what;
  EXPECT_NE(failure.what.find("; localhost"), std::string::npos) << failure.what;
  RecordProperty("what", failure.what);
}

}  // namespace
