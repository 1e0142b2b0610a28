// SPDX-License-Identifier: ISC
// tests/net/resolver/message_test.cpp: what a server may answer, and what it may not.
//
// Method:  messages put together by hand; a table of what each is taken for. Each good one is cut
//          at every byte, and each of its bytes is changed: nothing is ever read outside it, and a
//          cut one gives no address.

#include "net/resolver/message.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "tests/net/resolver/dns.hpp"

namespace {

using namespace std::literals;
using net::dns::asked;
using net::dns::ipv4_data;
using net::dns::ipv6_data;
using net::dns::labels;
using net::dns::Message;
using net::dns::record;
using net::resolver::Name;
using net::resolver::Question;
using net::resolver::Reply;
using net::resolver::Type;
using Kind = Reply::Kind;

Question question(std::string_view name = "www.example.org", Type type = Type::a) {
  return {*Name::from_text(name), type, 0x1234};
}
std::string sent(const Question& asked_for) {
  std::array<std::byte, net::resolver::question_bytes_max> bytes{};
  return std::string(base::text_of(net::resolver::encode(asked_for, bytes)));
}
// A copy of its own, so that a read past the end is seen by a sanitizer.
Reply parse(const std::string& text, const Question& asked_for) {
  const auto copy = std::make_unique<std::byte[]>(text.size());
  std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), copy.get());
  return net::resolver::parse({copy.get(), text.size()}, asked_for);
}
Reply reply_to(const std::function<void(Message&)>& fill, const Question& asked_for = question()) {
  Message message = net::dns::to(sent(asked_for));
  fill(message);
  return parse(message.text(), asked_for);
}

TEST(DnsName, IsReadFromText) {
  EXPECT_EQ(base::text_of(Name::from_text("WWW.example.org")->bytes()), "\3www\7example\3org\0"sv);
  EXPECT_EQ(*Name::from_text("a."), *Name::from_text("A"));
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(Name::from_text(longest));
  EXPECT_EQ(Name::from_text(longest)->bytes().size(), 255U);
  EXPECT_TRUE(Name::from_text("_acme-challenge.a-1.example"));
  for (const std::string& bad : {""s, "."s, "a..b"s, ".a"s, "a.."s, label + "a", longest + "a",
                                 "a b"s, "a\0b"s, "\xc3\xa9"s, "a/b"s, "*.a"s, "a:1"s}) {
    EXPECT_FALSE(Name::from_text(bad)) << bad;
  }
}

TEST(DnsName, IsWithinItsZones) {
  const Name name = *Name::from_text("a.b.example");
  for (const char* zone : {"a.b.example", "b.example", "example"}) {
    EXPECT_TRUE(name.is_within(*Name::from_text(zone))) << zone;
  }
  for (const char* zone : {"x.a.b.example", "c.example", "org", "xample"}) {
    EXPECT_FALSE(name.is_within(*Name::from_text(zone))) << zone;
  }
}

TEST(DnsMessage, AddressesAreThoseOfTheNameAndOfItsAliases) {
  Reply reply = reply_to([](Message& m) {
    m.answers = {record(asked, 1, 300, ipv4_data), record(asked, 1, 200, "\x01\x02\x03\x04")};
  });
  EXPECT_EQ(reply.kind, Kind::addresses);
  ASSERT_EQ(reply.count, 2U);
  EXPECT_EQ(reply.addresses[0], net::ipv4(192, 0, 2, 7, 0));
  EXPECT_EQ(reply.lifetime_s, 200U);
  // In whatever case and order; the shortest lifetime of the chain counts.
  reply = reply_to([](Message& m) {
    m.answers = {record(labels("C.example"), 1, 300, ipv4_data),
                 record(labels("b.example"), 5, 60, labels("c.EXAMPLE")),
                 record(asked, 5, 100, labels("B.example"))};
  });
  EXPECT_EQ(reply.kind, Kind::addresses);
  EXPECT_EQ(reply.count, 1U);
  EXPECT_EQ(reply.lifetime_s, 60U);
  reply = reply_to([](Message& m) { m.answers = {record(asked, 28, 300, ipv6_data)}; },
                   question("www.example.org", Type::aaaa));
  EXPECT_EQ(reply.kind, Kind::addresses);
  EXPECT_EQ(net::address_text(reply.addresses[0]), "2001:db8::7");
  // More than are kept.
  reply = reply_to([](Message& m) {
    for (char i = 0; i < 60; ++i) m.answers.push_back(record(asked, 1, 300, "\x01\x02\x03"s + i));
  });
  EXPECT_EQ(reply.count, net::resolver::addresses_max);
}

