// SPDX-License-Identifier: ISC
// tests/http/exchange_test.cpp: Exchange under a framing that is not HTTP/1.1.
//
// Method:  a toy framing with streams, as HTTP/2 has them: two coroutines per connection, one that
//          reads requests while the other writes answers, several exchanges at once, a frame of
//          each in turn. What comes of each stream is held against what HTTP/1.1 answers to the
//          same request, over a store that never waits and one that always does.
// Frames:  stream (1 byte), kind (1 byte: 'R'equest, 'H'ead, 'D'ata, 'E'nd), length (2 bytes, the
//          high one first), payload.

#include <gtest/gtest.h>

#include <list>
#include <map>

#include "http/exchange.hpp"
#include "http/parser.hpp"
#include "tests/http/answer.hpp"
#include "tests/http/memory_world.hpp"
#include "tests/http/text_sink.hpp"

namespace {

using namespace std::chrono_literals;
using http::Exchange;
using http_test::get;

constexpr std::size_t frame_bytes_max = 1000;

std::string frame_of(char stream, char kind, std::string_view payload) {
  std::string frame{stream, kind, static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size() & 0xff)};
  return frame.append(payload);
}

struct Frame {
  char stream;
  char kind;
  std::string payload;
};

// Takes a whole frame off the front. Nothing: there is none.
std::optional<Frame> take_frame(std::string& bytes) {
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  if (bytes.size() < 4) return std::nullopt;
  const std::size_t size = byte(2) * 256U + byte(3);
  if (bytes.size() < 4 + size) return std::nullopt;
  Frame frame{bytes[0], bytes[1], bytes.substr(4, size)};
  bytes.erase(0, 4 + size);
  return frame;
}

template <class Store>
class ToyConnection {
 public:
  ToyConnection(base::Loop& loop, Store& store, net::MemoryStack::Flow flow)
      : loop_(loop), store_(store), flow_(std::move(flow)) {}

  base::Task<void> read_requests() {
    std::string bytes;
    for (;;) {
      auto more = co_await flow_.read(100, 60s);
      if (!more) break;
      bytes += base::text_of(*more);
      while (auto frame = take_frame(bytes)) streams_.emplace_back(std::move(*frame), options_);
      wake();
    }
    has_ended_ = true;
    wake();
  }

  base::Task<void> write_answers() {
    for (;;) {
      if (streams_.empty() && has_ended_) co_return;
      if (streams_.empty()) {
        co_await Woken{*this};
        continue;
      }
      Stream& stream = streams_.front();
      std::string frame;
      while (frame.empty()) {
        switch (stream.exchange.step()) {
          case Exchange::Step::stat: {
            auto stat = co_await store_.stat(stream.exchange.key());
            stream.exchange.take_stat(stat);
            break;
          }
          case Exchange::Step::answer: {
            http_test::TextSink head;
            stream.exchange.answer(loop_.clock().wall_s(), head);
            frame = frame_of(stream.id, 'H', std::to_string(head.status) + "\r\n" + head.text);
            break;
          }
          case Exchange::Step::text: {
            char buffer[http::text_bytes_max];
            http::Writer text(buffer);
            stream.exchange.write_text(text);
            frame = frame_of(stream.id, 'D', text.written());
            break;
          }
          case Exchange::Step::value: {
            const std::uint64_t size =
                std::min<std::uint64_t>(stream.exchange.bytes_left(), frame_bytes_max);
            auto value = co_await store_.get_partial(
                stream.exchange.key(), stream.exchange.encoding(), stream.exchange.offset(), size);
            if (value) {
              frame = frame_of(stream.id, 'D', base::text_of(kv::Bytes(*value)));
              stream.exchange.took(size);
            } else if (!stream.exchange.value_failed(value.error(), true)) {
              frame = frame_of(stream.id, 'E', "broken");
            }
            break;
          }
          case Exchange::Step::done:
            frame = frame_of(stream.id, 'E', "");
            break;
        }
      }
      const net::Piece piece{base::bytes_of(frame)};
      auto written = co_await flow_.write({&piece, 1}, 60s);
      if (!written) co_return;
      if (frame[1] == 'E') {
        streams_.pop_front();
      } else {
        streams_.splice(streams_.end(), streams_, streams_.begin());
      }
    }
  }

