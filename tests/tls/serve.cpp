// SPDX-License-Identifier: ISC
// tests/tls/serve.cpp: a small server over tls::Over<net::Sockets>, for clients of others.
//
//   tls_serve CERT KEY [CERT KEY]...     prints "port N" and serves 127.0.0.1 until its standard
//                                        input ends; then prints how many connections are left
// A request "GET /N" is answered with N bytes; what else it is does not matter. Keep-alive.

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <unistd.h>

#include "net/sockets/sockets.hpp"
#include "targets/unix/clock.hpp"
#include "targets/unix/console.hpp"
#include "targets/unix/entropy.hpp"
#include "targets/unix/epoll.hpp"
#include "targets/unix/limits.hpp"
#include "tls/over.hpp"

namespace {

using namespace std::chrono_literals;
using Stack = tls::Over<net::Sockets>;
static_assert(net::ServerStack<Stack>);

constexpr std::size_t body_max = 64U << 20U;

std::string file_text(const char* name) {
  std::ifstream in(name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

base::Task<void> converse(Stack::Flow flow, const std::string& body) {
  std::string request;
  for (;;) {
    auto bytes = co_await flow.read(16384, 30s);
    if (!bytes) break;
    request += base::text_of(*bytes);
    // Some clients end their lines by LF alone.
    const std::size_t end = std::min(request.find("\r\n\r\n"), request.find("\n\n"));
    if (end == std::string::npos) continue;
    std::size_t size = 0;
    const std::size_t slash = std::min(request.find('/'), request.size() - 1);
    std::from_chars(request.data() + slash + 1, request.data() + request.size(), size);
    size = std::min(size, body_max);
    request.erase(0, request.find_first_not_of("\r\n", end));
    const std::string head =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    const std::array pieces{
        net::Piece{base::bytes_of(head)},
        net::Piece{base::bytes_of(std::string_view(body).substr(0, size)), true}};
    auto sent = co_await flow.write(std::span<const net::Piece>(pieces), 30s);
    if (!sent) break;
  }
  auto shut = co_await flow.shutdown(5s);
  static_cast<void>(shut);
}

base::Task<void> serve(base::Loop& loop, Stack::Listener& listener, const std::string& body) {
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    loop.spawn(converse(std::move(*flow), body));
  }
}

// Ends the loop when standard input does.
class InputEnd final : public base::Watch {
 public:
  explicit InputEnd(Stack::Listener& listener) : listener_(listener) {}
  void run() override { listener_.close(); }

 private:
  Stack::Listener& listener_;
};

}  // namespace

int main(int argc, char** argv) {
  unix_target::raise_descriptor_limit();
  unix_target::Entropy entropy;
  std::vector<tls::Identity> identities;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string certificate = file_text(argv[i]);
    const std::string key = file_text(argv[i + 1]);
    auto identity = tls::Identity::make({argv[i], base::bytes_of(certificate)},
                                        {argv[i + 1], base::bytes_of(key)}, entropy);
    if (!identity) {
      std::fprintf(stderr, "%s\n", identity.error().c_str());
      return 1;
    }
    identities.push_back(std::move(*identity));
  }
  if (identities.empty()) return 2;
  unix_target::Console console{2};
  base::Log log{console};
  unix_target::Clock clock;
  unix_target::Epoll epoll{clock};
  base::Loop loop{clock, epoll};
  epoll.serve(loop);
  net::Sockets sockets(loop, epoll, log,
                       net::Sockets::Options{.address = net::ipv4(127, 0, 0, 1, 0)});
  Stack stack(sockets, loop, std::make_shared<tls::Context>(std::move(identities), entropy),
              {.handshake_within = 5s, .handshakes_max = 256});
  auto listener = stack.listen(0);
  if (!listener) return 1;
  const std::string body(body_max, 'x');
  InputEnd input_end(*listener);
  if (!epoll.watch(STDIN_FILENO, input_end)) return 1;
  std::printf("port %u\n", static_cast<unsigned>(listener->port()));
  std::fflush(stdout);
  loop.spawn(serve(loop, *listener, body));
  loop.run();
  epoll.forget(STDIN_FILENO, input_end);
  std::printf("connections %zu handshakes %zu\n", stack.connection_count(),
              stack.handshake_count());
}
