// SPDX-License-Identifier: ISC
// tests/net/fuzz/dns_fuzz.cpp: any bytes as the answer of a DNS server, as a name, as a
// resolv.conf.
//
// Held:  nothing is read outside the message; addresses are of the family that was asked for, and
//        no more than are kept; a lookup ends, whatever servers say; a name that is read from text
//        is read the same from a message.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "net/ip_version.hpp"
#include "net/name_servers.hpp"
#include "net/resolver/lookup.hpp"
#include "net/resolver/message.hpp"
#include "net/resolver/special.hpp"

namespace {

using net::resolver::Lookup;
using net::resolver::Name;
using net::resolver::Type;

// Ids that the input cannot know would end every path; here each is zero.
class Zeros final : public base::Entropy {
 public:
  void fill(base::MutableBytes out) noexcept override { std::ranges::fill(out, std::byte{0}); }
};

// `message` as the answer to each question of a lookup, with the question put in its place.
void look_up(base::Bytes message, Type type) {
  Zeros zeros;
  net::NameServers::List servers;
  servers.add(net::ipv4(10, 0, 0, 1, 53));
  servers.add(net::ipv4(10, 0, 0, 2, 53));
  Lookup lookup(zeros, *Name::from_text("a.example"), type, servers);
  for (int i = 0; lookup.next() != Lookup::Next::done; ++i) {
    CHECK(i < 500);
    const base::Bytes question = lookup.question();
    std::vector<std::byte> answer(question.begin(), question.end());
    const std::size_t head = std::min<std::size_t>(message.size(), 10);
    std::copy_n(message.begin(), head, answer.begin() + 2);  // flags and counts
    if (head >= 4) answer[4] = std::byte{0}, answer[5] = std::byte{1};
    answer.insert(answer.end(), message.begin() + static_cast<std::ptrdiff_t>(head), message.end());
    const std::vector<std::byte> exact(answer);  // a read past its end is seen
    static_cast<void>(lookup.heard(exact));
  }
  if (!lookup.answer()) return;
  CHECK(lookup.answer()->count > 0 && lookup.answer()->count <= net::resolver::addresses_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const base::Bytes bytes = base::bytes_of(input);
  look_up(bytes, Type::a);
  look_up(bytes, Type::aaaa);
  std::size_t at = 0;
  if (Name::read(bytes, at)) CHECK(at <= size);
  const auto name = Name::from_text(input);
  if (name) {
    at = 0;
    CHECK(Name::read(name->bytes(), at) == name && at == name->bytes().size());
  }
  static_cast<void>(net::resolver::known_without_asking(input, Type::a));
  CHECK(net::name_servers_of_file(input).all().size() <= net::NameServers::servers_max);
  static_cast<void>(net::name_server_of(input));
  return 0;
}
