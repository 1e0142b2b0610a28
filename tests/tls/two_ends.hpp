// SPDX-License-Identifier: ISC
// tests/tls/two_ends.hpp: tls::Session and OpenSSL's client, in memory, and what goes between them.

#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "tests/tls/authority.hpp"
#include "tests/tls/client.hpp"
#include "tls/buffers.hpp"
#include "tls/session.hpp"

namespace two_ends {

inline std::shared_ptr<const tls::Context> context_of(const std::vector<std::string>& key_kinds) {
  std::vector<tls::Identity> identities;
  for (const std::string& kind : key_kinds) identities.push_back(authority::identity(kind));
  return std::make_shared<tls::Context>(std::move(identities), authority::entropy());
}
inline std::shared_ptr<const tls::Context> context() {
  static const auto made = context_of({"P-256"});
  return made;
}

// The server's end, with what it got and what it has to send.
struct Server {
  explicit Server(std::shared_ptr<const tls::Context> with = context())
      : session(std::move(with)) {}

  void take(std::string_view in) {
    base::Bytes content = session.receive(base::bytes_of(in), buffers.scratch());
    while (!content.empty()) {
      received += base::text_of(content);
      content = session.receive({}, buffers.scratch());
    }
  }
  std::string give() {
    std::string out = std::move(sealed);
    sealed.clear();
    const auto pending = session.take_pending();
    return out + std::string(base::text_of(pending));
  }
  // Counts the records that it took.
  std::size_t write(std::string_view text) {
    const std::array pieces{net::Piece{base::bytes_of(text)}};
    tls::Gather gather(pieces);
    std::size_t records = 0;
    for (; gather.left() != 0; ++records) {
      std::string out(tls::Buffers::record_room, '\0');
      const auto record = gather.next_record();
      out.resize(session.seal(record, reinterpret_cast<std::byte*>(out.data())));
      sealed += out;
    }
    return records;
  }

  tls::Buffers buffers;
  tls::Session session;
  std::string received;
  std::string sealed;
};

// Hands bytes over until neither end has any; `chunk` at a time.
inline void talk(test_client::Client& client, Server& server, std::size_t chunk = 1U << 20U) {
  std::string to_server = client.step({});
  for (int round = 0; round < 20; ++round) {
    for (std::size_t at = 0; at < to_server.size(); at += chunk) {
      server.take(std::string_view(to_server).substr(at, chunk));
    }
    const std::string to_client = server.give();
    to_server.clear();
    for (std::size_t at = 0; at < to_client.size(); at += chunk) {
      to_server += client.step(std::string_view(to_client).substr(at, chunk));
    }
    if (to_server.empty()) return;
  }
  FAIL() << "the two talk without end";
}

inline std::string pattern(std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>((i * 131 + (i >> 8)) & 0xff);
  return text;
}

inline void exchange(test_client::Client& client, Server& server) {
  for (const std::size_t size : std::array<std::size_t, 5>{1, 100, 16384, 16385, 100000}) {
    SCOPED_TRACE(size);
    client.received.clear();
    server.received.clear();
    client.write(pattern(size));
    talk(client, server);
    EXPECT_EQ(server.received, pattern(size));
    EXPECT_EQ(server.write(pattern(size)), (size + 16383) / 16384) << "records";
    talk(client, server);
    EXPECT_EQ(client.received, pattern(size));
  }
}

}  // namespace two_ends
