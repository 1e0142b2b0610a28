// SPDX-License-Identifier: ISC
// bench/tls/client.cpp: connections to a TLS 1.3 server on 127.0.0.1, made by OpenSSL.
//
//   bench_tls_client PORT full SECONDS      each connection with a whole handshake; how many
//   bench_tls_client PORT resumed SECONDS   each resumes a session; how many
//   bench_tls_client PORT idle COUNT        opens COUNT, says "open", keeps them until its input
//   ends
//
// Each connection asks for /1.bin once and reads the answer, so that the server has done all that a
// handshake takes, tickets included. The first two ask for `Connection: close`. Threads keep some
// under way at once, so that the server need not wait for the client.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int threads = 8;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "bench_tls_client: %s\n", what);
  std::_Exit(1);  // other threads are at work
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    fail("cannot connect");
  }
  return fd;
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

int keep_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<Session*>(SSL_get_app_data(ssl))->reset(session);
  return 1;
}

// The suite and the group that servers have in common, so that all do the same work.
Context make_context() {
  Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context.get(), "X25519");
  SSL_CTX_set_session_cache_mode(context.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context.get(), keep_session);
  return context;
}

class Connection {
 public:
  Connection(SSL_CTX* context, std::uint16_t port, Session& session, bool resume)
      : fd_(connect_to(port)), ssl_(SSL_new(context), SSL_free) {
    SSL_set_fd(ssl_.get(), fd_);
    SSL_set_app_data(ssl_.get(), &session);
    if (resume && session) SSL_set_session(ssl_.get(), session.get());
    if (SSL_connect(ssl_.get()) != 1) fail("no handshake");
    if (resume && session && SSL_session_reused(ssl_.get()) != 1) fail("the server did not resume");
  }
  ~Connection() {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ssl_.reset();
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The answer's head and, as it is this small, its body.
  void ask(std::string_view request, bool to_the_end) {
    if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) {
      fail("cannot write");
    }
    char answer[4096];
    int size = SSL_read(ssl_.get(), answer, sizeof answer);
    if (size < 12 || std::string_view(answer, 12) != "HTTP/1.1 200") fail("another answer");
    while (to_the_end && size > 0) size = SSL_read(ssl_.get(), answer, sizeof answer);
  }

 private:
  int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

constexpr std::string_view once =
    "GET /1.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view kept = "GET /1.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";

void handshakes(std::uint16_t port, bool resume, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  std::atomic<long> count{0};
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      const Context context = make_context();
      Session session(nullptr, SSL_SESSION_free);
      while (Clock::now() < until) {
        Connection connection(context.get(), port, session, resume);
        connection.ask(once, true);
        ++count;
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  std::printf("%ld\n", count.load());
}

void idle(std::uint16_t port, int count) {
  const Context context = make_context();
  std::vector<std::unique_ptr<Connection>> connections;
  Session session(nullptr, SSL_SESSION_free);
  for (int i = 0; i < count; ++i) {
    connections.push_back(std::make_unique<Connection>(context.get(), port, session, false));
    connections.back()->ask(kept, false);
  }
  std::puts("open");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("PORT full|resumed|idle SECONDS|COUNT");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const std::string_view what = argv[2];
  if (what == "idle") {
    idle(port, std::atoi(argv[3]));
  } else {
    handshakes(port, what == "resumed", std::atof(argv[3]));
  }
}
