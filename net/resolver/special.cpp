// SPDX-License-Identifier: ISC
#include "net/resolver/special.hpp"

#include <algorithm>

#include "net/ip_version.hpp"

namespace net::resolver {

namespace {

Answer just(const Endpoint& address) {
  Found found;
  found.addresses[0] = address;
  found.count = 1;
  return found;
}

// Whether `name` is `zone`, which is in small letters, or below it.
bool is_within(std::string_view name, std::string_view zone) {
  if (name.size() < zone.size()) return false;
  const std::string_view end = name.substr(name.size() - zone.size());
  const bool is_equal = std::ranges::equal(end, zone, [](char one, char other) {
    return (one >= 'A' && one <= 'Z' ? static_cast<char>(one + 32) : one) == other;
  });
  return is_equal && (end.size() == name.size() || name[name.size() - zone.size() - 1] == '.');
}

// A last label of digits only: what others may read as an address, and no name has (RFC 1123
// section 2.1).
bool ends_in_number(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Answer> known_without_asking(std::string_view name, Type type) noexcept {
  if (const std::optional<Endpoint> address = address_of(name)) {
    if (is_ipv4(*address) == (type == Type::a)) return just(*address);
    return base::failure(Error::no_address);
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  if (is_within(name, "localhost")) {
    if (!Name::from_text(name)) return base::failure(Error::malformed_name);
    Endpoint loopback;
    loopback.address[15] = 1;
    return just(type == Type::a ? ipv4(127, 0, 0, 1, 0) : loopback);
  }
  if (is_within(name, "invalid") || is_within(name, "onion")) {
    return base::failure(Error::no_such_name);
  }
  if (ends_in_number(name)) return base::failure(Error::malformed_name);
  return std::nullopt;
}

std::string_view text_of(Error error) noexcept {
  switch (error) {
    case Error::malformed_name:
      return "is not a name";
    case Error::no_such_name:
      return "does not exist";
    case Error::no_address:
      return "has no address";
    case Error::no_servers:
      return "cannot be looked up: no DNS server is known (--dns names one)";
    case Error::failed:
      return "could not be looked up: the DNS servers fail";
    case Error::timed_out:
      return "could not be looked up: no DNS server answers";
    case Error::no_memory:
      return "could not be looked up: there is no memory";
  }
  return {};
}

}  // namespace net::resolver
