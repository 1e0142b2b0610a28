// SPDX-License-Identifier: ISC
#include "http/proxies.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "http/syntax.hpp"

namespace http {
namespace {

using std::string_view;

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// `b` is in small letters.
bool is_same(string_view a, string_view b) { return std::ranges::equal(a, b, {}, small); }

// The members of a list over all lines of a field, of which the last ones are kept.
class Members {
 public:
  // Commas and semicolons in quotes separate nothing.
  void add(string_view line) noexcept {
    for (string_view member; next(line, ',', member);) {
      if (member.empty()) continue;
      if (count_ == members_.size()) {
        std::shift_left(members_.begin(), members_.end(), 1);
        --count_;
      }
      members_[count_++] = member;
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  // From the right.
  [[nodiscard]] string_view from_end(std::size_t i) const noexcept {
    return members_[count_ - 1 - i];
  }

  // Cuts the text up to `separator` off `rest`. False: there is nothing.
  static bool next(string_view& rest, char separator, string_view& part) noexcept {
    if (rest.empty()) return false;
    bool is_quoted = false;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
      const char c = rest[end];
      if (is_quoted && c == '\\') {
        ++end;
      } else if (c == '"') {
        is_quoted = !is_quoted;
      } else if (!is_quoted && c == separator) {
        break;
      }
    }
    end = std::min(end, rest.size());
    part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    return true;
  }

 private:
  static constexpr std::size_t members_max = 32;
  std::array<string_view, members_max> members_;
  std::size_t count_ = 0;
};

// All lines of the field `name`, which is in small letters. They are looked for: such fields are
// rare.
Members members_of(const Request& request, string_view name) noexcept {
  Members members;
  for (string_view rest = request.head; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        is_same(line.substr(0, name.size()), name)) {
      members.add(trimmed(line.substr(name.size() + 1)));
    }
  }
  return members;
}

string_view unquoted(string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80".
std::optional<net::Endpoint> address_of(string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == string_view::npos) return std::nullopt;
    const string_view behind = text.substr(end + 1);
    if (!behind.empty() && behind.front() != ':') return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  return net::address_of(text);
}

// The value of `name` in one member of Forwarded.
string_view parameter(string_view member, string_view name) noexcept {
  for (string_view pair; Members::next(member, ';', pair);) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!is_same(trimmed(pair.substr(0, equals)), name)) continue;
    return unquoted(trimmed(pair.substr(std::min(pair.size(), equals + 1))));
  }
  return {};
}

Visitor::Scheme scheme_of(string_view text) {
  if (is_same(text, "https")) return Visitor::Scheme::https;
  return is_same(text, "http") ? Visitor::Scheme::http : Visitor::Scheme::unknown;
}

}  // namespace

bool TrustedProxies::contains(const net::Endpoint& peer) const noexcept {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    for (unsigned bit = 0; bit < network.bits; bit += 8) {
      const unsigned count = std::min(8U, network.bits - bit);
      const auto mask = static_cast<std::uint8_t>(0xFF00U >> count);
      if (((peer.address[bit / 8] ^ network.address.address[bit / 8]) & mask) != 0) return false;
    }
    return true;
  });
}

Visitor visitor_of(const Request& request, const net::Endpoint& peer,
                   const TrustedProxies& trusted) noexcept {
  Visitor visitor{peer, Visitor::Scheme::unknown};
  if (!trusted.contains(peer)) return visitor;
  const Members forwarded = members_of(request, "forwarded");
  const bool is_standard = forwarded.size() > 0;
  const Members addresses = is_standard ? forwarded : members_of(request, "x-forwarded-for");
  std::size_t hop = 0;  // of the proxy that saw the visitor, from the right
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const string_view member = addresses.from_end(i);
    const auto address = address_of(is_standard ? parameter(member, "for") : unquoted(member));
    hop = i;
    if (!address) break;
    visitor.address = *address;
    if (!trusted.contains(*address)) break;
  }
  if (is_standard) visitor.scheme = scheme_of(parameter(forwarded.from_end(hop), "proto"));
  const Members schemes = members_of(request, "x-forwarded-proto");
  if (visitor.scheme == Visitor::Scheme::unknown && schemes.size() > 0) {
    // Most proxies write one, some one for each hop.
    visitor.scheme = scheme_of(schemes.from_end(std::min(hop, schemes.size() - 1)));
  }
  return visitor;
}

}  // namespace http
