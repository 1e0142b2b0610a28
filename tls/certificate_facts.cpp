// SPDX-License-Identifier: ISC
#include "tls/certificate_facts.hpp"

#include <mbedtls/x509_crt.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/bytes.hpp"
#include "base/calendar.hpp"

namespace tls {
namespace {

std::string address_text(base::Bytes bytes) {
  std::string text;
  std::array<char, 8> part;
  const bool v4 = bytes.size() == 4;
  for (std::size_t i = 0; i < bytes.size(); i += v4 ? 1 : 2) {
    const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
    if (v4) {
      std::snprintf(part.data(), part.size(), "%u", byte(i));
    } else {
      std::snprintf(part.data(), part.size(), "%x", byte(i) << 8 | byte(i + 1));
    }
    if (i != 0) text += v4 ? '.' : ':';
    text += part.data();
  }
  return text;
}

bool same_text(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string name_text(const mbedtls_x509_name& name) {
  std::array<char, 1024> text;
  if (mbedtls_x509_dn_gets(text.data(), text.size(), &name) < 0) return "a name that is too long";
  return text[0] == '\0' ? "a name without content" : printable(text.data());
}

// Calls visit(kind, bytes) for each subject alternative name, until it answers true.
template <class Visit>
bool any_name(const mbedtls_x509_crt& certificate, Visit visit) {
  for (const auto* at = &certificate.subject_alt_names; at != nullptr; at = at->next) {
    if (at->buf.p == nullptr) continue;
    const base::Bytes bytes{reinterpret_cast<const std::byte*>(at->buf.p), at->buf.len};
    if (visit(at->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK, bytes)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> names_of(const mbedtls_x509_crt& certificate) {
  std::vector<std::string> names;
  any_name(certificate, [&names](int kind, base::Bytes bytes) {
    if (kind == MBEDTLS_X509_SAN_DNS_NAME) names.emplace_back(base::text_of(bytes));
    if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && (bytes.size() == 4 || bytes.size() == 16)) {
      names.push_back(address_text(bytes));
    }
    return false;
  });
  return names;
}

bool has_address(const mbedtls_x509_crt& certificate, const net::Endpoint& address) {
  const base::Bytes wide = std::as_bytes(std::span(address.address));
  const net::Endpoint mapped = net::ipv4(0, 0, 0, 0, 0);
  const bool is_v4 =
      std::equal(mapped.address.begin(), mapped.address.begin() + 12, address.address.begin());
  const base::Bytes wanted = is_v4 ? wide.last(4) : wide;
  return any_name(certificate, [wanted](int kind, base::Bytes bytes) {
    return kind == MBEDTLS_X509_SAN_IP_ADDRESS && std::ranges::equal(bytes, wanted);
  });
}

bool is_named(const std::vector<std::string>& names, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  for (const std::string& name : names) {
    if (same_text(name, host)) return true;
    if (!name.starts_with("*.")) continue;
    const std::size_t dot = host.find('.');
    if (dot != 0 && dot != std::string_view::npos &&
        same_text(std::string_view(name).substr(1), host.substr(dot))) {
      return true;
    }
  }
  return false;
}

std::string printable(std::string_view text) {
  constexpr std::size_t chars_max = 100;
  std::string out(text.substr(0, chars_max));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > chars_max ? out + "..." : out;
}

std::string subject_text(const mbedtls_x509_crt& certificate) {
  return name_text(certificate.subject);
}

std::string issuer_text(const mbedtls_x509_crt& certificate) {
  return name_text(certificate.issuer);
}

// mbedTLS has refused certificates with a day that no month has.
std::int64_t seconds_of(const mbedtls_x509_time& time) {
  const auto part = [](int number) { return static_cast<std::uint32_t>(number); };
  return base::seconds_of({time.year, part(time.mon), part(time.day), part(time.hour),
                           part(time.min), part(time.sec)})
      .value_or(0);
}

}  // namespace tls
