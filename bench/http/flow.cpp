// SPDX-License-Identifier: ISC
// bench/http/flow.cpp: the same constant answer over net::Sockets: what the stack itself costs.

#include <cstdlib>
#include <utility>

#include "bench/http/answer.hpp"
#include "net/sockets/sockets.hpp"
#include "targets/unix/platform.hpp"

namespace {

// In the program's file, as the content of an image is.
constexpr std::size_t body_bytes_max = std::size_t{1} << 20;
const char body[body_bytes_max] = {'x'};

using namespace std::chrono_literals;

base::Task<void> serve(net::Sockets::Flow flow, const std::string& answer) {
  const std::size_t head_bytes = answer.find("\r\n\r\n") + 4;
  const net::Piece pieces[] = {{base::bytes_of(std::string_view(answer).substr(0, head_bytes))},
                               {base::bytes_of({body, answer.size() - head_bytes}), true}};
  for (;;) {
    auto request = co_await flow.read(4096, 60s);
    if (!request) co_return;
    const bool last = bench::wants_close(base::text_of(*request));
    auto written = co_await flow.write(pieces, 60s);
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
    platform.on_stop = [] { std::_Exit(0); };  // it holds nothing worth draining
    platform.loop.spawn(accept_all(platform.loop, *listener, answer));
    platform.loop.run();
    return 0;
  });
}
