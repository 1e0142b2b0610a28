// SPDX-License-Identifier: ISC
// tests/http/scan_test.cpp: what looks at many bytes at a time against what looks at one.
//
// Method:  every size around the groups of 8, 16 and 64 bytes, the special byte at every place, in
//          memory of exactly that size, so that a sanitizer sees a read beyond it.

#include "http/scan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "http/authority.hpp"

namespace {

// `size` bytes without any room behind them.
class Exact {
 public:
  Exact(std::size_t size, char fill) : bytes_(size, fill) { bytes_.shrink_to_fit(); }
  char& operator[](std::size_t at) { return bytes_[at]; }
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

TEST(Scan, FindsEachControlOnce) {
  std::mt19937 random(3);
  constexpr std::string_view some = "\t\r\n\x1f\x7f aZ~\x80\xff";
  for (std::size_t size = 0; size < 200; ++size) {
    for (unsigned often : {2U, 20U, 300U}) {
      Exact bytes(size, 'a');
      std::vector<std::ptrdiff_t> expected, found;
      for (std::size_t i = 0; i < size; ++i) {
        if (random() % often == 0) bytes[i] = some[random() % some.size()];
        if (http::is_control(bytes[i])) expected.push_back(static_cast<std::ptrdiff_t>(i));
      }
      const char* const begin = bytes.text().data();
      const char* const end = begin + size;
      http::ControlScan scan(begin, end);
      for (const char* at = scan.next(); at != end; at = scan.next()) found.push_back(at - begin);
      ASSERT_EQ(found, expected) << size;
      ASSERT_EQ(scan.next(), end);
    }
  }
}

TEST(Scan, PassesOverTheLfBehindACr) {
  for (std::size_t size = 2; size < 150; ++size) {
    for (std::size_t place = 0; place + 2 <= size; ++place) {
      Exact bytes(size, 'a');
      bytes[place] = '\r';
      bytes[place + 1] = '\n';
      const char* const begin = bytes.text().data();
      http::ControlScan scan(begin, begin + size);
      ASSERT_EQ(scan.next() - begin, static_cast<std::ptrdiff_t>(place));
      scan.skip_lf();
      ASSERT_EQ(scan.next(), begin + size) << size << " " << place;
    }
  }
}

TEST(Scan, SeesEachByteThatIsNotAscii) {
  for (std::size_t size = 0; size < 40; ++size) {
    Exact bytes(size, '\x7f');
    EXPECT_TRUE(http::is_ascii(bytes.text()));
    for (std::size_t place = 0; place < size; ++place) {
      bytes[place] = '\x80';
      EXPECT_FALSE(http::is_ascii(bytes.text())) << size << " " << place;
      bytes[place] = '\x7f';
    }
  }
}

bool is_plain_path_by_bytes(std::string_view text) {
  if (!text.starts_with('/') || text.ends_with('/')) return false;
  if (text.find_first_of(std::string_view("%?#\0", 4)) != std::string_view::npos) return false;
  return text.find("//") == std::string_view::npos && text.find("/.") == std::string_view::npos;
}

TEST(Scan, TellsPlainPaths) {
  std::size_t plain = 0;
  for (std::size_t size = 1; size < 60; ++size) {
    for (std::string_view special : {"x", "/", "//", "/.", ".", "%", "?", "#", "\x80"}) {
      for (std::size_t place = 0; place + special.size() <= size; ++place) {
        Exact bytes(size, 'a');
        bytes[0] = '/';
        for (std::size_t i = 0; i < special.size(); ++i) bytes[place + i] = special[i];
        const bool expected = is_plain_path_by_bytes(bytes.text());
        const bool answer = http::is_plain_path(bytes.text());
        // It may say no to what is short.
        ASSERT_TRUE(answer == expected || (expected && size < 17)) << bytes.text();
        plain += answer ? 1U : 0U;
      }
    }
    Exact bytes(size, '/');
    for (std::size_t i = 1; i < size; ++i) bytes[i] = '\0';
    ASSERT_FALSE(http::is_plain_path(bytes.text()));
  }
#if defined(__SSE2__)
  EXPECT_GT(plain, 1000U);
#endif
}

TEST(Scan, ChecksEachByteOfAHost) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=";
  for (std::size_t size = 1; size < 40; ++size) {
    for (int value = 0; value < 256; ++value) {
      const char c = static_cast<char>(value);
      const bool is_name = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || marks.find(c) != std::string_view::npos;
      for (std::size_t place = 1; place < size; ++place) {
        Exact bytes(size, 'x');  // no digit of an escape
        bytes[place] = c;
        const auto authority = http::parse_authority(bytes.text());
        // A colon starts a port, which may be empty, and here is of letters otherwise.
        const bool expected = is_name || (c == ':' && place + 1 == size);
        ASSERT_EQ(authority.has_value(), expected) << size << " " << place << " " << value;
      }
    }
  }
}

}  // namespace
