// SPDX-License-Identifier: ISC
#include "http/site/path.hpp"

namespace http::site {
namespace {

using std::string_view;

constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         string_view("-._~").find(c) != string_view::npos;
}
constexpr bool is_path_character(char c) {
  return is_unreserved(c) || string_view("!$&'()*+,;=:@").find(c) != string_view::npos;
}
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Writes segments; those of dots and empty ones are taken back.
class SegmentWriter {
 public:
  SegmentWriter(std::span<char> out, Slashes slashes) : out_(out), slashes_(slashes) { put('/'); }

  void put(char c) {
    if (size_ < out_.size()) out_[size_] = c;
    ++size_;
  }
  void escape(unsigned char byte) {
    constexpr string_view digits = "0123456789ABCDEF";
    put('%');
    put(digits[byte >> 4U]);
    put(digits[byte & 15U]);
  }
  // At a '/' or at the end: the segment that begins at begin_ is whole.
  void end_segment(bool is_last) {
    if (size_ > out_.size()) return;
    const string_view segment(out_.data() + begin_, size_ - begin_);
    const bool is_kept = !segment.empty() || (slashes_ == Slashes::keep && begin_ > 1 && !is_last);
    if (segment == ".." && begin_ > 1) {
      size_ = string_view(out_.data(), begin_ - 1).rfind('/') + 1;
    } else if (!is_kept || segment == "." || segment == "..") {
      size_ = begin_;
    } else if (!is_last) {
      put('/');
    }
    begin_ = size_;
  }
  [[nodiscard]] string_view written() const {
    return size_ > out_.size() ? string_view() : string_view(out_.data(), size_);
  }

 private:
  std::span<char> out_;
  const Slashes slashes_;
  std::size_t size_ = 0;
  std::size_t begin_ = 1;
};

string_view write_normal(string_view path, std::span<char> out, Slashes slashes) {
  SegmentWriter writer(out, slashes);
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const int high = c == '%' && i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[i + 2]) : -1;
    if (c == '/') {
      writer.end_segment(false);
    } else if (low >= 0) {
      const auto byte = static_cast<char>(high * 16 + low);
      if (is_unreserved(byte)) {
        writer.put(byte);
      } else {
        writer.escape(static_cast<unsigned char>(byte));
      }
      i += 2;
    } else if (is_path_character(c)) {
      writer.put(c);
    } else {
      writer.escape(static_cast<unsigned char>(c));
    }
  }
  writer.end_segment(true);
  return writer.written();
}

}  // namespace

string_view normal_path(string_view path, std::span<char> out) noexcept {
  return write_normal(path, out, Slashes::fold);
}

std::string normal_path(string_view path, Slashes slashes) {
  std::string out(3 * path.size() + 1, '\0');
  const std::size_t size = write_normal(path, out, slashes).size();
  out.resize(size);
  return out;
}

}  // namespace http::site