 private:
  struct Stream {
    Stream(Frame frame, const http::Options& options)
        : id(frame.stream), text(std::move(frame.payload)), parser(options) {
      CHECK(parser.parse(text) == http::Parse::complete);
      key.resize(parser.request().target.size() + http::lookup_slack);
      exchange.begin(parser.request(), options, key);
    }
    char id;
    std::string text;
    http::HeadParser parser;
    std::vector<char> key;
    Exchange exchange;
  };
  struct Woken {
    ToyConnection& connection;
    [[nodiscard]] bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { connection.writer_.waiting = waiting; }
    void await_resume() const {}
  };
  void wake() {
    if (writer_.waiting) loop_.schedule(writer_);
  }

  const http::Options options_;
  base::Loop& loop_;
  Store& store_;
  net::MemoryStack::Flow flow_;
  std::list<Stream> streams_;
  base::Resumption writer_;
  bool has_ended_ = false;
};

template <class Store>
class FullDuplex : public ::testing::Test {
 protected:
  FullDuplex() {
    auto listener = world_.stack.listen(81);
    CHECK(listener.has_value());
    wire_ = world_.stack.dial(81);
    world_.loop.spawn(accept(std::move(*listener)));
    world_.settle();
    CHECK(connection_ != nullptr);
  }
  ~FullDuplex() override {
    wire_->end();
    world_.advance(1s);
  }
  base::Task<void> accept(net::MemoryStack::Listener listener) {
    auto flow = co_await listener.accept();
    connection_ =
        std::make_unique<ToyConnection<Store>>(world_.loop, world_.store, std::move(*flow));
    world_.loop.spawn(connection_->read_requests());
    world_.loop.spawn(connection_->write_answers());
  }

  void ask(char stream, std::string_view request) { wire_->push(frame_of(stream, 'R', request)); }

  // What has come since the last call, whole frames.
  std::vector<Frame> frames() {
    bytes_ += wire_->take();
    std::vector<Frame> all;
    while (auto frame = take_frame(bytes_)) all.push_back(std::move(*frame));
    return all;
  }

  // As HTTP/1.1 answers it, in the form of the toy's frames.
  std::string reference(const std::string& request) {
    auto wire = world_.dial();
    wire->push(request);
    world_.advance(1s);
    std::string came = wire->take();
    wire->end();
    world_.settle();
    const std::size_t end = came.find("\r\n\r\n") + 2;
    std::string head = came.substr(9, 3) + "\r\n";
    for (std::size_t at = came.find("\r\n") + 2; at < end;) {
      std::string line = came.substr(at, came.find("\r\n", at) + 2 - at);
      at += line.size();
      if (!line.starts_with("Date: ") && !line.starts_with("Connection: ")) head += line;
    }
    return head + "\r\n" + came.substr(end + 2);
  }

  http_test::World<Store> world_;
  std::shared_ptr<net::MemoryWire> wire_;
  std::unique_ptr<ToyConnection<Store>> connection_;
  std::string bytes_;
};
using Stores = ::testing::Types<http_test::ScriptedStore, http_test::WaitingStore>;
TYPED_TEST_SUITE(FullDuplex, Stores);

