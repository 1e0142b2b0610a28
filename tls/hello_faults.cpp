// SPDX-License-Identifier: ISC
#include "tls/hello_faults.hpp"

#include <algorithm>
#include <array>
#include <bitset>

namespace tls {

base::Bytes HelloReader::take(std::size_t size) {
  if (bad_ || left_.size() < size) {
    bad_ = true;
    return {};
  }
  const base::Bytes taken = left_.first(size);
  left_ = left_.subspan(size);
  return taken;
}

std::size_t HelloReader::number(int size_bytes) {
  std::size_t value = 0;
  for (const std::byte byte : take(static_cast<std::size_t>(size_bytes))) {
    value = value << 8 | std::to_integer<std::size_t>(byte);
  }
  return value;
}

std::optional<base::Bytes> Hello::find(std::size_t type) const {
  for (HelloReader reader(extensions); !reader.at_end();) {
    const std::size_t its_type = reader.number(2);
    const base::Bytes content = reader.list(2);
    if (its_type == type && !reader.is_bad()) return content;
  }
  return {};
}

namespace {

constexpr std::size_t version_1_3 = 0x0304;

bool has_number(base::Bytes list, std::size_t wanted) {
  for (HelloReader reader(list); !reader.at_end();) {
    if (reader.number(2) == wanted) return true;
  }
  return false;
}

}  // namespace

bool Hello::wants_1_3() const {
  const auto versions = find(extension::supported_versions);
  if (!versions) return false;
  HelloReader reader(*versions);
  return has_number(reader.list(1), version_1_3);
}

std::string_view Hello::host() const {
  const auto content = find(extension::server_name);
  if (!content) return {};
  HelloReader reader(*content);
  for (HelloReader list(reader.list(2)); !list.at_end();) {
    const std::size_t type = list.number(1);
    const base::Bytes name = list.list(2);
    if (type == 0) return base::text_of(name);
  }
  return {};
}

std::optional<base::Bytes> Hello::share_of(std::size_t group) const {
  const auto content = find(extension::key_share);
  if (!content || !wants_1_3()) return {};
  HelloReader reader(*content);
  for (HelloReader list(reader.list(2)); !list.at_end();) {
    const std::size_t its_group = list.number(2);
    const base::Bytes share = list.list(2);
    if (its_group == group) return share;
  }
  return {};
}

base::Result<Hello, Alert> read_hello(base::Bytes message) {
  constexpr std::size_t session_id_max = 32;
  HelloReader reader(message);
  Hello hello;
  reader.take(1);
  HelloReader body(reader.list(3));
  hello.version = body.number(2);
  hello.random = body.take(32);
  hello.session_id = body.list(1);
  hello.suites = body.list(2);
  hello.compressions = body.list(1);
  const bool has_extensions = !body.at_end();
  if (has_extensions) hello.extensions = body.list(2);
  const bool is_right = reader.ended_well() && body.ended_well() &&
                        hello.session_id.size() <= session_id_max && hello.suites.size() % 2 == 0 &&
                        !hello.compressions.empty();
  if (!is_right) return base::failure(Alert::decode_error);
  const auto& methods = hello.compressions;
  if (std::find(methods.begin(), methods.end(), std::byte{}) == methods.end()) {
    return base::failure(Alert::illegal_parameter);
  }
  HelloReader all(hello.extensions);
  while (!all.at_end()) {
    all.take(2);
    all.list(2);
  }
  if (all.is_bad()) return base::failure(Alert::decode_error);
  return hello;
}

bool is_of_low_order(base::Bytes share) {
  // Little-endian: 0, 1, two points of order 8, then p - 1, p and p + 1; the top bit is ignored.
  struct Start {
    std::array<std::uint8_t, 32> u;
  };
  static constexpr std::array<Start, 2> of_order_8{{
      {{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
        0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
        0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}},
      {{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
        0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
        0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}},
  }};
  if (share.size() != 32) return false;
  std::array<std::uint8_t, 32> u;
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = std::to_integer<std::uint8_t>(share[i]);
  u[31] &= 0x7f;
  for (const Start& point : of_order_8) {
    if (u == point.u) return true;
  }
  const auto middle_is = [&](std::uint8_t value) {
    return std::all_of(u.begin() + 1, u.end() - 1, [&](auto byte) { return byte == value; });
  };
  if (u[31] == 0 && middle_is(0)) return u[0] <= 1;
  return u[31] == 0x7f && middle_is(0xff) && u[0] >= 0xec && u[0] <= 0xee;
}

namespace {

using Fault = std::optional<Alert>;

Fault fault_unless(bool is_right, Alert alert = Alert::decode_error) {
  return is_right ? Fault() : Fault(alert);
}

// A list of numbers, at least one, and nothing behind it.
Fault fault_of_numbers(base::Bytes content, int length_bytes, std::size_t number_bytes) {
  HelloReader reader(content);
  const base::Bytes list = reader.list(length_bytes);
  return fault_unless(reader.ended_well() && !list.empty() && list.size() % number_bytes == 0);
}

// RFC 6066 section 3: at most one name of a type; a host's is of visible ASCII characters.
Fault fault_of_names(base::Bytes content) {
  HelloReader reader(content);
  HelloReader list(reader.list(2));
  if (!reader.ended_well() || list.at_end()) return Alert::decode_error;
  int hosts = 0;
  bool is_visible = true;
  while (!list.at_end()) {
    const std::size_t type = list.number(1);
    const base::Bytes name = list.list(2);
    if (list.is_bad() || name.empty()) return Alert::decode_error;
    if (type != 0) continue;
    ++hosts;
    for (const std::byte c : name)
      is_visible = is_visible && c > std::byte{' '} && c < std::byte{127};
  }
  return fault_unless(hosts <= 1 && is_visible, Alert::illegal_parameter);
}

Fault fault_of_protocols(base::Bytes content) {
  HelloReader reader(content);
  HelloReader list(reader.list(2));
  if (!reader.ended_well() || list.at_end()) return Alert::decode_error;
  while (!list.at_end()) {
    if (list.list(1).empty()) return Alert::decode_error;
  }
  return fault_unless(!list.is_bad());
}

// RFC 8422 section 5.1.2; TLS 1.3 has no other format.
Fault fault_of_point_formats(const Hello& hello, base::Bytes content) {
  if (const Fault fault = fault_of_numbers(content, 1, 1)) return fault;
  const base::Bytes formats = content.subspan(1);
  const bool has_uncompressed =
      std::find(formats.begin(), formats.end(), std::byte{}) != formats.end();
  return fault_unless(has_uncompressed || hello.wants_1_3(), Alert::illegal_parameter);
}

// RFC 5746 section 3.6: a first handshake says nothing there.
Fault fault_of_renegotiation(base::Bytes content) {
  HelloReader reader(content);
  const base::Bytes said = reader.list(1);
  if (!reader.ended_well()) return Alert::decode_error;
  return fault_unless(said.empty(), Alert::handshake_failure);
}

// RFC 8446 section 4.2.8.2; RFC 7748 section 6.1.
bool is_share_of(std::size_t its_group, base::Bytes share) {
  switch (its_group) {
    case group::p256:
      return share.size() == 65 && share[0] == std::byte{4};
    case group::p384:
      return share.size() == 97 && share[0] == std::byte{4};
    case group::p521:
      return share.size() == 133 && share[0] == std::byte{4};
    case group::x25519:
      return share.size() == 32 && !is_of_low_order(share);
    case group::x448:
      return share.size() == 56;
    default:
      return true;
  }
}

// RFC 8446 section 4.2.8: each group at most once, and only of supported_groups. A hello may have
// thousands of both.
Fault fault_of_shares(const Hello& hello, base::Bytes content) {
  HelloReader reader(content);
  HelloReader list(reader.list(2));
  if (!reader.ended_well()) return Alert::decode_error;
  std::bitset<65536> expected;
  if (const auto groups = hello.find(extension::supported_groups)) {
    HelloReader its_groups(*groups);
    for (HelloReader each(its_groups.list(2)); !each.at_end();) expected.set(each.number(2));
  } else {
    expected.set();  // mbedTLS tells that the extension is missing
  }
  while (!list.at_end()) {
    const std::size_t group = list.number(2);
    const base::Bytes share = list.list(2);
    if (list.is_bad()) return Alert::decode_error;
    if (!expected.test(group) || !is_share_of(group, share)) return Alert::illegal_parameter;
    expected.reset(group);
  }
  return fault_unless(!list.is_bad());
}

Fault fault_of_extension(const Hello& hello, std::size_t type, base::Bytes content) {
  switch (type) {
    case extension::server_name:
      return fault_of_names(content);
    case extension::supported_groups:
    case extension::signature_algorithms:
    case extension::signature_algorithms_cert:
      return fault_of_numbers(content, 2, 2);
    case extension::point_formats:
      return fault_of_point_formats(hello, content);
    case extension::protocols:
      return fault_of_protocols(content);
    case extension::encrypt_then_mac:
    case extension::extended_master_secret:
    case extension::early_data:
      return fault_unless(content.empty());
    case extension::supported_versions:
      return fault_of_numbers(content, 1, 2);
    case extension::psk_modes:
      return fault_of_numbers(content, 1, 1);
    case extension::key_share:
      return hello.wants_1_3() ? fault_of_shares(hello, content) : Fault();
    case extension::renegotiation_info:
      return fault_of_renegotiation(content);
    default:
      return {};
  }
}

}  // namespace

std::optional<Alert> fault_of(const Hello& hello) {
  std::uint64_t seen = 0;  // of the types below 63, among which are all that mean something here
  for (HelloReader reader(hello.extensions); !reader.at_end();) {
    const std::size_t type = reader.number(2);
    const base::Bytes content = reader.list(2);
    const bool is_known = type < 63 || type == extension::renegotiation_info;
    const std::uint64_t bit = std::uint64_t{1} << std::min<std::size_t>(type, 63);
    if (is_known && (seen & bit) != 0) return Alert::illegal_parameter;
    seen |= is_known ? bit : 0;
    // RFC 8446 section 4.2.11: it is the last one.
    if (type == extension::pre_shared_key && !reader.at_end()) return Alert::illegal_parameter;
    if (const Fault fault = fault_of_extension(hello, type, content)) return fault;
  }
  return {};
}

}  // namespace tls