TEST(DnsMessage, NegativeAnswersAreKeptAsTheZoneSays) {
  const auto soa = net::dns::soa_of("example.org", 600, 120);
  Reply reply = reply_to([&](Message& m) {
    m.flags |= 3U;
    m.authority = {soa};
  });
  EXPECT_EQ(reply.kind, Kind::no_such_name);
  EXPECT_EQ(reply.lifetime_s, 120U);
  reply = reply_to([&](Message& m) { m.authority = {net::dns::soa_of("org", 60, 120)}; });
  EXPECT_EQ(reply.kind, Kind::no_address);
  EXPECT_EQ(reply.lifetime_s, 60U);
  // Without a SOA, or with one of another zone: not kept.
  EXPECT_EQ(reply_to([](Message&) {}).lifetime_s, 0U);
  reply = reply_to([](Message& m) { m.authority = {net::dns::soa_of("other.org", 600, 120)}; });
  EXPECT_EQ(reply.kind, Kind::no_address);
  EXPECT_EQ(reply.lifetime_s, 0U);
  // A delegation is no answer.
  reply = reply_to([](Message& m) { m.authority = {record(labels("org"), 2, 60, labels("a"))}; });
  EXPECT_EQ(reply.kind, Kind::failed);
}

TEST(DnsMessage, AnAliasThatLeadsNowhereHasToBeAsked) {
  Reply reply =
      reply_to([](Message& m) { m.answers = {record(asked, 5, 100, labels("cdn.example"))}; });
  EXPECT_EQ(reply.kind, Kind::alias);
  EXPECT_EQ(reply.alias, *Name::from_text("cdn.example"));
  EXPECT_EQ(reply.lifetime_s, 100U);
  reply = reply_to([](Message& m) {
    m.answers = {record(asked, 5, 100, labels("cdn.example"))};
    m.authority = {net::dns::soa_of("example", 60, 60)};
  });
  EXPECT_EQ(reply.kind, Kind::no_address);
}

struct Lie {
  const char* what;
  std::function<void(Message&)> tell;
  Kind kind;
};

