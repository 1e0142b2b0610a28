// SPDX-License-Identifier: ISC
// tests/tls/session_fuzz.cpp: foreign bytes into the session, the record layer and the files of
// certificates.
//
// The first byte chooses: 0 handshake bytes in pieces, 1 a record as it lies on the wire, 2 a
// record that the peer really sealed, with content and type of its choice, 3 a file of certificates
// or keys.

#include <cstdint>
#include <cstdlib>

#include "tests/tls/authority.hpp"
#include "tls/session.hpp"

namespace {

void require(bool good) {
  if (!good) std::abort();
}

std::shared_ptr<const tls::Context> context() {
  static const auto made = [] {
    std::vector<tls::Identity> identities;
    identities.push_back(authority::identity("P-256"));
    return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
  }();
  return made;
}

void handshake(base::Bytes in) {
  static std::vector<std::byte> scratch(tls::Session::scratch_bytes);
  tls::Session session(context());
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), std::to_integer<std::size_t>(in[0]) + 1);
    require(session.receive(in.first(size), scratch).empty());  // no peer without keys gets further
    in = in.subspan(size);
  }
  require(session.phase() == tls::Phase::handshake || session.phase() == tls::Phase::failed);
  session.close_notify();
}

tls::TrafficKeys keys_of(std::byte choice) {
  tls::TrafficKeys keys;
  keys.version =
      (choice & std::byte{1}) != std::byte{0} ? tls::Version::tls_1_2 : tls::Version::tls_1_3;
  keys.cipher = static_cast<crypto::Cipher>(std::to_integer<unsigned>(choice >> 1) % 3);
  return keys;
}

void wire(base::Bytes in) {
  std::vector<std::byte> out(tls::Session::scratch_bytes);
  tls::Records records(keys_of(in[0]));
  const base::Bytes record = in.subspan(1);
  const auto header = tls::record_header(record);
  if (!header || header->length > tls::record_content_max + tls::record_expansion_max) return;
  if (record.size() < tls::record_header_bytes + header->length) return;
  require(!records.open(record.first(tls::record_header_bytes + header->length), out.data()));
}

void sealed(base::Bytes in) {
  std::vector<std::byte> record(tls::record_bytes_max + 64);
  std::vector<std::byte> out(tls::Session::scratch_bytes);
  tls::Records records(keys_of(in[0]));  // both directions have the same key: it hears itself
  in = in.subspan(1);
  if (in.empty()) return;
  const auto type = static_cast<tls::ContentType>(in[0]);
  const base::Bytes content =
      in.subspan(1).first(std::min<std::size_t>(in.size() - 1, tls::record_content_max));
  const std::array pieces{content.first(content.size() / 2), content.subspan(content.size() / 2)};
  const std::size_t size = records.seal(type, pieces, record.data());
  require(size == content.size() + records.overhead_bytes());
  const auto opened = records.open(base::Bytes(record).first(size), out.data());
  // TLS 1.3 strips zeros from the end until it finds a type: type 0 is padding itself.
  if (in[0] == std::byte{0} && records.version() == tls::Version::tls_1_3) return;
  require(opened && opened->type == type && std::ranges::equal(opened->content, content));
}

void files(base::Bytes in) {
  const base::Bytes first = in.first(in.size() / 2);
  auto identity = tls::Identity::make({"c", in}, {"k", in}, authority::entropy());
  if (identity) static_cast<void>(identity->warnings(0, base::text_of(first)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const base::Bytes in{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  switch (data[0] % 4) {
    case 0:
      handshake(in);
      break;
    case 1:
      wire(in);
      break;
    case 2:
      sealed(in);
      break;
    default:
      files(in);
      break;
  }
  return 0;
}
