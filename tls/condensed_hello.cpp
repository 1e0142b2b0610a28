// SPDX-License-Identifier: ISC
#include "tls/condensed_hello.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "tls/client_hello.hpp"

namespace tls {
namespace {

constexpr std::size_t version_1_2 = 0x0303;
constexpr std::size_t version_1_3 = 0x0304;

// Longer ones cannot be ours: a certificate's names have at most 253 characters.
constexpr std::size_t name_bytes_max = 255;

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}
  void bytes(base::Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void number(std::size_t value, int size_bytes) {
    for (int i = size_bytes - 1; i >= 0; --i) {
      out_.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
    }
  }
  void list(base::Bytes content, int size_bytes) {
    number(content.size(), size_bytes);
    bytes(content);
  }
  // What `write` writes, behind its length.
  template <class Write>
  void nested(int size_bytes, Write write) {
    const std::size_t at = out_.size();
    number(0, size_bytes);
    write();
    const std::size_t size = out_.size() - at - static_cast<std::size_t>(size_bytes);
    for (int i = 0; i < size_bytes; ++i) {
      out_[at + static_cast<std::size_t>(i)] =
          static_cast<std::byte>(size >> 8 * (size_bytes - 1 - i) & 0xff);
    }
  }

 private:
  std::vector<std::byte>& out_;
};

// Of the client's numbers those that are known, each once; if there are none, its first one, so
// that mbedTLS finds nothing in common.
template <std::size_t count>
void write_known(Writer& out, base::Bytes numbers, const std::array<std::size_t, count>& known) {
  std::array<bool, count> is_written{};
  bool is_empty = true;
  for (HelloReader reader(numbers); !reader.at_end();) {
    const std::size_t number = reader.number(2);
    const auto found = std::find(known.begin(), known.end(), number);
    if (found == known.end()) continue;
    bool& done = is_written[static_cast<std::size_t>(found - known.begin())];
    if (!done) out.number(number, 2);
    done = true;
    is_empty = false;
  }
  if (is_empty) out.bytes(numbers.first(std::min<std::size_t>(numbers.size(), 2)));
}

base::Bytes list_in(base::Bytes content, int length_bytes) {
  HelloReader reader(content);
  return reader.list(length_bytes);
}

void write_suites(Writer& out, base::Bytes suites, int resumed) {
  using namespace suite;
  constexpr std::size_t secure_renegotiation = 0x00ff;  // RFC 5746 section 3.3
  constexpr std::size_t fallback = 0x5600;              // RFC 7507
  if (resumed != 0) {                                   // RFC 5246 section 7.4.1.3: the session's
    const std::array<std::size_t, 3> known{static_cast<std::size_t>(resumed), secure_renegotiation,
                                           fallback};
    return out.nested(2, [&] { write_known(out, suites, known); });
  }
  constexpr std::array<std::size_t, 11> known{
      aes_128_1_3, aes_256_1_3,    chacha20_1_3, aes_128_ecdsa,        aes_128_rsa, aes_256_ecdsa,
      aes_256_rsa, chacha20_ecdsa, chacha20_rsa, secure_renegotiation, fallback};
  out.nested(2, [&] { write_known(out, suites, known); });
}

void write_protocols(Writer& out, base::Bytes content) {
  constexpr std::array<std::string_view, 3> known{"h2", "http/1.1", "acme-tls/1"};
  const base::Bytes protocols = list_in(content, 2);
  out.nested(2, [&] {
    std::array<bool, known.size()> is_written{};
    bool is_empty = true;
    for (HelloReader reader(protocols); !reader.at_end();) {
      const base::Bytes protocol = reader.list(1);
      const auto found = std::find(known.begin(), known.end(), base::text_of(protocol));
      if (found == known.end()) continue;
      bool& done = is_written[static_cast<std::size_t>(found - known.begin())];
      if (!done) out.list(protocol, 1);
      done = true;
      is_empty = false;
    }
    if (is_empty) out.list(list_in(protocols, 1), 1);
  });
}

void write_shares(Writer& out, base::Bytes content) {
  out.nested(2, [&] {
    for (HelloReader reader(list_in(content, 2)); !reader.at_end();) {
      const std::size_t its_group = reader.number(2);
      const base::Bytes share = reader.list(2);
      if (its_group != group::x25519 && its_group != group::p256) continue;
      out.number(its_group, 2);
      out.list(share, 2);
    }
  });
}

// The latest first, in whatever order the client has them: mbedTLS takes the first.
void write_versions(Writer& out, base::Bytes versions) {
  out.nested(1, [&] {
    bool is_empty = true;
    for (const std::size_t version : {version_1_3, version_1_2}) {
      bool is_there = false;
      for (HelloReader reader(versions); !reader.at_end();) {
        is_there = reader.number(2) == version || is_there;
      }
      if (is_there) out.number(version, 2);
      is_empty = is_empty && !is_there;
    }
    if (is_empty) out.bytes(versions.first(2));
  });
}

// RFC 8446 section 4.2.9; others mean nothing (RFC 8701 section 3.1). Without a known one no PSK
// can be used, as with psk_ke alone, which mbedTLS is not configured for.
void write_psk_modes(Writer& out, base::Bytes content) {
  constexpr std::byte psk_ke{0}, psk_dhe_ke{1};
  const base::Bytes modes = list_in(content, 1);
  const bool has_dhe = std::find(modes.begin(), modes.end(), psk_dhe_ke) != modes.end();
  out.list(std::array{has_dhe ? psk_dhe_ke : psk_ke}, 1);
}

// P-384 is for certificates: TLS 1.2 asks for it here, too.
constexpr std::array<std::size_t, 3> groups{group::x25519, group::p256, group::p384};
// Of ECDSA, then of RSA: RSASSA-PSS and PKCS#1 v1.5, by SHA-256, SHA-384 and SHA-512.
constexpr std::array<std::size_t, 8> algorithms{0x0403, 0x0503, 0x0804, 0x0805,
                                                0x0806, 0x0401, 0x0501, 0x0601};
constexpr std::array<std::size_t, 3> of_pss{0x0804, 0x0805, 0x0806};
constexpr std::array<std::size_t, 3> of_pkcs1{0x0401, 0x0501, 0x0601};

// mbedTLS signs with PSS in TLS 1.3 only: a client of 1.2 that knows nothing else is given what
// RFC 8446 section 4.2.3 lets it be given.
bool needs_pss(const Hello& hello) {
  const auto offered = hello.find(extension::signature_algorithms);
  if (!offered || hello.wants_1_3()) return false;
  bool has_pss = false;
  for (HelloReader reader(list_in(*offered, 2)); !reader.at_end();) {
    const std::size_t algorithm = reader.number(2);
    if (std::find(of_pkcs1.begin(), of_pkcs1.end(), algorithm) != of_pkcs1.end()) return false;
    has_pss = has_pss || std::find(of_pss.begin(), of_pss.end(), algorithm) != of_pss.end();
  }
  return has_pss;
}

// Each at its place, with PKCS#1 v1.5 for PSS.
void write_disguised(Writer& out, base::Bytes content) {
  std::vector<std::byte> disguised;
  Writer numbers(disguised);
  for (HelloReader reader(list_in(content, 2)); !reader.at_end();) {
    const std::size_t algorithm = reader.number(2);
    const auto found = std::find(of_pss.begin(), of_pss.end(), algorithm);
    const bool is_pss = found != of_pss.end();
    numbers.number(is_pss ? of_pkcs1[static_cast<std::size_t>(found - of_pss.begin())] : algorithm,
                   2);
  }
  out.nested(2, [&] { write_known(out, disguised, algorithms); });
}

// The content of an extension that means something here; false: it means nothing.
bool write_content(Writer& out, std::size_t type, base::Bytes content, std::string_view host) {
  switch (type) {
    case extension::server_name:
      if (host.empty() || host.size() > name_bytes_max) return false;
      out.nested(2, [&] {
        out.number(0, 1);
        out.list(base::bytes_of(host), 2);
      });
      return true;
    case extension::supported_groups:
      out.nested(2, [&] { write_known(out, list_in(content, 2), groups); });
      return true;
    case extension::signature_algorithms:
      out.nested(2, [&] { write_known(out, list_in(content, 2), algorithms); });
      return true;
    case extension::supported_versions:
      write_versions(out, list_in(content, 1));
      return true;
    case extension::protocols:
      write_protocols(out, content);
      return true;
    case extension::key_share:
      write_shares(out, content);
      return true;
    case extension::psk_modes:
      write_psk_modes(out, content);
      return true;
    case extension::point_formats:
    case extension::extended_master_secret:
    case extension::pre_shared_key:
    case extension::early_data:
    case extension::renegotiation_info:
      out.bytes(content);
      return true;
    default:
      return false;
  }
}

}  // namespace

