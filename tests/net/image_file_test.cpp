// SPDX-License-Identifier: ISC
// tests/net/image_file_test.cpp: bytes of the program itself, which are sent from its file.
//
// Method: a large constant array is the content; peers take it, slowly, or vanish.

#include "net/sockets/image_file.hpp"

#include <array>

#include "tests/net/raw_peer.hpp"

namespace {

constexpr std::size_t body_bytes = 200'000;
constexpr std::array<char, body_bytes> make_body() {
  std::array<char, body_bytes> body{};
  char* at = body.data();  // not by index: clang counts each call against a million steps
  for (std::size_t i = 0; i < body_bytes; ++i) *at++ = static_cast<char>((i * 131 + i / 251) & 127);
  return body;
}
constexpr std::array<char, body_bytes> body = make_body();  // in .rodata
std::array<char, body_bytes> writable_body = body;          // in .data

TEST(ImageFile, FindsWhatIsInAReadOnlySegmentAndNothingElse) {
  const net::sockets::ImageFile file;
  const net::Bytes bytes = bytes_of({body.data(), body.size()});
  for (std::size_t offset : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    auto place = file.find(bytes.subspan(offset));
    ASSERT_TRUE(place.has_value());
    std::string read(bytes.size() - offset, '\0');
    ASSERT_EQ(pread(file.fd(), read.data(), read.size(), *place),
              static_cast<ssize_t>(read.size()));
    EXPECT_TRUE(read == base::text_of(bytes.subspan(offset)));
  }
  const std::string heap(100, 'x');
  const char stack[100] = {};
  EXPECT_FALSE(file.find(bytes_of(heap)).has_value());
  EXPECT_FALSE(file.find(bytes_of({stack, sizeof stack})).has_value());
  EXPECT_FALSE(file.find(bytes_of({writable_body.data(), body_bytes})).has_value());
  const net::Bytes beyond(bytes.data(), std::size_t{1} << 40);
  EXPECT_FALSE(file.find(beyond).has_value());
}

// Large lasting pieces among others, to a peer that makes the writer wait within each.
Task<void> send_image(SocketsWorld& world) {
  Ends<net::Sockets> ends;
  co_await connect(world, ends);
  std::vector<net::Piece> pieces;
  std::string sent;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string_view texts[] = {"head", {body.data() + i, body.size() - 2 * i}, "", "tail"};
    for (std::string_view text : texts) {
      pieces.push_back({bytes_of(text), true});
      sent += text;
    }
  }
  auto send_all = [](Flow& flow, std::span<const net::Piece> all) -> Task<void> {
    auto answer = co_await flow.write(all, long_time);
    EXPECT_TRUE(answer.has_value());
    flow.close();
  };
  world.loop().spawn(send_all(*ends.server, pieces));
  co_await settle(world);  // so that the first write finds the buffers full
  std::string got;
  EXPECT_EQ(co_await drain(*ends.client, got), net::Error::ended);
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size();
}
TEST_F(SocketsTest, LargeLastingPiecesArriveInOrder) { run(world, send_image(world)); }

Task<void> image_to_reset_peer(SocketsWorld& world) {
  Served served = co_await serve_one(world);
  served.client.vanish();
  const net::Piece piece{bytes_of({body.data(), body.size()}), true};
  bool failed = false;
  for (int i = 0; i < 3 && !failed; ++i) {
    auto answer = co_await served.flow.write({&piece, 1}, long_time);
    failed = !answer.has_value();
  }
  EXPECT_TRUE(failed);
}
TEST_F(SocketsTest, AFileSentToAPeerThatVanishedRaisesNoSignal) {
  run(world, image_to_reset_peer(world));
}

}  // namespace
