// SPDX-License-Identifier: ISC
// bench/http/floor_asio.cpp: the same constant answer by Boost.Asio, at its best.
//
// One thread and no locking (BOOST_ASIO_CONCURRENCY_HINT_UNSAFE), callbacks instead of coroutines
// (their frames cost more), Asio's own recycling of handler memory, one contiguous write.

#include <array>
#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "bench/http/answer.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

class Connection {
 public:
  Connection(Socket socket, const std::string& answer)
      : socket_(std::move(socket)), answer_(answer) {}

  // `self` keeps the connection alive by moving from handler to handler: no reference counting.
  void read(std::unique_ptr<Connection> self) {
    socket_.async_read_some(
        asio::buffer(request_),
        [self = std::move(self)](boost::system::error_code error, std::size_t got) mutable {
          if (error) return;
          Connection& connection = *self;
          connection.closing_ = bench::wants_close({connection.request_.data(), got});
          connection.write(std::move(self));
        });
  }

 private:
  void write(std::unique_ptr<Connection> self) {
    asio::async_write(
        socket_, asio::buffer(answer_),
        [self = std::move(self)](boost::system::error_code error, std::size_t) mutable {
          if (error || self->closing_) return;
          Connection& connection = *self;
          connection.read(std::move(self));
        });
  }

  Socket socket_;
  const std::string& answer_;
  std::array<char, 4096> request_;
  bool closing_ = false;
};

void accept_next(Acceptor& acceptor, const std::string& answer) {
  acceptor.async_accept([&](boost::system::error_code error, Socket socket) {
    if (!error) {
      auto connection = std::make_unique<Connection>(std::move(socket), answer);
      Connection& started = *connection;
      started.read(std::move(connection));
    }
    accept_next(acceptor, answer);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments = bench::arguments_of(argc, argv);
  const std::string answer = bench::make_answer(arguments.body_bytes);
  asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
  Acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), arguments.port));
  acceptor.set_option(tcp::no_delay(true));  // its connections inherit it
  accept_next(acceptor, answer);
  context.run();
}
