// SPDX-License-Identifier: ISC
#include "net/lwip/addresses.hpp"

#include <charconv>
#include <vector>

#include "net/endpoint.hpp"

namespace net::lwip {

namespace {

using Failure = base::Failure<std::string>;

// The whole of `text` as a number up to `most`.
std::optional<unsigned> number(std::string_view text, unsigned most, int base = 10) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return {};
  return value;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

struct WithPrefix {
  std::string_view address;
  std::optional<unsigned> bits;
};

WithPrefix split_prefix(std::string_view text, unsigned most) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), number(text.substr(slash + 1), most)};
}

std::string quoted(std::string_view key, std::string_view value) {
  return "--" + std::string(key) + " cannot be '" + std::string(value) + "': ";
}

std::uint32_t word(const Ipv4Address& a) {
  return std::uint32_t{a[0]} << 24U | std::uint32_t{a[1]} << 16U | std::uint32_t{a[2]} << 8U | a[3];
}

std::uint32_t mask_of(unsigned bits) { return bits == 0 ? 0 : 0xffff'ffffU << (32U - bits); }

std::string text_of(std::uint32_t word) {
  std::string text;
  for (unsigned shift : {24U, 16U, 8U, 0U}) {
    if (!text.empty()) text += '.';
    text += std::to_string(word >> shift & 0xffU);
  }
  return text;
}

// Why a host cannot have this address; empty if it can.
std::string unfit(std::uint32_t address, unsigned bits) {
  const std::uint32_t mask = mask_of(bits);
  const std::uint32_t first = address >> 24U;
  if (first == 0 || first == 127) return "that is not the address of a host on a network";
  if (first >= 224) return "that is a multicast or reserved address";
  if (bits > 30) return {};  // point to point (RFC 3021), or alone
  if ((address & ~mask) == 0)
    return "that is the network itself; a host has another of its numbers";
  if ((address & ~mask) == ~mask) return "that is the network's broadcast address";
  return {};
}

base::Result<void, std::string> read_ipv4(const AddressTexts& texts, Options& options) {
  if (texts.ipv4.empty()) {
    if (texts.ipv4_gateway.empty()) return {};
    return Failure(
        "--ipv4-gateway belongs to --ipv4, which is not given; a DHCP server names its "
        "own gateway");
  }
  if (texts.dhcp) return Failure("--ipv4 and --dhcp exclude each other: give one of them");
  const std::string example = "it takes an address and the bits of its network, as 192.0.2.2/24";
  const WithPrefix parts = split_prefix(texts.ipv4, 32);
  const auto address = parse_ipv4(parts.address);
  if (!address || !parts.bits || *parts.bits == 0) {
    return Failure(quoted("ipv4", texts.ipv4) + example);
  }
  const std::string why = unfit(word(*address), *parts.bits);
  if (!why.empty()) return Failure(quoted("ipv4", texts.ipv4) + why);
  options.ipv4 = Ipv4{*address, *parts.bits, {}};
  options.dhcp = false;
  if (texts.ipv4_gateway.empty()) return {};
  const auto gateway = parse_ipv4(texts.ipv4_gateway);
  if (!gateway) {
    return Failure(quoted("ipv4-gateway", texts.ipv4_gateway) +
                   "it takes an address, as 192.0.2.1");
  }
  const std::uint32_t mask = mask_of(*parts.bits);
  const std::uint32_t network = word(*address) & mask;
  if ((word(*gateway) & mask) != network) {
    return Failure(quoted("ipv4-gateway", texts.ipv4_gateway) + "it is outside the network " +
                   text_of(network) + "/" + std::to_string(*parts.bits) + " that --ipv4 names");
  }
  if (*gateway == *address) {
    return Failure(quoted("ipv4-gateway", texts.ipv4_gateway) + "that is this host's own address");
  }
  options.ipv4->gateway = *gateway;
  return {};
}

bool is_host(const Ipv6Address& a) {
  const bool is_zero = a == Ipv6Address{};
  Ipv6Address loopback{};
  loopback[15] = 1;
  return !is_zero && a != loopback && a[0] != 0xff;
}

base::Result<void, std::string> read_ipv6(const AddressTexts& texts, Options& options) {
  options.ipv6_mode = texts.ipv6 == "off"                          ? Ipv6Mode::off
                      : texts.ipv6.empty() || texts.ipv6 == "auto" ? Ipv6Mode::automatic
                                                                   : Ipv6Mode::fixed;
  if (options.ipv6_mode == Ipv6Mode::fixed) {
    const WithPrefix parts = split_prefix(texts.ipv6, 128);
    const auto address = parse_ipv6(parts.address);
    if (!address || !parts.bits) {
      return Failure(quoted("ipv6", texts.ipv6) +
                     "it takes auto, off, or an address with its network, as 2001:db8::2/64");
    }
    if (*parts.bits != 64) {
      return Failure(quoted("ipv6", texts.ipv6) + "this stack knows only networks of 64 bits");
    }
    if (!is_host(*address)) {
      return Failure(quoted("ipv6", texts.ipv6) + "that is not the address of a host on a network");
    }
    options.ipv6.address = *address;
  }
  if (texts.ipv6_gateway.empty()) return {};
  if (options.ipv6_mode != Ipv6Mode::fixed) {
    return Failure(
        "--ipv6-gateway belongs to a fixed --ipv6 address; with 'auto' routers say who "
        "they are");
  }
  const auto gateway = parse_ipv6(texts.ipv6_gateway);
  if (!gateway || !is_host(*gateway)) {
    return Failure(quoted("ipv6-gateway", texts.ipv6_gateway) + "it takes an address, as fe80::1");
  }
  const bool is_link_local = (*gateway)[0] == 0xfe && ((*gateway)[1] & 0xc0U) == 0x80;
  const bool is_near =
      std::equal(gateway->begin(), gateway->begin() + 8, options.ipv6.address.begin());
  if (!is_link_local && !is_near) {
    return Failure(quoted("ipv6-gateway", texts.ipv6_gateway) +
                   "it is neither link-local (fe80::...) nor in the network that --ipv6 names");
  }
  if (*gateway == options.ipv6.address) {
    return Failure(quoted("ipv6-gateway", texts.ipv6_gateway) + "that is this host's own address");
  }
  options.ipv6.gateway = *gateway;
  return {};
}

// Keys that a sentence names, as those of their group.
std::string in_group(std::string sentence, std::string_view group) {
  if (group.empty()) return sentence;
  const std::string prefix = std::string(group) + "-";
  for (std::size_t at = sentence.find("--"); at != std::string::npos;
       at = sentence.find("--", at + 2 + prefix.size())) {
    sentence.insert(at + 2, prefix);
  }
  return sentence;
}

// The groups of one side of "::", appended as bytes. False: they are none.
bool read_groups(std::string_view text, bool may_end_in_ipv4, std::vector<std::uint8_t>& out) {
  if (text.empty()) return true;
  const std::vector<std::string_view> groups = split(text, ':');
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (may_end_in_ipv4 && i + 1 == groups.size() &&
        groups[i].find('.') != std::string_view::npos) {
      const auto last = parse_ipv4(groups[i]);
      if (!last) return false;
      out.insert(out.end(), last->begin(), last->end());
      return true;
    }
    const auto value = groups[i].size() <= 4 ? number(groups[i], 0xffff, 16) : std::nullopt;
    if (!value) return false;
    out.push_back(static_cast<std::uint8_t>(*value >> 8U));
    out.push_back(static_cast<std::uint8_t>(*value & 0xffU));
  }
  return true;
}

}  // namespace

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  Ipv4Address address{};
  if (parts.size() != address.size()) return {};
  for (std::size_t i = 0; i < address.size(); ++i) {
    // "010" is eight to some and ten to others.
    if (parts[i].size() > 1 && parts[i][0] == '0') return {};
    const auto value = number(parts[i], 255);
    if (!value) return {};
    address[i] = static_cast<std::uint8_t>(*value);
  }
  return address;
}

std::optional<Ipv6Address> parse_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  std::vector<std::uint8_t> front;
  std::vector<std::uint8_t> back;
  if (!read_groups(text.substr(0, gap), !has_gap, front)) return {};
  if (has_gap && !read_groups(text.substr(gap + 2), true, back)) return {};
  Ipv6Address address{};
  const std::size_t count = front.size() + back.size();
  if (has_gap ? count > address.size() - 2 : count != address.size()) return {};
  std::copy(front.begin(), front.end(), address.begin());
  std::copy_backward(back.begin(), back.end(), address.end());
  return address;
}

base::Result<Options, std::string> options_of(const AddressTexts& texts) {
  Options options;
  options.group = texts.group;
  for (const auto read : {read_ipv4, read_ipv6}) {
    auto answer = read(texts, options);
    if (!answer) return Failure(in_group(std::move(answer.error()), texts.group));
  }
  return options;
}

}  // namespace net::lwip
