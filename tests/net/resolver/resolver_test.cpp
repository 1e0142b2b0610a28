// SPDX-License-Identifier: ISC
// tests/net/resolver/resolver_test.cpp: lookups with servers that answer, lie, or do not answer.
//
// Method:  servers are functions of the test; time is simulated.

#include "net/resolver/resolver.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/net/resolver/dns.hpp"
#include "tests/net/resolver/world.hpp"

namespace {

using namespace std::chrono_literals;
using namespace std::literals;
using net::dns::asked;
using net::dns::ipv4_data;
using net::dns::labels;
using net::dns::Mailbox;
using net::dns::Message;
using net::dns::record;
using net::resolver::Answer;
using net::resolver::Cache;
using net::resolver::Error;
using net::resolver::Type;

struct Resolving : net::dns::World {
  net::NameServers servers;
  net::resolver::Resolver<net::dns::ScriptedStack> resolver{loop, entropy, stack, servers};
  std::optional<Answer> answer;

  Resolving() {
    const std::vector<net::Endpoint> two{net::ipv4(10, 0, 0, 1, 53), net::ipv4(10, 0, 0, 2, 53)};
    servers.configure(two);
  }
  // How server n, from 1, answers.
  using Reply = std::function<void(Message&)>;
  void answer_by(std::vector<Reply> replies) {
    stack.on_question = [replies = std::move(replies)](const std::string& server, std::string sent,
                                                       const std::shared_ptr<Mailbox>& box) {
      const Reply& reply = replies.at(static_cast<std::size_t>(server.back() - '1'));
      if (!reply) return;
      Message message = net::dns::to(sent);
      reply(message);
      box->put(message.text());
    };
  }
  base::Task<void> keep(std::string name, Type type, base::Duration within) {
    Answer found = co_await resolver.lookup(name, type, within);
    answer.emplace(found);
    done = loop.now();
  }
  // The addresses, or the error.
  std::string look_up(const std::string& name, Type type = Type::a, base::Duration within = 30s) {
    answer.reset();
    loop.spawn(keep(name, type, within));
    run_until([this] { return answer.has_value(); });
    if (!answer) return "nothing";
    if (!*answer) return std::string(net::resolver::text_of(answer->error()));
    std::string out;
    for (const net::Endpoint& each : (*answer)->all()) {
      out += (out.empty() ? "" : " ") + net::address_text(each);
    }
    return out;
  }
};
const auto good = [](Message& m) { m.answers = {record(asked, 1, 300, ipv4_data)}; };
const std::string timed_out{net::resolver::text_of(Error::timed_out)};
const std::string failed{net::resolver::text_of(Error::failed)};
const std::string no_such_name{net::resolver::text_of(Error::no_such_name)};

TEST(Resolver, KnowsWhatIsNotAskedFor) {
  Resolving world;
  EXPECT_EQ(world.look_up("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(world.look_up("2001:db8::1", Type::aaaa), "2001:db8::1");
  EXPECT_EQ(world.look_up("2001:db8::1"), "has no address");
  for (const char* name :
       {"localhost", "LOCALHOST", "localhost.", "a.localhost", "a.b.LocalHost."}) {
    EXPECT_EQ(world.look_up(name), "127.0.0.1") << name;
    EXPECT_EQ(world.look_up(name, Type::aaaa), "::1") << name;
  }
  for (const char* name : {"invalid", "a.invalid", "a.onion."}) {
    EXPECT_EQ(world.look_up(name), no_such_name) << name;
  }
  for (const char* name :
       {"", ".", "a..b", "a b", "1.2.3", "0x7f.1", "192.0.2.256", "..localhost", "a..localhost"}) {
    EXPECT_EQ(world.look_up(name), "is not a name") << name;
  }
  EXPECT_TRUE(world.stack.questions.empty());
  // Names that only look like these are asked for.
  world.answer_by({good, good});
  for (const char* name : {"notlocalhost", "localhost.example", "xinvalid"}) {
    EXPECT_EQ(world.look_up(name), "192.0.2.7") << name;
  }
  EXPECT_EQ(world.stack.questions.size(), 3U);
}

TEST(Resolver, AsksTheNextServer) {
  Resolving world;
  world.answer_by({nullptr, good});
  EXPECT_EQ(world.look_up("a.example"), "192.0.2.7");
  EXPECT_EQ(world.now(), 2s);
  world.answer_by({[](Message& m) { m.flags |= 2U; }, good});
  EXPECT_EQ(world.look_up("b.example"), "192.0.2.7");
  EXPECT_LT(world.now(), 2s + 5ms) << "a failure is told at once";
  world.stack.on_question = [](const std::string& server, const std::string& sent,
                               const std::shared_ptr<Mailbox>& box) {
    if (server == "10.0.0.1") return box->refuse();
    Message message = net::dns::to(sent);
    good(message);
    box->put(message.text());
  };
  EXPECT_EQ(world.look_up("c.example"), "192.0.2.7");
  EXPECT_LT(world.now(), 2s + 5ms) << "and so is that nobody is there";
}

TEST(Resolver, GivesUpInTheEnd) {
  Resolving world;
  EXPECT_EQ(world.look_up("a.example"), timed_out);
  EXPECT_EQ(world.now(), 2 * (2s + 4s));
  EXPECT_EQ(world.stack.questions.size(), 4U);
  const base::Duration before = world.loop.now() - base::Instant{};
  EXPECT_EQ(world.look_up("b.example", Type::a, 3s), timed_out);
  EXPECT_EQ(world.now() - before, 3s);
  world.answer_by({[](Message& m) { m.flags |= 5U; }, nullptr});
  EXPECT_EQ(world.look_up("c.example"), failed);
  world.stack.can_open = false;
  EXPECT_EQ(world.look_up("d.example"), timed_out);
  world.servers.configure({});
  EXPECT_EQ(world.look_up("e.example"),
            "cannot be looked up: no DNS server is known (--dns names one)");
}

TEST(Resolver, ForeignAnswersAreWaitedOut) {
  Resolving world;
  const auto lie = [](const std::string& sent, unsigned wrong) {
    Message message = net::dns::to(sent);
    message.answers = {record(asked, 1, 300, "\x06\x06\x06\x06")};
    if (wrong == 0) message.id ^= 0x0101U;
    if (wrong == 1) message.question[1] ^= 1;
    return message.text();
  };
  world.stack.on_question = [&](const std::string&, const std::string& sent,
                                const std::shared_ptr<Mailbox>& box) {
    box->put("");
    box->put("x");
    for (unsigned i = 0; i < 10; ++i) box->put(lie(sent, i % 2));
    Message message = net::dns::to(sent);
    good(message);
    box->put(message.text());
  };
  EXPECT_EQ(world.look_up("a.example"), "192.0.2.7");
  EXPECT_EQ(world.stack.questions.size(), 1U);
  // Somebody who guesses the id is not given many guesses: then it is asked by TCP.
  world.stack.on_question = [&](const std::string&, const std::string& sent,
                                const std::shared_ptr<Mailbox>& box) {
    for (unsigned i = 0; i < 1000; ++i) box->put(lie(sent, 0));
  };
  world.stack.on_connect = [](net::MemoryWire& wire, const std::string&) { wire.end(); };
  EXPECT_EQ(world.look_up("b.example"), timed_out);
  EXPECT_EQ(world.stack.connects.size(), 4U);
}

// The server's answer by TCP, in pieces or cut.
void serve_tcp(Resolving& world, std::size_t cut, bool ends) {
  world.stack.on_connect = [&world, cut, ends](net::MemoryWire& wire, const std::string&) {
    // The question comes in the next turn.
    auto reply = [](base::Loop& loop, net::MemoryWire& to, std::size_t bytes,
                    bool closes) -> base::Task<void> {
      co_await loop.sleep_for(1ms);
      const std::string sent = to.take();
      if (sent.size() < 3) co_return;
      Message message = net::dns::to(std::string_view(sent).substr(2));
      for (int i = 0; i < 40; ++i) message.answers.push_back(record(asked, 1, 9, ipv4_data));
      const std::string text = message.text();
      to.push((net::dns::word(static_cast<unsigned>(text.size())) + text).substr(0, bytes));
      if (closes) to.end();
    };
    wire.read_bytes_max = 100;
    world.loop.spawn(reply(world.loop, wire, cut, ends));
  };
}

TEST(Resolver, WhatIsTruncatedIsAskedByTcp) {
  Resolving world;
  world.answer_by({[](Message& m) { m.flags |= 0x0200U; }, nullptr});
  serve_tcp(world, std::string::npos, false);
  EXPECT_EQ(world.look_up("a.example").substr(0, 19), "192.0.2.7 192.0.2.7");
  EXPECT_EQ(world.stack.connects.size(), 1U);
  EXPECT_EQ(world.stack.open_flows(), 0U);
  for (const std::size_t cut : {0U, 1U, 2U, 3U, 13U, 100U}) {
    for (const bool ends : {true, false}) {
      Resolving other;
      other.answer_by({[](Message& m) { m.flags |= 0x0200U; }, good});
      serve_tcp(other, cut, ends);
      EXPECT_EQ(other.look_up("a.example"), "192.0.2.7") << cut;
      EXPECT_EQ(other.stack.open_flows(), 0U);
      EXPECT_EQ(other.now() > 1s, !ends);
    }
  }
}

TEST(Resolver, FollowsAliasesAndEndsInACircle) {
  Resolving world;
  world.stack.on_question = [](const std::string&, const std::string& sent,
                               const std::shared_ptr<Mailbox>& box) {
    Message message = net::dns::to(sent);
    if (sent.find("\1a") != std::string::npos) {
      message.answers = {record(asked, 5, 60, labels("b.example"))};
    } else if (sent.find("\1b") != std::string::npos) {
      good(message);
    } else {
      message.answers = {record(asked, 5, 60, labels("c.example"))};
      if (sent.find("\1c") != std::string::npos) {
        message.answers = {record(asked, 5, 60, labels("d.example"))};
      }
    }
    box->put(message.text());
  };
  EXPECT_EQ(world.look_up("a.example"), "192.0.2.7");
  EXPECT_EQ(world.look_up("c.example"), failed);
  EXPECT_LT(world.stack.questions.size(), 15U);
}

TEST(Resolver, KeepsAnswersForTheirLifetime) {
  Resolving world;
  world.answer_by({[](Message& m) { m.answers = {record(asked, 1, 10, ipv4_data)}; }, nullptr});
  EXPECT_EQ(world.look_up("a.example"), "192.0.2.7");
  EXPECT_EQ(world.look_up("A.Example."), "192.0.2.7");
  EXPECT_EQ(world.stack.questions.size(), 1U);
  world.time.advance(11s);
  world.loop.turn(world.loop.now());
  EXPECT_EQ(world.look_up("a.example"), "192.0.2.7");
  EXPECT_EQ(world.stack.questions.size(), 2U);
  // That there is none, as the zone says; that nobody answers, never.
  world.answer_by({[](Message& m) {
                     m.flags |= 3U;
                     m.authority = {net::dns::soa_of("example", 60, 20)};
                   },
                   nullptr});
  EXPECT_EQ(world.look_up("b.example"), no_such_name);
  EXPECT_EQ(world.look_up("b.example"), no_such_name);
  EXPECT_EQ(world.stack.questions.size(), 3U);
  world.answer_by({nullptr, nullptr});
  EXPECT_EQ(world.look_up("c.example"), timed_out);
  world.answer_by({good, good});
  EXPECT_EQ(world.look_up("c.example"), "192.0.2.7");
}

TEST(Resolver, TheCacheHasBounds) {
  Cache cache;
  const base::Instant now{};
  const auto name = [](std::size_t i) {
    return *net::resolver::Name::from_text("a" + std::to_string(i) + ".example");
  };
  for (std::size_t i = 0; i < 1000; ++i) {
    cache.keep(name(i), Type::a, net::resolver::Found{}, static_cast<std::uint32_t>(100 + i), now);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 1000; ++i) kept += cache.find(name(i), Type::a, now) ? 1 : 0;
  EXPECT_EQ(kept, Cache::entries_max);
  EXPECT_TRUE(cache.find(name(999), Type::a, now));
  EXPECT_FALSE(cache.find(name(999), Type::aaaa, now));
  cache.keep(name(1), Type::a, net::resolver::Found{}, 0x7fffffff, now);
  EXPECT_TRUE(cache.find(name(1), Type::a, now + 23h));
  EXPECT_FALSE(cache.find(name(1), Type::a, now + 24h));
  cache.keep(name(1), Type::a, base::failure(Error::no_address), 0x7fffffff, now);
  EXPECT_FALSE(cache.find(name(1), Type::a, now + 1h));
}

TEST(Resolver, EachQuestionHasAnIdOfItsOwn) {
  Resolving world;
  std::set<std::string> ids;
  world.stack.on_question = [&](const std::string&, const std::string& sent,
                                const std::shared_ptr<Mailbox>& box) {
    ids.insert(sent.substr(0, 2));
    Message message = net::dns::to(sent);
    message.flags |= 2U;
    box->put(message.text());
  };
  for (int i = 0; i < 50; ++i) world.look_up("a.example");
  EXPECT_GT(ids.size(), 190U);  // of 200
}

TEST(Resolver, OneThatIsGivenUpClosesItsSocket) {
  Resolving world;
  std::shared_ptr<Mailbox> kept;
  world.stack.on_question = [&](const std::string&, const std::string&,
                                std::shared_ptr<Mailbox> box) { kept = std::move(box); };
  world.loop.spawn(world.keep("a.example", Type::a, 30s));
  for (int i = 0; i < 5; ++i) world.loop.turn(world.loop.now());
  ASSERT_TRUE(kept && kept->is_open);
  world.loop.destroy_tasks();
  EXPECT_FALSE(kept->is_open);
}

}  // namespace
