// SPDX-License-Identifier: ISC
// tests/tls/hostile_server_test.cpp: what a server that means harm can do to tls::Client.
//
// Method: the client's session in memory against OpenSSL's server, of which every kind of answer is
// cut at every byte, flipped at every byte, repeated or replaced. The client never opens a session
// on anything but the server's own bytes, always says why, and stops taking bytes at a bound.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tests/tls/client_world.hpp"
#include "tls/buffers.hpp"
#include "tls/session.hpp"

namespace {

using client_world::Issued;

// OpenSSL's server, bytes in and bytes out.
class Server {
 public:
  Server(const Issued& issued, int version)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    BIO* bio = BIO_new_mem_buf(issued.chain.data(), static_cast<int>(issued.chain.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context_.get(), certificate);
    X509_free(certificate);
    BIO_free(bio);
    bio = BIO_new_mem_buf(issued.key.data(), static_cast<int>(issued.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(context_.get(), key);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ssl_ = {SSL_new(context_.get()), SSL_free};
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }
  std::string step(std::string_view in) {
    if (!in.empty()) BIO_write(SSL_get_rbio(ssl_.get()), in.data(), static_cast<int>(in.size()));
    if (SSL_is_init_finished(ssl_.get()) == 0) SSL_do_handshake(ssl_.get());
    std::array<char, 4096> buffer;
    if (SSL_is_init_finished(ssl_.get()) == 1) {
      const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (got > 0) received.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return take();
  }
  std::string write(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    return take();
  }
  std::string ask_to_renegotiate() {
    SSL_renegotiate(ssl_.get());
    SSL_do_handshake(ssl_.get());
    return take();
  }
  std::string update_key() {
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl_.get());
    return take();
  }
  std::string received;

 private:
  std::string take() {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    std::string out(data, static_cast<std::size_t>(size));
    static_cast<void>(BIO_reset(SSL_get_wbio(ssl_.get())));
    return out;
  }
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
};

// Ours, with what it read and has to say.
struct Client {
  explicit Client(const std::shared_ptr<const tls::ClientContext>& context)
      : session(std::make_unique<tls::ClientHandshake>(context, "localhost", std::time(nullptr),
                                                       problem)) {}
  void take(std::string_view in) {
    base::Bytes content = session.receive(base::bytes_of(in), scratch);
    while (!content.empty()) {
      received += base::text_of(content);
      content = session.receive({}, scratch);
    }
  }
  std::string give() {
    const auto pending = session.take_pending();
    return std::string(base::text_of(pending));
  }
  std::string seal(std::string_view text) {
    std::string out(tls::Buffers::record_room, '\0');
    const std::array pieces{base::bytes_of(text)};
    out.resize(session.seal(pieces, reinterpret_cast<std::byte*>(out.data())));
    return out;
  }
  bool is_open() const { return session.phase() == tls::Phase::open; }
  bool has_failed() const { return session.phase() == tls::Phase::failed; }

  tls::Problem problem;
  std::vector<std::byte> scratch = std::vector<std::byte>(tls::Session::scratch_bytes);
  tls::Session session;
  std::string received;
};

struct World {
  Issued issued = client_world::issue("P-256", "", "P-256");
  std::shared_ptr<const tls::ClientContext> context = client_world::client_context(issued.root);
};
const World& world() {
  static const World made;
  return made;
}
constexpr std::array versions{TLS1_2_VERSION, TLS1_3_VERSION};

// Opens the session; false: it did not.
bool open(Client& client, Server& server) {
  for (int round = 0; round < 6 && !client.is_open() && !client.has_failed(); ++round) {
    client.take(server.step(client.give()));
  }
  client.take(server.step(client.give()));
  return client.is_open();
}

TEST(HostileServer, AnHonestOneIsTalkedTo) {
  for (const int version : versions) {
    Server server(world().issued, version);
    Client client(world().context);
    ASSERT_TRUE(open(client, server)) << client.problem.text;
    client.take(server.write("hello"));
    EXPECT_EQ(client.received, "hello");
    server.step(client.seal("and back"));
    EXPECT_EQ(server.received, "and back");
  }
}

// Tickets, key updates and requests to renegotiate, when the session is open.
TEST(HostileServer, MessagesInAnOpenSession) {
  Server modern(world().issued, TLS1_3_VERSION);
  Client client(world().context);
  ASSERT_TRUE(open(client, modern));
  for (int i = 0; i < 100; ++i) {
    client.take(modern.update_key());
    client.take(modern.write("x"));
    modern.step(client.seal("y"));
  }
  EXPECT_EQ(client.received, std::string(100, 'x'));
  EXPECT_EQ(modern.received, std::string(100, 'y'));

  Server old(world().issued, TLS1_2_VERSION);
  Client other(world().context);
  ASSERT_TRUE(open(other, old));
  other.take(old.ask_to_renegotiate());
  EXPECT_TRUE(other.is_open());
  EXPECT_TRUE(other.session.has_pending()) << "no_renegotiation";
  EXPECT_TRUE(other.received.empty());
  for (int i = 0; i < 100 && other.is_open(); ++i) {
    Server again(world().issued, TLS1_2_VERSION);
    other.take(old.ask_to_renegotiate());
  }
  EXPECT_TRUE(other.received.empty());
}

// The server's first flight, changed by `change`; the client must not open.
void answered_with(int version, const std::function<void(std::string&)>& change, Client& client) {
  Server server(world().issued, version);
  std::string flight = server.step(client.give());
  change(flight);
  client.take(flight);
  for (int round = 0; round < 3 && !client.has_failed(); ++round) {
    client.take(server.step(client.give()));
  }
}

TEST(HostileServer, AFlightThatIsCutAnywhereOpensNothing) {
  for (const int version : versions) {
    std::string whole;
    {
      Client client(world().context);
      Server server(world().issued, version);
      whole = server.step(client.give());
    }
    for (std::size_t size = 0; size < whole.size(); size += size < 12 ? 1 : 29) {
      Client client(world().context);
      Server server(world().issued, version);
      const std::string flight = server.step(client.give());
      client.take(std::string_view(flight).substr(0, std::min(size, flight.size() - 1)));
      EXPECT_FALSE(client.is_open()) << size;
    }
  }
}

TEST(HostileServer, AFlippedBitIsAnErrorThatSaysWhy) {
  for (const int version : versions) {
    std::size_t failed = 0, tried = 0;
    bool is_within = true;
    for (std::size_t at = 0; is_within; at += 13) {
      Client client(world().context);
      answered_with(
          version,
          [&](std::string& flight) {
            is_within = at < flight.size();
            if (is_within) flight[at] = static_cast<char>(flight[at] ^ 0x10);
          },
          client);
      if (!is_within) break;
      EXPECT_FALSE(client.is_open()) << "byte " << at;
      ++tried;
      if (!client.has_failed()) continue;  // a length that is longer now
      ++failed;
      EXPECT_TRUE(client.problem.why != tls::Refusal::none || client.session.met_no_tls() ||
                  client.session.has_pending())
          << "byte " << at;
    }
    EXPECT_GT(failed, tried * 3 / 4);
  }
}

TEST(HostileServer, AnswersThatAreNoTls) {
  for (const std::string text :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n", "SSH-2.0-x\r\n"}) {
    Client client(world().context);
    client.take(text);
    EXPECT_TRUE(client.has_failed());
    EXPECT_TRUE(client.session.met_no_tls());
  }
}

TEST(HostileServer, AlertsAreNamed) {
  struct Row {
    unsigned char code;
    tls::Refusal why;
    const char* said;
  };
  const Row table[] = {
      {40, tls::Refusal::alert, "the alert handshake_failure"},
      {112, tls::Refusal::alert, "the alert unrecognized_name"},
      {70, tls::Refusal::old_version, "neither TLS 1.3 nor 1.2"},
      {120, tls::Refusal::no_protocol, "speaks none of"},
      {200, tls::Refusal::alert, "the alert 200"},
  };
  for (const Row& row : table) {
    Client client(world().context);
    std::string alert("\x15\x03\x03\x00\x02\x02", 6);
    alert += static_cast<char>(row.code);
    client.take(alert);
    EXPECT_TRUE(client.has_failed());
    EXPECT_EQ(client.problem.why, row.why);
    EXPECT_NE(client.problem.text.find(row.said), std::string::npos) << client.problem.text;
  }
}

// Records that mean nothing, for as long as the client takes them.
TEST(HostileServer, TheHandshakeHasABound) {
  const std::string change_cipher_spec("\x14\x03\x03\x00\x01\x01", 6);
  const std::string hello_request("\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9);
  const std::string warning("\x15\x03\x03\x00\x02\x01\x5a", 7);
  // The head of a certificate message of 16 MB, and zeros.
  const std::string huge =
      std::string("\x16\x03\x03\x40\x00\x0b\xff\xff\xff", 9) + std::string(16380, '\0');
  const std::string oversized("\x16\x03\x03\xff\xff", 5);
  for (const std::string& record : {change_cipher_spec, hello_request, warning, huge, oversized}) {
    for (const bool after_hello : {false, true}) {
      Client client(world().context);
      if (after_hello) {
        Server server(world().issued, TLS1_2_VERSION);
        const std::string flight = server.step(client.give());
        // The first record: ServerHello.
        const auto size = 5U + static_cast<unsigned char>(flight[3]) * 256U +
                          static_cast<unsigned char>(flight[4]);
        client.take(flight.substr(0, size));
      }
      std::size_t taken = 0;
      while (!client.has_failed() && taken < 1'000'000) {
        client.take(record);
        taken += record.size();
      }
      EXPECT_TRUE(client.has_failed()) << static_cast<int>(record[0]) << after_hello;
      EXPECT_LE(taken, 70'000U + record.size());
    }
  }
}

// The public half of one key and the private half of another.
std::string mismatched_key(const std::string& pem) {
  const auto part = [](EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    EVP_PKEY_get_bn_param(key, name, &number);
    return number;
  };
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  const authority::Key shown(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr),
                             EVP_PKEY_free);
  BIO_free(bio);
  const authority::Key other = authority::make_key("P-256");
  std::array<unsigned char, 65> point;
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(shown.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                  &size);
  BIGNUM* const scalar = part(other.get(), OSSL_PKEY_PARAM_PRIV_KEY);
  OSSL_PARAM_BLD* const build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), size);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* made = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEYPAIR, parameters);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(scalar);
  return authority::pem(authority::Key(made, EVP_PKEY_free));
}

// It has the certificate, as anybody can, and not its key.
TEST(HostileServer, AWrongSignatureOpensNothing) {
  for (const int version : versions) {
    Issued stolen = world().issued;
    stolen.key = mismatched_key(stolen.key);
    Server server(stolen, version);
    Client client(world().context);
    EXPECT_FALSE(open(client, server));
    EXPECT_TRUE(client.has_failed());
    EXPECT_EQ(client.problem.why, tls::Refusal::broken) << client.problem.text;
  }
}

}  // namespace