CondensedHello condense(const Hello& hello, int resumed_suite) {
  CondensedHello condensed;
  std::vector<std::byte>& record = condensed.record;
  Writer out(record);
  const bool wants_1_3 = hello.wants_1_3();
  const std::string_view host = hello.host();
  condensed.means_pss = needs_pss(hello);
  // RFC 7627 section 5.3: a session is resumed as it was made, so only with the extended master
  // secret are tickets given and taken.
  const bool has_tickets = !wants_1_3 && hello.find(extension::extended_master_secret).has_value();
  const auto write_extension = [&](std::size_t type, base::Bytes content) {
    if (type == extension::session_ticket) {
      if (!has_tickets) return;
      out.number(type, 2);
      return out.list(resumed_suite != 0 ? content : base::Bytes(), 2);
    }
    const std::size_t before = record.size();
    bool has_content = false;
    out.number(type, 2);
    out.nested(2, [&] {
      const bool is_disguised = condensed.means_pss && type == extension::signature_algorithms;
      if (is_disguised) write_disguised(out, content);
      has_content = is_disguised || write_content(out, type, content, host);
    });
    if (!has_content) record.resize(before);
  };

  out.bytes(std::array{std::byte{22}, std::byte{3}, std::byte{1}});
  out.nested(2, [&] {
    out.number(1, 1);
    out.nested(3, [&] {
      // A client that knows a later version knows 1.2: RFC 5246 appendix E.1.
      out.number(wants_1_3 ? hello.version : std::min(hello.version, version_1_2), 2);
      out.bytes(hello.random);
      out.list(hello.session_id, 1);
      write_suites(out, hello.suites, resumed_suite);
      out.list(hello.compressions, 1);
      out.nested(2, [&] {
        // RFC 8422 section 4: without the extension the server may choose any curve.
        if (!wants_1_3 && !hello.find(extension::supported_groups)) {
          out.number(extension::supported_groups, 2);
          out.nested(2, [&] {
            out.nested(2, [&] {
              out.number(group::p256, 2);
              out.number(group::p384, 2);
            });
          });
        }
        for (HelloReader reader(hello.extensions); !reader.at_end();) {
          const std::size_t type = reader.number(2);
          const base::Bytes content = reader.list(2);
          write_extension(type, content);
          const bool is_last = reader.at_end();
          if (type == extension::pre_shared_key && is_last) {
            condensed.same_end_bytes = content.size();
          }
        }
      });
    });
  });
  return condensed;
}

}  // namespace tls
