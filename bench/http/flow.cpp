// SPDX-License-Identifier: ISC
// bench/http/flow.cpp: the same constant answer over net::Sockets: what the stack itself costs.

#include <optional>
#include <utility>

#include "bench/http/answer.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/platform.hpp"

namespace {

using namespace std::chrono_literals;

base::Task<void> serve(net::Sockets::Flow flow, const std::string& answer) {
  const net::Piece piece{base::bytes_of(answer), true};
  for (;;) {
    auto request = co_await flow.read(4096, 60s);
    if (!request) co_return;
    const bool last = bench::wants_close(base::text_of(*request));
    auto written = co_await flow.write({&piece, 1}, 60s);
    if (!written || last) co_return;
  }
}

base::Task<void> accept_all(base::Loop& loop, net::Sockets::Listener& listener,
                            const std::string& answer) {
  for (;;) {
    auto flow = co_await listener.accept();
    if (!flow) co_return;
    loop.spawn(serve(std::move(*flow), answer));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return unix_target::start(argc, argv, {}, [&](unix_target::Platform& platform) {
    const bench::Arguments arguments = bench::arguments_of(argc, argv);
    const std::string answer = bench::make_answer(arguments.body_bytes);
    net::Sockets stack(platform.loop, platform.descriptors, platform.log,
                       {.address = net::ipv4(127, 0, 0, 1, 0)});
    auto listener = stack.listen(arguments.port);
    if (!listener) {
      platform.log.error({listener.error()});
      return 1;
    }
    platform.loop.spawn(accept_all(platform.loop, *listener, answer));
    platform.loop.run();
    return 0;
  });
}