TYPED_TEST(FullDuplex, EachStreamIsAnsweredAsHttp1Answers) {
  const std::string requests[] = {
      get("/a.txt"),
      get("/large.bin"),
      get("/large.bin", "Range: bytes=5-2999,4000-4999,70000-\r\n"),
      get("/a.txt", "Range: bytes=3-5\r\n"),
      get("/a.txt", "Range: bytes=99-\r\n"),
      get("/style.css", "Accept-Encoding: br\r\n"),
      get("/a.txt", "If-None-Match: *\r\n"),
      get("/a.txt", "If-Match: \"x\"\r\n"),
      get("/blog/2024/nothing"),
      get("/noindex"),
      get("/dir?q"),
      get("/empty.txt"),
      get("/%zz"),
      http_test::ask("HEAD", "/large.bin"),
      http_test::ask("OPTIONS", "*"),
      http_test::ask("BREW", "/a.txt"),
      get("/style.css", "Accept-Encoding: identity;q=0, x\r\n"),
  };
  std::vector<std::string> wanted;
  for (const std::string& request : requests) wanted.push_back(this->reference(request));
  for (std::size_t i = 0; i < std::size(requests); ++i) {
    this->ask(static_cast<char>(i), requests[i]);
  }
  this->world_.advance(5s);
  std::map<char, std::string> got;
  std::map<char, int> ends;
  int switches = 0;
  char last = -1;
  for (const Frame& frame : this->frames()) {
    switches += frame.stream != last ? 1 : 0;
    last = frame.stream;
    ASSERT_EQ(ends[frame.stream], 0) << "a frame behind the end";
    if (frame.kind == 'E') {
      EXPECT_EQ(frame.payload, "");
      ++ends[frame.stream];
    } else {
      got[frame.stream] += frame.payload;
      if (frame.kind == 'H') got[frame.stream] += "\r\n";
    }
  }
  for (std::size_t i = 0; i < std::size(requests); ++i) {
    EXPECT_EQ(got[static_cast<char>(i)], wanted[i]) << requests[i];
    EXPECT_EQ(ends[static_cast<char>(i)], 1) << requests[i];
  }
  // They went side by side: the large ones alone are 200 frames.
  EXPECT_GT(switches, 100);
}

// A peer that takes nothing of one answer is heard meanwhile, and its other request is not lost.
TYPED_TEST(FullDuplex, RequestsAreReadWhileAnAnswerWaits) {
  this->wire_->pipes[1].capacity = 500;
  this->ask(1, get("/large.bin"));
  this->world_.advance(1s);
  EXPECT_TRUE(this->wire_->pipes[1].size() >= 500);
  this->ask(2, get("/a.txt"));
  this->world_.advance(1s);
  EXPECT_EQ(this->wire_->pipes[0].size(), 0U);  // it was read
  std::map<char, int> ends;
  std::size_t large_frames = 0, large_frames_at_end_of_small = 0;
  for (int i = 0; i < 1000 && ends[1] == 0; ++i) {
    for (const Frame& frame : this->frames()) {
      ends[frame.stream] += frame.kind == 'E' ? 1 : 0;
      large_frames += frame.stream == 1 ? 1 : 0;
      if (frame.stream == 2 && frame.kind == 'E') large_frames_at_end_of_small = large_frames;
    }
    this->world_.settle();
  }
  EXPECT_EQ(ends[1], 1);
  EXPECT_EQ(ends[2], 1);
  EXPECT_LT(large_frames_at_end_of_small, 10U);
  EXPECT_GT(large_frames, 100U);
}

TYPED_TEST(FullDuplex, AStoreThatFailsEndsOneStream) {
  this->ask(1, get("/large.bin"));
  auto& site = http_test::site_of(this->world_.store);
  site.fail_from(5);
  this->world_.advance(1s);
  site.fail_from(0);
  this->ask(2, get("/a.txt"));
  this->world_.advance(1s);
  std::map<char, std::string> ends;
  for (const Frame& frame : this->frames()) {
    if (frame.kind == 'E') ends[frame.stream] = "end:" + frame.payload;
  }
  EXPECT_EQ(ends[1], "end:broken");
  EXPECT_EQ(ends[2], "end:");
}

}  // namespace