const Lie lies[] = {
    {"wrong id", [](Message& m) { m.id ^= 1U; }, Kind::foreign},
    {"a question", [](Message& m) { m.flags &= 0x7fffU; }, Kind::foreign},
    {"another operation", [](Message& m) { m.flags |= 0x2000U; }, Kind::foreign},
    {"no question", [](Message& m) { m.question_count = 0; }, Kind::foreign},
    {"two questions", [](Message& m) { m.question_count = 2; }, Kind::foreign},
    {"another name", [](Message& m) { m.question[1] = 'x'; }, Kind::foreign},
    {"another type", [](Message& m) { m.question[m.question.size() - 3] = 28; }, Kind::foreign},
    {"another class", [](Message& m) { m.question.back() = 3; }, Kind::foreign},
    {"truncated", [](Message& m) { m.flags |= 0x0200U; }, Kind::truncated},
    {"refused", [](Message& m) { m.flags |= 5U; }, Kind::failed},
    {"failed", [](Message& m) { m.flags |= 2U; }, Kind::failed},
    {"format error", [](Message& m) { m.flags |= 1U; }, Kind::failed},
    {"an address of another name",
     [](Message& m) { m.answers = {record(labels("other.example"), 1, 9, ipv4_data)}; },
     Kind::no_address},
    {"an address of another class",
     [](Message& m) { m.answers = {record(asked, 1, 9, ipv4_data, 3)}; }, Kind::no_address},
    {"an address in the additional section",
     [](Message& m) { m.additional = {record(asked, 1, 9, ipv4_data)}; }, Kind::no_address},
    {"an address in the authority section",
     [](Message& m) { m.authority = {record(asked, 1, 9, ipv4_data)}; }, Kind::no_address},
    {"an address of another family",
     [](Message& m) { m.answers = {record(asked, 28, 9, ipv6_data)}; }, Kind::no_address},
    {"an address of five bytes",
     [](Message& m) { m.answers = {record(asked, 1, 9, ipv4_data + "x")}; }, Kind::failed},
    {"an address of no bytes", [](Message& m) { m.answers = {record(asked, 1, 9, "")}; },
     Kind::failed},
    {"aliases in a circle",
     [](Message& m) {
       m.answers = {record(asked, 5, 9, labels("b.example")),
                    record(labels("b.example"), 5, 9, labels("www.example.org"))};
     },
     Kind::failed},
    {"an alias of itself", [](Message& m) { m.answers = {record(asked, 5, 9, asked)}; },
     Kind::failed},
    {"an alias with bytes behind it",
     [](Message& m) { m.answers = {record(asked, 5, 9, labels("b") + "x")}; }, Kind::failed},
    {"more aliases than are followed",
     [](Message& m) {
       m.answers = {record(asked, 5, 9, labels("a0"))};
       for (char i = '0'; i < '9'; ++i) {
         const std::string next{'a', static_cast<char>(i + 1)};
         m.answers.push_back(record(labels("a"s + i), 5, 9, labels(next)));
       }
       m.answers.push_back(record(labels("a9"), 1, 9, ipv4_data));
     },
     Kind::failed},
    {"more records than are read",
     [](Message& m) { m.answers.assign(65, record(asked, 1, 9, ipv4_data)); }, Kind::failed},
    {"a name that points to itself",
     [](Message& m) { m.answers = {record("\xc0\x21", 1, 9, ipv4_data)}; }, Kind::failed},
    {"a name that points forwards",
     [](Message& m) { m.answers = {record("\xc0\x30", 1, 9, ipv4_data)}; }, Kind::failed},
    {"a name that points outside",
     [](Message& m) { m.answers = {record("\xff\xff", 1, 9, ipv4_data)}; }, Kind::failed},
    {"a name that ends in a loop of two",
     [](Message& m) { m.answers = {record("\1a\xc0\x21", 1, 9, ipv4_data)}; }, Kind::failed},
    {"a label of an unknown kind",
     [](Message& m) { m.answers = {record("\x41x\0"s, 1, 9, ipv4_data)}; }, Kind::failed},
    {"a name that is too long",
     [](Message& m) {
       std::string name;
       for (int i = 0; i < 5; ++i) name += '\x3f' + std::string(63, 'a');
       m.answers = {record(name + '\0', 1, 9, ipv4_data)};
     },
     Kind::failed},
    {"a record that is longer than the message",
     [](Message& m) {
       std::string longer = record(asked, 1, 9, ipv4_data);
       longer[11] = 99;
       m.answers = {longer};
     },
     Kind::failed},
};

TEST(DnsMessage, OfALyingServerNothingIsBelieved) {
  for (const Lie& lie : lies) {
    const Reply reply = reply_to([&](Message& m) {
      m.answers = {record(asked, 1, 9, ipv4_data)};
      if (lie.kind == Kind::no_address) m.answers.clear();
      lie.tell(m);
    });
    EXPECT_EQ(reply.kind, lie.kind) << lie.what;
    EXPECT_EQ(reply.count, 0U) << lie.what;
  }
}

TEST(DnsMessage, NeverReadsOutsideAMessage) {
  Message message = net::dns::to(sent(question()));
  message.answers = {record(asked, 5, 9, labels("b.example")),
                     record(labels("b.example"), 1, 9, ipv4_data)};
  message.authority = {net::dns::soa_of("example.org", 1, 2)};
  const std::string whole = message.text();
  ASSERT_EQ(parse(whole, question()).kind, Kind::addresses);
  const std::size_t answers_end = whole.size() - message.authority[0].size();
  for (std::size_t size = 0; size < answers_end; ++size) {
    EXPECT_EQ(parse(whole.substr(0, size), question()).count, 0U) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xc0U, 0xffU}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      static_cast<void>(parse(changed, question()));
    }
  }
}

TEST(DnsMessage, LifetimesWithTheHighestBitAreNone) {
  const Reply reply =
      reply_to([](Message& m) { m.answers = {record(asked, 1, 0x80000001, ipv4_data)}; });
  EXPECT_EQ(reply.kind, Kind::addresses);
  EXPECT_EQ(reply.lifetime_s, 0U);
}

}  // namespace
