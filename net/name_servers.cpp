// SPDX-License-Identifier: ISC
#include "net/name_servers.hpp"

#include <algorithm>
#include <charconv>

#include "net/ip_version.hpp"

namespace net {

namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) return std::nullopt;
  return port;
}

}  // namespace

void NameServers::List::add(const Endpoint& server) noexcept {
  if (count_ == servers_.size() || std::ranges::find(all(), server) != all().end()) return;
  servers_.at(count_++) = server;
}

void NameServers::put(Some& some, std::span<const Endpoint> servers) noexcept {
  some.count = std::min(servers.size(), servers_max);
  std::ranges::copy(servers.first(some.count), some.servers.begin());
}

void NameServers::hear_router(const Endpoint& server, base::Instant until,
                              base::Instant now) noexcept {
  auto place = std::ranges::find(advertised_, server, &Advertised::server);
  if (place != advertised_.end()) place->until = until;
  // Those whose time is over leave their places, and the others keep their order.
  std::ranges::stable_partition(advertised_,
                                [now](const Advertised& each) { return now < each.until; });
  for (Advertised& each : advertised_) {
    if (each.until <= now) each = {};
  }
  if (place != advertised_.end() || until <= now) return;
  place = std::ranges::find_if(advertised_,
                               [now](const Advertised& each) { return each.until <= now; });
  if (place == advertised_.end()) {
    place = std::ranges::min_element(advertised_, {}, &Advertised::until);
    if (until <= place->until) return;
  }
  *place = {server, until};
}

NameServers::List NameServers::list(base::Instant now) const noexcept {
  List list;
  for (const Endpoint& server : configured_.all()) list.add(server);
  if (configured_.count > 0) return list;
  for (const Advertised& each : advertised_) {
    if (now < each.until) list.add(each.server);
  }
  for (const Endpoint& server : from_dhcp_.all()) list.add(server);
  return list;
}

bool can_be_name_server(const Endpoint& endpoint) noexcept {
  const auto& bytes = endpoint.address;
  if (is_ipv4(endpoint)) return bytes[12] != 0 && bytes[12] != 127 && bytes[12] < 224;
  const bool is_low =
      std::all_of(bytes.begin(), bytes.end() - 1, [](auto each) { return each == 0; });
  return bytes[0] != 0xff && !(is_low && bytes[15] <= 1);
}

std::optional<Endpoint> name_server_of(std::string_view text) noexcept {
  std::string_view address = text;
  std::uint16_t port = NameServers::dns_port;
  const std::size_t colon = text.rfind(':');
  const bool is_bracketed = text.starts_with('[');
  const bool has_port = is_bracketed ? !text.ends_with(']')
                                     : colon != std::string_view::npos && text.find(':') == colon;
  if (has_port) {
    if (colon == std::string_view::npos) return std::nullopt;
    const auto written = port_of(text.substr(colon + 1));
    if (!written) return std::nullopt;
    port = *written;
    address = text.substr(0, colon);
  }
  if (is_bracketed) {
    if (address.size() < 3 || !address.ends_with(']') ||
        address.find(':') == std::string_view::npos) {
      return std::nullopt;
    }
    address = address.substr(1, address.size() - 2);
  }
  std::optional<Endpoint> endpoint = address_of(address);
  if (endpoint) endpoint->port = port;
  return endpoint;
}

NameServers::List name_servers_of_file(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t\r";
  constexpr std::string_view keyword = "nameserver";
  NameServers::List list;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    const std::size_t start = line.find_first_not_of(blanks);
    if (start == 0 || start == std::string_view::npos) continue;
    line.remove_prefix(start);
    line = line.substr(0, line.find_first_of(blanks));
    std::optional<Endpoint> server = address_of(line);
    if (!server || list.all().size() == NameServers::servers_max) continue;
    server->port = NameServers::dns_port;
    list.add(*server);
  }
  return list;
}

}  // namespace net
